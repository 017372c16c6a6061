import { RequestError, type Client } from '../api/client.ts';
import type { Call } from '../state/model.ts';
import type { Action } from '../state/reduce.ts';
import type { Timers } from './timers.ts';

/** How long an ended call is still shown. */
const ENDED_CALL_MS = 4_000;

export interface CallDeskParts {
  readonly timers: Timers;
  readonly newKey: () => string;
  readonly dispatch: (action: Action) => void;
  /** Ends the session where the error says so, else dispatches. */
  readonly failed: (error: RequestError, otherwise: Action) => void;
  /** Runs it with the client, where somebody is signed in, and says what went wrong. @returns whether nothing did */
  readonly attempt: (run: (client: Client) => Promise<unknown>, how?: 'aloud' | 'quietly') => Promise<boolean>;
}

/** The user's calls: what the server tells of them, and what the user does with them. */
export class CallDesk {
  readonly #parts: CallDeskParts;

  constructor(parts: CallDeskParts) {
    this.#parts = parts;
  }

  told(call: Call | null): void {
    if (call === null) return;
    const { dispatch, timers } = this.#parts;
    dispatch({ do: 'call', call });
    if (call.state === 'HANGUP') timers.after(ENDED_CALL_MS, () => dispatch({ do: 'call-forgotten', id: call.id }));
  }

  recorded(call: Call | null): void {
    if (call !== null) this.#parts.dispatch({ do: 'records', calls: [call] });
  }

  /** Asks for all live calls after the event stream was opened for the `opening`th time. */
  async refresh(opening: number): Promise<void> {
    await this.#parts.attempt(async (client) => {
      this.#parts.dispatch({ do: 'calls-listed', calls: await client.calls(), opening });
    }, 'quietly');
  }

  /** @returns whether the call goes out */
  async dial(to: string): Promise<boolean> {
    const key = this.#parts.newKey();
    return this.#parts.attempt((client) => client.dial(to, key));
  }

  async answer(call: string): Promise<void> {
    await this.#command(call, (client) => client.answer(call), 'Answer it on your telephone.');
  }

  async hangUp(call: string): Promise<void> {
    await this.#command(call, (client) => client.hangUp(call), 'End it on your telephone.');
  }

  /** Takes it off the screen; it goes on. */
  dismiss(call: string): void {
    this.#parts.dispatch({ do: 'call-forgotten', id: call });
  }

  /** The effect of a command shows as an event; what refuses it is said at the call. */
  async #command(id: string, command: (client: Client) => Promise<void>, elsewhere: string): Promise<void> {
    const mark = (isBusy: boolean, problem: string | null): Action => ({
      do: 'call-marked',
      id,
      mark: { isBusy, problem },
    });
    await this.#parts.attempt(async (client) => {
      this.#parts.dispatch(mark(true, null));
      try {
        await command(client);
        this.#parts.dispatch(mark(false, null));
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        if (error.status === 404) this.dismiss(id);
        else this.#parts.failed(error, mark(false, error.status === 501 ? elsewhere : error.message));
      }
    });
  }
}
