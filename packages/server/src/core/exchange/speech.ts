import { Problem, problemOf } from '../../kit/index.ts';
import type { ChatState, Conversations } from '../conversations/index.ts';
import type { Party } from './model.ts';
import type { LegText, LegUser, Terminal } from './ports.ts';

/** One end of a chat call: whose it is, and through what he speaks. */
export interface Speaker {
  readonly terminal: Terminal;
  readonly user: LegUser | null;
  readonly from: Party;
  readonly to: Party;
}

/** What is said on a call goes through the conversations, as from any surface. */
export interface Speech {
  text(speaker: Speaker, text: LegText): void;
  chatState(speaker: Speaker, state: ChatState): void;
}

export function createSpeech(conversations: Pick<Conversations, 'send' | 'typing'>): Speech {
  return {
    text({ terminal, user, from, to }, text) {
      const { actor, resource } = terminal;
      const { type, body, attach, data, idempotencyKey } = text;
      terminal.underWay?.(1);
      conversations.send(actor, from.user, { to: to.user, type, body, attach, data, resource, idempotencyKey }).then(
        (sent) => {
          terminal.underWay?.(-1);
          user?.textTaken(sent.message, idempotencyKey);
        },
        (error: unknown) => {
          terminal.underWay?.(-1);
          user?.textFailed(
            error instanceof Problem ? error : new Problem('failure', 'The text could not be taken.', { cause: error }),
          );
        },
      );
    },
    chatState({ terminal: { actor, resource }, from, to }, state) {
      try {
        conversations.typing(actor, from.user, { to: to.user, resource, state });
      } catch (error) {
        problemOf(error);
      }
    },
  };
}
