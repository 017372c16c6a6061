import { expect, test } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import { MAX_DATAGRAM_REQUEST, createUserAgent, sdp } from '../../src/index.ts';
import type { IncomingCall, ListenerOptions, Protocol } from '../../src/index.ts';
import { freePorts } from '../peers/process.ts';
import { closing, openSide } from './stand.ts';

/** A pair whose callee listens by UDP and, on the same port, by TCP. */
async function pair(hasTcp: boolean): Promise<{ seen: Protocol[]; call: (size: number) => Promise<number> }> {
  const caller = await openSide({ protocols: ['udp', 'tcp'] });
  const port = await freePorts(1);
  const own = (protocol: Protocol): ListenerOptions => ({ protocol, address: '127.0.0.1', port });
  const callee = await openSide({ listeners: [own('udp'), ...(hasTcp ? [own('tcp')] : [])] });
  const seen: Protocol[] = [];
  const bob = closing(createUserAgent({ transports: callee.transports }), (agent) => agent.close());
  bob.on('invite', (call: IncomingCall) => {
    seen.push((call.invite.headers.via?.transport.toLowerCase() ?? '') as Protocol);
    call.answer({ body: sdp('v=0\r\n') });
  });
  const alice = closing(createUserAgent({ transports: caller.transports }), (agent) => agent.close());
  return {
    seen,
    async call(size) {
      const call = alice.invite(`sip:bob@127.0.0.1:${port}`, { body: sdp('x'.repeat(size)) });
      const { response } = await call.answered();
      call.hangup();
      await call.ended();
      return response.status;
    },
  };
}

test('trap 8, RFC 3261 18.1.1: a request over 1,300 bytes goes by TCP, a smaller one by UDP', async () => {
  const { seen, call } = await pair(true);
  expect(await call(100)).toBe(200);
  expect(await call(MAX_DATAGRAM_REQUEST)).toBe(200);
  expect(seen).toEqual(['udp', 'tcp']);
});

test('where the peer knows no TCP the request goes by UDP after all', async () => {
  const { seen, call } = await pair(false);
  expect(await call(MAX_DATAGRAM_REQUEST)).toBe(200);
  await until(() => seen.length === 1, 'the call');
  expect(seen).toEqual(['udp']);
});
