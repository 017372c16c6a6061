import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { Gate } from './gate.ts';
import { foundIn, type Lookup, parseJson } from './model.ts';

/**
 * Requests at once: more would not make one server answer sooner.
 * @peer waits
 * @test tapi-lookup: look-ups at once
 */
const MAX_AT_ONCE = 32;
/**
 * Waiting lookups: every session of a full node at once.
 * @peer listen fails
 * @test tapi-lookup: look-ups at once
 */
const MAX_WAITING = 20_000;
/**
 * An answer is two short texts.
 * @peer listen fails
 * @test tapi-lookup: 200, 404, and everything else
 */
const MAX_ANSWER_BYTES = 16_384;
const ANSWER = Type.Object({
  phone: Type.Union([Type.String(), Type.Null()]),
  user: Type.Optional(Type.Union([Type.String(), Type.Null()])),
});

/** Application sessions by HTTP: 200 `{"phone","user"?}`, 404 none, anything else a failure (TM DB-4). @throws Error for a bad address */
export function httpLookup(options: { readonly url: string }): Lookup {
  checkAddress(options.url);
  const gate = new Gate(MAX_AT_ONCE, MAX_WAITING);
  const ended = new AbortController();

  async function ask(session: string, signal: AbortSignal): Promise<unknown> {
    const url = options.url.replaceAll('{session}', encodeURIComponent(session));
    const answer = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } });
    if (answer.status === 200) return parseJson(await textOf(answer), 'the answer');
    await answer.body?.cancel();
    if (answer.status === 404) return null;
    throw new Error(`the lookup answered ${answer.status}`);
  }

  return {
    async find(session, signal) {
      const either = AbortSignal.any([signal, ended.signal]);
      const answer = await gate.run(either, () => ask(session, either));
      if (answer === null) return null;
      if (!Value.Check(ANSWER, answer)) throw new Error('the lookup answered something else than a telephone');
      return foundIn([{ phone: answer.phone, user: answer.user ?? null }]);
    },
    close() {
      ended.abort();
      return Promise.resolve();
    },
  };
}

/** What `fetch` refuses it refuses with the whole address in its error, session and all (TM DB-5). */
function checkAddress(text: string): void {
  const url = URL.parse(text.replaceAll('{session}', 'x'));
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new Error('tapi.lookup.http.url is no address of http or https');
  if (url.username !== '' || url.password !== '') throw new Error('tapi.lookup.http.url may hold no credentials');
}

/** The body, as far as it is short. */
async function textOf(answer: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > MAX_ANSWER_BYTES) throw new Error('the lookup answered too much');
  }
  return text;
}
