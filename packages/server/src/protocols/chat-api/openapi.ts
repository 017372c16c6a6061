import type { TSchema } from 'typebox';
import { TRANSLATIONS } from './errors.ts';
import { BASES, pathsOf } from './router.ts';
import { isTextSchema, type Route } from './route.ts';
import { ErrorShape } from './routes/shapes.ts';
import { EVENT_CATALOGUE } from './sse/events.ts';

type Node = Readonly<Record<string, unknown>>;

const jsonContent = (schema: TSchema | Node): Node => ({ 'application/json': { schema } });
const errorRef = { $ref: '#/components/schemas/Error' };

/** The OpenAPI 3.1 document of these routes and of the event stream, made of the schemas that check them. */
export function openApiOf(routes: readonly Route[], version: string): Node {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes)
    for (const path of pathsOf(route)) {
      const key = path.replace(/:([A-Za-z]+)/g, '{$1}');
      paths[key] = { ...paths[key], [route.method.toLowerCase()]: operationOf(route, path) };
    }
  return {
    openapi: '3.1.0',
    info: { title: 'Tieline Chat API', version, description: 'REST and Server-Sent Events. See docs/chat-api.md.' },
    servers: BASES.map((url) => ({ url })),
    security: [{ basic: [] }, { bearer: [] }, { secret: [] }],
    paths: { ...paths, '/sse/{user}': { ...eventPath, servers: [{ url: '/' }] } },
    components: {
      schemas: { Error: ErrorShape },
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic' },
        bearer: { type: 'http', scheme: 'bearer', description: '`X-Session-Token` of the login.' },
        secret: { type: 'apiKey', in: 'header', name: 'Authorization', description: 'The shared secret, as it is.' },
      },
    },
    'x-sse-events': EVENT_CATALOGUE.map(({ event, schemas, isReplayed }) => ({ event, isReplayed, schemas })),
  };
}

function operationOf(route: Route, path: string): Node {
  const { schema } = route.answer;
  const content =
    schema === null ? {} : { content: isTextSchema(schema) ? { 'text/plain': { schema } } : jsonContent(schema) };
  return {
    summary: route.summary,
    tags: [path.split('/').find((part) => part !== '' && part !== 'chat' && !part.startsWith(':')) ?? 'chat'],
    parameters: [...pathParameters(route, path), ...queryParameters(route)],
    ...(route.body.kind === 'none' ? {} : { requestBody: requestBodyOf(route) }),
    responses: { [route.answer.status]: { description: 'Done.', ...content }, ...problemsOf(route) },
  };
}

function pathParameters(route: Route, path: string): readonly Node[] {
  const names = [...path.matchAll(/:([A-Za-z]+)/g)].map(([, name = '']) => name);
  return names.map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: route.params.properties[name] ?? {
      type: 'string',
      description: 'The chat stream, as the login answered it.',
    },
  }));
}

function queryParameters(route: Route): readonly Node[] {
  // Absent where every member is optional, whatever its type says.
  const required = new Set<string>(route.query.required ?? []);
  return Object.entries(route.query.properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.has(name),
    schema,
  }));
}

function requestBodyOf({ body }: Route): Node {
  const type = body.kind === 'json' ? 'application/json' : 'text/plain';
  return { description: body.description, content: { [type]: { schema: body.schema } } };
}

/** Problems by their status; 401 may always come. */
function problemsOf(route: Route): Node {
  const byStatus = new Map<number, string[]>([[401, ['bad-credentials']]]);
  for (const code of route.problems) {
    const status = TRANSLATIONS[code]?.status ?? 400;
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [status, { description: codes.join(', '), content: jsonContent(errorRef) }]),
  );
}

const eventPath: Node = {
  get: {
    summary: "The user's events (`x-sse-events`). Comes after the login.",
    parameters: [
      { name: 'user', in: 'path', required: true, schema: { type: 'string' } },
      { name: 'Last-Event-ID', in: 'header', schema: { type: 'string' } },
      {
        name: 'lastEventId',
        in: 'query',
        schema: { type: 'string', description: 'The same, for clients without headers.' },
      },
      { name: 'ticket', in: 'query', schema: { type: 'string', description: 'Instead of credentials, once.' } },
    ],
    responses: {
      200: { description: 'The stream.', content: { 'text/event-stream': { schema: { type: 'string' } } } },
      401: { description: 'bad-credentials', content: jsonContent(errorRef) },
      403: { description: 'forbidden', content: jsonContent(errorRef) },
      404: { description: 'no-event-stream', content: jsonContent(errorRef) },
    },
  },
};
