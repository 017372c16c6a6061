import { defaultOf } from './kinds.ts';
import { settingsSchema } from './schema.ts';
import { settingsOf, type Setting } from './settings.ts';

const INTRODUCTION = `# Settings

<!-- Made from packages/server/src/config by write-document.ts; a test fails where this page is not current. -->

Settings come from one YAML file, which \`TIELINE_CONFIG\` names, and from the environment, which wins. Every key has an
environment name: \`http.allowedOrigins\` is \`TIELINE_HTTP_ALLOWED_ORIGINS\`. Lists are separated by commas; lists of
objects and maps are written as JSON or YAML. An empty variable counts as absent. Keys that don't exist are refused, and
everything that is wrong is said at once.

\`\`\`yaml
data: /var/lib/tieline
domain: chat.example.com
http:
  names: [chat.example.com]
  listen:
    - { host: 0.0.0.0, port: 443, tls: { cert: /etc/tieline/chain.pem, key: /etc/tieline/key.pem } }
    - { host: 127.0.0.1, port: 8080 }
\`\`\`

Where neither \`TIELINE_CONFIG\` nor \`TIELINE_DATABASE_URL\` is given, or \`TIELINE_DEMO=1\`, Tieline is the demo world: it
listens on loopback addresses only and refuses any other. On PostgreSQL \`secretKey\` and \`blobs.url\` are required.
\`TIELINE_TAPI_SERVER=host:port\` sets \`tapi.host\` and \`tapi.port\`.
`;

/** The page docs/configuration.md. */
export function settingsDocument(): string {
  const sections = Map.groupBy(settingsOf(settingsSchema), ({ path }) => (path.length === 1 ? '' : (path[0] ?? '')));
  const parts = [...sections].map(([name, settings]) => {
    const title = name === '' ? '## General' : `## \`${name}\``;
    const rows = settings.map((setting) => `| ${rowOf(setting).join(' | ')} |`);
    return [title, '', '| key, environment | default | |', '| --- | --- | --- |', ...rows, ''].join('\n');
  });
  return [INTRODUCTION, ...parts].join('\n');
}

function rowOf({ key, env, schema, about }: Setting): readonly string[] {
  const names = [key, ...env].map((name) => `\`${name}\``);
  const expects = `Expected: ${about.expects}.`;
  return [names.join('<br>'), shownDefault(schema), `${about.description} ${expects}`].map(escapeCell);
}

function shownDefault(schema: Setting['schema']): string {
  const value = defaultOf(schema);
  const text = Array.isArray(value)
    ? value.join(', ')
    : ['string', 'number', 'boolean'].includes(typeof value)
      ? JSON.stringify(value).replaceAll('"', '')
      : '';
  return text === '' ? '' : `\`${text}\``;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<path>', '&lt;path&gt;');
}
