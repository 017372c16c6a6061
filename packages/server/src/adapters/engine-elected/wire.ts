import type { EngineAbilities, TransferTarget } from '../../core/calls/index.ts';
import type { Json } from '../../kit/index.ts';

/** What a node asks the holder to do. Refs are the elected engine's own. */
export type Command =
  | { readonly do: 'dial'; readonly from: string; readonly to: string }
  | { readonly do: 'answer' | 'hangup'; readonly ref: string }
  | { readonly do: 'hold'; readonly ref: string; readonly on: boolean }
  | { readonly do: 'transfer'; readonly ref: string; readonly to: TransferTarget };

/** Numbers that a node listens to: all of them in place of what it had said (`from-now-on`), more, or fewer. */
export type Listening = {
  readonly how: 'from-now-on' | 'more' | 'less';
  readonly numbers: readonly string[];
};

/** How the holder stands. */
export type Standing = {
  readonly isConnected: boolean;
  readonly abilities: EngineAbilities;
  /** So many of the asker's numbers it knows. */
  readonly numbers: number;
};

export const NO_ABILITIES: EngineAbilities = {
  reportsProgress: false,
  answer: false,
  hangup: false,
  hold: false,
  transfer: false,
};

export function encodeStanding({ isConnected, abilities, numbers }: Standing): Json {
  return { isConnected, abilities: { ...abilities }, numbers };
}

/** The three that follow read what a node of this cluster has written. */
export function decodeStanding(json: Json): Standing {
  return json as unknown as Standing;
}

export function decodeListening(json: Json): Listening {
  return json as unknown as Listening;
}

export function decodeCommand(json: Json): Command {
  return json as unknown as Command;
}
