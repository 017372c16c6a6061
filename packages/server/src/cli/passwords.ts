import { Problem, randomIds } from '../kit/index.ts';
import type { Console } from './console.ts';

export interface PasswordSource {
  /** Take the first line of standard input. */
  readonly passwordStdin?: boolean;
  /** Make one. */
  readonly generate?: boolean;
}

export interface Password {
  readonly text: string;
  /** It was made here and nobody has seen it yet. */
  readonly isNew: boolean;
}

/** 16 characters. */
const GENERATED_BITS = 96;

/**
 * A password from standard input, from whoever sits there, or made: never from the command line, where every user of the
 * machine can read it. An empty answer means: make one.
 */
export async function obtainPassword(source: PasswordSource, console: Console, what: string): Promise<Password> {
  if (source.passwordStdin === true) {
    const text = await console.readLine();
    if (text === '') throw new Problem('no-password', 'There is no password on standard input.');
    return { text, isNew: false };
  }
  if (source.generate === true || !console.canAsk) return generated();
  const text = await console.askSecretly(`Password of ${what} (empty: make one): `);
  if (text === '') return generated();
  if ((await console.askSecretly('Once more: ')) !== text)
    throw new Problem('passwords-differ', 'The two passwords differ.');
  return { text, isNew: false };
}

function generated(): Password {
  return { text: randomIds.secret(GENERATED_BITS), isNew: true };
}

/** Shows a password that was made here: now or never. */
export function sayPassword(console: Console, what: string, { text, isNew }: Password): void {
  if (isNew) console.say(`Password of ${what}: ${text}  (shown this once)`);
}
