import {
  type CallEngine,
  type EngineAbilities,
  type EngineEvent,
  engineUnavailable,
  noSuchCall,
} from '../../core/calls/index.ts';
import { Listeners, type Stop } from '../../kit/index.ts';

/** An engine that a test or a demonstration plays: it notes what it is told and reports what it is given. */
export class FakeEngine implements CallEngine {
  readonly name: string;
  readonly listening = new Set<string>();
  /** Commands in the order of their coming, such as `dial 201 202`, `answer r1`, `listen 201`. */
  readonly commands: string[] = [];
  abilities: EngineAbilities;
  isConnected = true;
  readonly #events = new Listeners<EngineEvent>();
  readonly #live = new Set<string>();
  #next = 1;

  constructor(name = 'fake', abilities: Partial<EngineAbilities> = {}) {
    this.name = name;
    this.abilities = { reportsProgress: true, answer: true, hangup: true, hold: true, transfer: true, ...abilities };
  }

  onEvent(listener: (event: EngineEvent) => void): Stop {
    return this.#events.add(listener);
  }

  /** What has not ended stays known until it is reported ended. */
  report(event: Pick<EngineEvent, 'ref' | 'number'> & Partial<EngineEvent>): void {
    const whole: EngineEvent = { direction: 'inbound', state: 'ringing', peer: '', end: null, ...event };
    if (whole.state === 'ended') this.#live.delete(whole.ref);
    else this.#live.add(whole.ref);
    this.#events.emit(whole);
  }

  listen(number: string): void {
    if (this.listening.has(number)) return;
    this.listening.add(number);
    this.commands.push(`listen ${number}`);
  }

  unlisten(number: string): void {
    if (this.listening.delete(number)) this.commands.push(`unlisten ${number}`);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port's commands are asynchronous
  async dial({ from, to }: { readonly from: string; readonly to: string }): Promise<string | null> {
    if (!this.isConnected) throw engineUnavailable();
    this.commands.push(`dial ${from} ${to}`);
    const ref = `fake-${this.#next++}`;
    this.report({ ref, number: from, direction: 'outbound', peer: to });
    return ref;
  }

  answer(ref: string): Promise<void> {
    return this.#take('answer', ref);
  }

  hangup(ref: string): Promise<void> {
    return this.#take('hangup', ref);
  }

  hold(ref: string, on: boolean): Promise<void> {
    return this.#take(on ? 'hold' : 'retrieve', ref);
  }

  transfer(ref: string, to: { readonly number: string } | { readonly ref: string }): Promise<void> {
    return this.#take(`transfer to ${'number' in to ? to.number : to.ref}`, ref);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  async close(): Promise<void> {
    this.isConnected = false;
    for (const number of [...this.listening]) this.unlisten(number);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  async #take(command: string, ref: string): Promise<void> {
    if (!this.isConnected) throw engineUnavailable();
    if (!this.#live.has(ref)) throw noSuchCall();
    this.commands.push(`${command} ${ref}`);
  }
}
