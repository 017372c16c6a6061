import { afterEach, expect, test } from 'vitest';
import { installCors } from './cors.ts';
import { Http } from './http.ts';

const opened: Http[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((h) => h.close()));
});

async function start(allowedOrigins: string[]): Promise<string> {
  const http = new Http({ listen: [{ host: '127.0.0.1', port: 0 }], allowedOrigins });
  opened.push(http);
  await http.app.register(
    async (scope) => {
      installCors(scope, {
        origins: http.origins,
        methods: ['GET', 'POST'],
        headers: ['authorization'],
        exposed: ['location'],
      });
      scope.get('/x', () => 'ok');
      scope.post('/x', () => 'done');
      scope.get('/bad', () => {
        throw new Error('bad');
      });
    },
    { prefix: '/api' },
  );
  await http.listen();
  return http.urls[0]!;
}

const seen = (answer: Response): unknown[] => [
  answer.status,
  answer.headers.get('access-control-allow-origin'),
  answer.headers.get('access-control-allow-credentials'),
];

const APP = 'https://app.example.com';

test.each([
  ['no origin', [APP], undefined, 'GET', [200, '*', null]],
  ['a listed origin', [APP], APP, 'GET', [200, APP, 'true']],
  ['a listed origin, writing', [APP], APP, 'POST', [200, APP, 'true']],
  ['a foreign origin, reading', [APP], 'https://evil.example', 'GET', [200, null, null]],
  ['a foreign origin, writing', [APP], 'https://evil.example', 'POST', [403, null, null]],
  ['an opaque origin, writing', [], 'null', 'POST', [403, null, null]],
  ['any origin under a star: never with credentials', ['*'], 'https://evil.example', 'POST', [200, '*', null]],
])('%s', async (_name, allowed, origin, method, expected) => {
  const url = await start(allowed);
  const headers: Record<string, string> = origin === undefined ? {} : { origin };
  const answer = await fetch(`${url}/api/x`, { method, headers });
  expect(seen(answer)).toEqual(expected);
  expect(answer.headers.get('vary')).toBe('Origin');
  await answer.text();
});

test('the own origin needs no listing', async () => {
  const url = await start([]);
  const answer = await fetch(`${url}/api/x`, { method: 'POST', headers: { origin: url } });
  expect(seen(answer)).toEqual([200, url, 'true']);
});

test('a preflight is an empty 200 without authentication; errors carry the headers too; other scopes have none', async () => {
  const url = await start([APP]);
  const preflight = await fetch(`${url}/api/any/where`, { method: 'OPTIONS', headers: { origin: APP } });
  expect(seen(preflight)).toEqual([200, APP, 'true']);
  expect(preflight.headers.get('access-control-allow-methods')).toBe('GET, POST');
  expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization');
  expect(preflight.headers.get('access-control-expose-headers')).toBe('location');
  expect(await preflight.text()).toBe('');
  expect(seen(await fetch(`${url}/api/bad`, { headers: { origin: APP } }))).toEqual([500, APP, 'true']);
  expect(seen(await fetch(`${url}/healthz`, { headers: { origin: APP } }))).toEqual([404, null, null]);
});
