import type { IncomingMessage } from 'node:http';
import { type Static, type TObject, type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { User } from '../../core/directory/index.ts';
import type { Action } from '../../core/permissions/index.ts';
import type { Caller } from './callers.ts';
import { badRequest } from './errors.ts';
import { MAX_PARAMETER_CHARS, MAX_SMALL_BODY_BYTES } from './limits.ts';
import type { LiveStream } from './stream.ts';

/** What a handler is given besides its parsed parameters. */
export interface Asked {
  readonly caller: Caller;
  readonly raw: IncomingMessage;
  readonly idempotencyKey: string | null;
  /** Whose things the request is about, after the permission was checked. */
  account(): Promise<User>;
  /** The live chat stream that it acts through. @throws no-stream, also by rejecting */
  live(): LiveStream | Promise<LiveStream>;
  /** Another user by name or address. @throws unknown-user | bad-request */
  named(text: string): Promise<User>;
}

export type Ask<P extends TObject, Q extends TObject, B> = Asked & {
  readonly params: Static<P>;
  readonly query: Static<Q>;
  readonly body: B;
};

export interface Answer {
  readonly status?: number;
  /** Plain text. */
  readonly text?: string;
  /** An entity. */
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How the body of a request is read, and what the documentation says of it. */
export interface Body<B> {
  readonly kind: 'none' | 'text' | 'json';
  readonly schema: TSchema | null;
  readonly description: string;
  parse(text: string): B;
}

/**
 * Where a route stands. `stream` and `account`: as `{base}/chat/…` and as `{base}/chat/{streamid}/…` (OF §5.1), the first needs a
 * live stream, the second the account only. `plain`: just as it is written.
 */
export type RouteForm = 'stream' | 'account' | 'plain';

export interface RouteDocs {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below `{base}/chat`. Parameters as `:name`. */
  readonly path: string;
  readonly form: RouteForm;
  readonly summary: string;
  readonly params: TObject;
  readonly query: TObject;
  readonly bodyLimit: number;
  /** Success: its status and entity; a null schema is an empty body. */
  readonly answer: { readonly status: number; readonly schema: TSchema | null };
  /** Codes of the problems that a client should expect. */
  readonly problems: readonly string[];
}

export interface Route extends RouteDocs {
  readonly body: Pick<Body<unknown>, 'kind' | 'schema' | 'description'>;
  readonly permits: (account: User) => Action;
  run(
    asked: Asked,
    given: { readonly params: unknown; readonly query: unknown; readonly body: string },
  ): Promise<Answer>;
}

export interface RouteSpec<P extends TObject, Q extends TObject, B> {
  readonly method: RouteDocs['method'];
  readonly path: string;
  readonly form: RouteForm;
  readonly summary: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: Body<B>;
  readonly bodyLimit?: number;
  readonly answer: RouteDocs['answer'];
  readonly problems?: readonly string[];
  /** What the caller must be allowed for the account that the request is about. */
  readonly permits?: (account: User) => Action;
  handle(ask: Ask<P, Q, B>): Promise<Answer>;
}

const nothing = Type.Object({});

/** A route from its specification: the same schemas check requests and make the documentation. */
export function route<P extends TObject, Q extends TObject, B = undefined>(spec: RouteSpec<P, Q, B>): Route {
  const params: TObject = spec.params ?? nothing;
  const query: TObject = spec.query ?? nothing;
  const readParams = reader<P>(params);
  const readQuery = reader<Q>(query);
  const body = spec.body;
  return {
    method: spec.method,
    path: spec.path,
    form: spec.form,
    summary: spec.summary,
    params,
    query,
    body: body ?? { kind: 'none', schema: null, description: '' },
    bodyLimit: spec.bodyLimit ?? MAX_SMALL_BODY_BYTES,
    answer: spec.answer,
    problems: spec.problems ?? [],
    permits: spec.permits ?? ((account) => ({ do: 'chat', as: account.id })),
    run: (asked, given) =>
      spec.handle(
        Object.assign(asked, {
          params: readParams(given.params),
          query: readQuery(withoutEmpty(given.query)),
          // Without a body there is nothing to parse, and B is undefined.
          body: (body === undefined ? undefined : body.parse(given.body)) as B,
        }),
      ),
  };
}

/** Checks a value against a schema. @throws bad-request, naming the member */
function reader<T extends TSchema>(schema: TSchema): (value: unknown) => Static<T> {
  const validator = Compile(schema);
  return (value) => {
    if (validator.Check(value)) return value as Static<T>;
    const [first] = validator.Errors(value);
    const missing = first?.keyword === 'required' ? first.params.requiredProperties[0] : undefined;
    const member = missing ?? first?.instancePath.slice(1) ?? '';
    throw badRequest(
      member,
      `${member === '' ? 'The body' : `"${member}"`} ${first?.message ?? 'is not as it should be'}.`,
    );
  };
}

/** Raw text, whatever its Content-Type says (OF §1.2). */
export function textBody(description: string): Body<string> {
  return { kind: 'text', schema: Type.String(), description, parse: (text) => text };
}

/** An entity. Members that are null count as absent, unknown ones are ignored (OF §1.2); an empty body is `{}`. */
export function jsonBody<T extends TObject>(schema: T, description: string): Body<Static<T>> {
  const read = reader<T>(schema);
  return {
    kind: 'json',
    schema,
    description,
    parse(text) {
      const trimmed = text.trim();
      if (trimmed === '') return read({});
      let value: unknown;
      try {
        value = JSON.parse(trimmed);
      } catch (error) {
        if (error instanceof SyntaxError) throw badRequest('', 'The body is no JSON.');
        throw error;
      }
      return read(withoutNulls(value));
    },
  };
}

/** `?to=&max=`: forms and generated clients send what was left empty. */
function withoutEmpty(query: unknown): unknown {
  if (typeof query !== 'object' || query === null || !Object.values(query).includes('')) return query;
  return Object.fromEntries(Object.entries(query).filter(([, text]) => text !== ''));
}

function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
}

/** Plain text rather than an entity. */
export function isTextSchema(schema: TSchema): boolean {
  return 'type' in schema && schema.type === 'string';
}

/** A parameter in a path or query. */
export const parameter = (description: string) => Type.String({ description, maxLength: MAX_PARAMETER_CHARS });
/** A number in a query. */
export const count = (description: string) => Type.String({ description, pattern: '^[0-9]{1,6}$' });
