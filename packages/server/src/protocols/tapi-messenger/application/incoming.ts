import type { Call } from '../../../core/calls/index.ts';
import { SharedMessage } from '../stomp/index.ts';
import type { TapiMessengerSettings } from '../settings.ts';

/** What calls look like on this surface; each call's messages are made once for all its listeners. */
export class CallMessages {
  readonly #settings: TapiMessengerSettings['caller'];
  readonly #callers = new WeakMap<Call, SharedMessage>();
  readonly #states = new WeakMap<Call, SharedMessage>();

  constructor(settings: TapiMessengerSettings['caller']) {
    this.#settings = settings;
  }

  /** TM AP-15: exactly these two members, in this order; the number verbatim as the telephone system gave it. */
  caller(call: Call): SharedMessage {
    const known = this.#callers.get(call);
    if (known !== undefined) return known;
    const { unknownName, lookup } = this.#settings;
    const name = lookup ? (call.peerName ?? unknownName) : unknownName;
    const message = SharedMessage.json({ name, phone: call.peer });
    this.#callers.set(call, message);
    return message;
  }

  /** TM §5.5, and ours: `HELD`, `direction`, `name`. */
  state(call: Call): SharedMessage {
    const known = this.#states.get(call);
    if (known !== undefined) return known;
    const message = SharedMessage.json({
      callId: call.id,
      state: stateName(call),
      phone: call.peer,
      own: call.number,
      direction: call.direction,
      name: call.peerName,
    });
    this.#states.set(call, message);
    return message;
  }
}

function stateName(call: Call): string {
  switch (call.state) {
    case 'ringing':
      return 'RINGING';
    case 'connected':
      return 'CONNECTED';
    case 'held':
      return 'HELD';
    case 'ended':
      if (call.end === 'missed') return 'MISSED';
      return call.end === 'elsewhere' ? 'ANSWERED_ELSEWHERE' : 'ENDED';
  }
}
