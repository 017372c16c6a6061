import type { Static } from 'typebox';
import type { Message } from '../../core/conversations/index.ts';
import { isoTime } from './call-view.ts';
import { bareJid, fullJid } from './jid.ts';
import type { Names } from './names.ts';
import type { ConversationShape, HistoryMessageShape } from './routes/shapes.ts';
import { plainBody, postedData } from './sse/encode.ts';

/** Openfire's archive calls it one conversation as long as nobody is silent for longer … */
const GAP_MS = 10 * 60_000;
/** … and it has not lasted longer (OF §5.5). */
const LENGTH_MS = 60 * 60_000;

export interface ViewParts {
  readonly names: Names;
  readonly domain: string;
}

type View = Static<typeof ConversationShape>;

/** Messages as the archive of the originals shows them: oldest first, cut into conversations. @param messages newest first */
export async function conversationsOf(messages: readonly Message[], parts: ViewParts): Promise<readonly View[]> {
  return Promise.all(cutIntoTalks([...messages].reverse()).map((talk) => viewOf(talk, parts)));
}

/** Runs of messages of the same two people without a long silence, in the order of their beginnings. Never empty ones. */
export function cutIntoTalks(messages: readonly Message[]): readonly (readonly Message[])[] {
  const talks: Message[][] = [];
  const open = new Map<string, Message[]>();
  for (const message of messages) {
    const current = open.get(message.conversation);
    if (current !== undefined && isGoingOn(current, message)) current.push(message);
    else {
      const fresh = [message];
      talks.push(fresh);
      open.set(message.conversation, fresh);
    }
  }
  return talks;
}

function isGoingOn(talk: readonly Message[], next: Message): boolean {
  const first = talk[0]?.at ?? next.at;
  const last = talk.at(-1)?.at ?? next.at;
  return next.at - last <= GAP_MS && next.at - first <= LENGTH_MS;
}

async function viewOf(talk: readonly Message[], parts: ViewParts): Promise<View> {
  const conversationID = idOf(talk[0]?.id ?? '');
  const shown = await Promise.all(talk.map((message) => messageView(message, conversationID, parts)));
  return {
    conversationID,
    external: false,
    startDate: isoTime(talk[0]?.at ?? null),
    lastActivity: isoTime(talk.at(-1)?.at ?? null),
    messageCount: talk.length,
    participantList: [...new Set(shown.flatMap(({ from, to }) => [from, to]))],
    messages: { message: shown },
  };
}

async function messageView(
  message: Message,
  conversationID: number,
  { names, domain }: ViewParts,
): Promise<Static<typeof HistoryMessageShape>> {
  return {
    conversationID,
    from: fullJid(await names.of(message.sender), domain, message.resource),
    to: bareJid(await names.of(message.recipient), domain),
    sentDate: isoTime(message.at),
    body: plainBody(message),
    roomEvent: false,
    id: message.id,
    data: postedData(message),
    ...(message.type === 'text/html' ? { html: message.body } : {}),
    ...(message.attach.length === 0 ? {} : { attach: [...message.attach] }),
  };
}

/** Clients want a whole number (OF §5.5): 31 bits of the first message's id, the same as long as that is the first. FNV-1a. */
function idOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return hash >>> 1;
}
