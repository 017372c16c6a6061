import type { Clock } from '../clock/index.ts';
import type { DialogTable, SessionTimerPolicy } from '../dialogs/index.ts';
import type { Ids } from '../ids/index.ts';
import type { Headers, SipRequest } from '../messages/index.ts';
import type { ServerTransaction } from '../transactions/index.ts';
import type { Flow } from '../transport/index.ts';
import type { OutboundGround } from './outbound.ts';

/** Who takes the requests of a dialog. */
export interface DialogUser {
  /** A request with this dialog's tags; never an ACK. */
  onRequest(transaction: ServerTransaction, request: SipRequest): void;
  onAck?(ack: SipRequest): void;
  /** The agent closes: everything stops at once. */
  drop(): void;
}

export interface AgentSettings {
  /** User part of our Contact. */
  readonly contactUser: string | undefined;
  /** User-Agent and Server. */
  readonly product: string | undefined;
  readonly sessionTimer: SessionTimerPolicy;
  readonly reliableProvisionals: 'off' | 'supported';
}

/** What calls, subscriptions and registrations stand on; the agent implements it. */
export interface AgentGround extends OutboundGround {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: () => number;
  readonly dialogs: DialogTable<DialogUser>;
  readonly settings: AgentSettings;
  /** Methods that we take, for Allow. */
  readonly allow: string;
  /** Option tags that we know, for Supported. */
  readonly supported: string;
}

/** Our address on a flow, as others reach us. */
export function contactOn(flow: Flow, user: string | undefined, scheme = 'sip'): string {
  const { address, port } = flow.local;
  const host = address.includes(':') ? `[${address}]` : address;
  const transport = flow.protocol === 'udp' ? '' : `;transport=${flow.protocol === 'wss' ? 'ws' : flow.protocol}`;
  return `<${scheme}:${user === undefined ? '' : `${user}@`}${host}:${port}${transport}>`;
}

/** Headers by name; a list gives several lines. */
export type ExtraHeaders = Readonly<Record<string, string | number | readonly string[]>>;

export function addHeaders(headers: Headers, extra: ExtraHeaders | undefined): void {
  if (extra === undefined) return;
  for (const [name, value] of Object.entries(extra)) {
    if (typeof value !== 'object') headers.set(name, value);
    else for (const one of value) headers.add(name, one);
  }
}
