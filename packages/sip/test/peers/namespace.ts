import { execFileSync } from 'node:child_process';

/** A network of its own for programs that bind to every address; a cable leads to us. Needs root. */
export interface Namespace {
  readonly name: string;
  /** Our end, and theirs. */
  readonly outside: string;
  readonly inside: string;
  /** What to put before a command that shall run inside. */
  readonly prefix: readonly string[];
  close(): void;
}

export const canMakeNamespaces = process.getuid?.() === 0;

let count = 0;

export function openNamespace(): Namespace {
  const id = `${process.pid}${(count += 1)}`.slice(-8);
  const name = `tieline${id}`;
  const [near, far] = [`tlo${id}`, `tli${id}`];
  const net = `198.18.${process.pid % 250}.${4 * (count % 60)}`.replace(/\d+$/, (last) => String(Number(last)));
  const [outside, inside] = [1, 2].map((n) => net.replace(/\d+$/, (last) => String(Number(last) + n)));
  if (outside === undefined || inside === undefined) throw new Error(net);
  const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: 'pipe' });
  const prefix = ['ip', 'netns', 'exec', name];
  ip('netns', 'add', name);
  try {
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far);
    ip('link', 'set', far, 'netns', name);
    ip('addr', 'add', `${outside}/30`, 'dev', near);
    ip('link', 'set', near, 'up');
    ip('netns', 'exec', name, 'ip', 'link', 'set', 'lo', 'up');
    ip('netns', 'exec', name, 'ip', 'addr', 'add', `${inside}/30`, 'dev', far);
    ip('netns', 'exec', name, 'ip', 'link', 'set', far, 'up');
  } catch (error) {
    ip('netns', 'del', name);
    throw error;
  }
  return { name, outside, inside, prefix, close: () => ip('netns', 'del', name) };
}
