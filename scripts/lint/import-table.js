/**
 * Who may import whom (ARCHITECTURE.md, "Imports"). One table, enforced as an ESLint rule.
 *
 * Also: a folder of the server is entered by its index.ts only, and a third-party driver is named in one folder.
 */
import path from 'node:path';

const CORE_ORDER = [
  'journal',
  'cluster',
  'permissions',
  'directory',
  'presence',
  'conversations',
  'files',
  'exchange',
  'calls',
  'queues',
];

/** Drivers and the only folders (below packages/server/src) that may name them. */
const DRIVERS = {
  kysely: ['adapters/store-sql'],
  'node:sqlite': ['adapters/store-sql', 'adapters/tapi-lookup'],
  pg: ['adapters/store-sql', 'adapters/tapi-lookup'],
  '@nats-io/transport-node': ['adapters/bus-nats'],
  fastify: ['http', 'protocols/chat-api'],
  ws: ['http'],
  pino: ['observe'],
  'prom-client': ['observe'],
  yaml: ['config'],
  commander: ['cli'],
  htmlparser2: ['core/conversations'],
  '@tieline/sip': ['adapters/endpoint-sip'],
  '@tieline/appwebsocket': ['protocols/appws', 'adapters/engine-rcc'],
};

/** Area of a file below src: `kit`, `core/<context>`, `core`, `delivery`, `protocols/<p>`, `adapters/<a>`, `main`, `cli`. */
function areaOf(relative) {
  const parts = relative.split('/');
  if (parts.length === 1) return 'main';
  if (parts[0] === 'core') return parts.length > 2 ? `core/${parts[1]}` : 'core';
  if (parts[0] === 'protocols' || parts[0] === 'adapters') return `${parts[0]}/${parts[1]}`;
  return parts[0];
}

/** @returns {string | undefined} the reason why `from` may not import `to` (paths below src). */
export function refusal(from, to) {
  const source = areaOf(from);
  const target = areaOf(to);
  if (source === 'main' || source === 'cli') return undefined;
  if (target === 'main' || target === 'cli') return `only main.ts and cli may import ${target}`;
  if (source === target) return undefined;
  const enters = to.endsWith('/index.ts') || target === 'kit' || target === 'core';
  const ok = mayImport(source, target);
  if (!ok) return `${source} may not import ${target}`;
  if (!enters) return `${target} is entered by its index.ts only`;
  return undefined;
}

function mayImport(source, target) {
  if (target === 'kit') return true;
  if (source === 'kit') return false;
  if (source === 'core') return target.startsWith('core/');
  if (source.startsWith('core/')) {
    if (!target.startsWith('core/')) return false;
    return CORE_ORDER.indexOf(target.slice(5)) < CORE_ORDER.indexOf(source.slice(5));
  }
  const isCore = target === 'core' || target.startsWith('core/');
  if (source === 'delivery') return isCore;
  if (source.startsWith('protocols/')) return isCore || ['delivery', 'http', 'observe'].includes(target);
  if (source.startsWith('adapters/')) return isCore || target === 'observe';
  return false;
}

/** @returns {string | undefined} the reason why a file of the server may not import a package. */
export function driverRefusal(from, specifier) {
  const name = Object.keys(DRIVERS).find((d) => specifier === d || specifier.startsWith(`${d}/`));
  if (name === undefined) {
    const area = areaOf(from);
    if ((area === 'kit' || area.startsWith('core')) && !specifier.startsWith('node:'))
      return `${area} may import no package (${specifier})`;
    if (area.startsWith('core') && /^node:(net|http|https|tls|dgram|fs|worker_threads|child_process)/.test(specifier))
      return `the core does no input or output (${specifier})`;
    return undefined;
  }
  if (areaOf(from) === 'main' || areaOf(from) === 'cli') return undefined;
  return DRIVERS[name].some((folder) => from.startsWith(`${folder}/`))
    ? undefined
    : `${name} is named only in ${DRIVERS[name].join(', ')}`;
}

/** Libraries and the web client: nothing of the server, and nothing of each other but the published library. */
function packageRefusal(file, resolved, specifier) {
  const own = /packages\/([^/]+)\//.exec(file)?.[1];
  const other = /packages\/([^/]+)\//.exec(resolved ?? '')?.[1];
  if (own === undefined) return undefined;
  if (other !== undefined && other !== own) return `packages/${own} may not reach into packages/${other}`;
  if (own === 'server') return undefined;
  if (specifier === 'tieline' || specifier.startsWith('tieline/')) return `packages/${own} may not import the server`;
  if (specifier.startsWith('@tieline/') && !(own === 'web' && specifier.startsWith('@tieline/appwebsocket')))
    return `packages/${own} may not import ${specifier}`;
  return undefined;
}

const isTest = (file) => /\.test\.ts$|\/(test|examples)\//.test(file);

export const importTable = {
  meta: { type: 'problem', schema: [], messages: { refused: 'Import table: {{reason}}.' } },
  create(context) {
    const file = context.filename.split(path.sep).join('/');
    if (isTest(file)) return {};
    const server = /packages\/server\/src\/(.+)$/.exec(file)?.[1];
    const check = (node) => {
      if (typeof node.source?.value !== 'string') return;
      const specifier = node.source.value;
      const resolved = specifier.startsWith('.') ? path.posix.join(path.posix.dirname(file), specifier) : undefined;
      let reason = packageRefusal(file, resolved, specifier);
      if (reason === undefined && server !== undefined) {
        const inside = /packages\/server\/src\/(.+)$/.exec(resolved ?? '')?.[1];
        reason = resolved === undefined ? driverRefusal(server, specifier) : inside && refusal(server, inside);
      }
      if (reason) context.report({ node, messageId: 'refused', data: { reason } });
    };
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
    };
  },
};

/** Over 300 lines a file needs a reason (ESLint warns); over 500 this fails. */
export const fileSize = {
  meta: { type: 'problem', schema: [], messages: { long: '{{lines}} lines: over 500 a file must be split.' } },
  create(context) {
    return {
      Program(node) {
        const lines = context.sourceCode.lines.length;
        if (lines > 500)
          context.report({ node, loc: { line: 500, column: 0 }, messageId: 'long', data: { lines: String(lines) } });
      },
    };
  },
};
