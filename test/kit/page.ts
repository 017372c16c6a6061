import { spawn } from 'node:child_process';

/** The block of code behind a mark of a page: `<!-- mark -->`, and the fence below it. Pages lose no example unnoticed. */
export function exampleOf(page: string, mark: string): string {
  const [, block] = page.split(`<!-- ${mark} -->\n`);
  const example = /^```\w*\n([\s\S]*?)^```$/m.exec(block ?? '')?.[1];
  if (example === undefined) throw new Error(`The page has lost its example "${mark}".`);
  return example;
}

/** `text` with each key replaced by its value; each must be there. */
export function replaced(text: string, by: Readonly<Record<string, string>>): string {
  return Object.entries(by).reduce((so, [from, to]) => {
    if (!so.includes(from)) throw new Error(`The example has lost "${from}".`);
    return so.replaceAll(from, to);
  }, text);
}

/** Runs a page's example as one types it, and stops at the first command that fails. */
export async function shell(
  script: string,
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn('bash', ['-e', '-c', script], options);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output };
}
