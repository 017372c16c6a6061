import type { Config } from '../config/index.ts';
import { Problem } from '../kit/index.ts';
import type { Administration, SealedUnder } from './administration.ts';
import type { Console } from './console.ts';
import { tableOf } from './table.ts';

/** `tieline secrets list`: what is sealed under which key. */
export async function listSecrets(administration: Administration, console: Console): Promise<void> {
  const rows = await administration.sealedSecrets();
  console.say(tableOf(rows.map((row) => ({ key: row.key, secrets: row.secrets, '': wordsFor(row) }))));
}

/** `tieline secrets rotate`: seals everything under the first key. @throws key-missing where some could not be opened */
export async function rotateSecrets(
  administration: Administration,
  { secretKeys, secretKeyFile }: Pick<Config, 'secretKeys' | 'secretKeyFile'>,
  console: Console,
): Promise<void> {
  const resealed = await administration.rotateSecrets();
  console.say(`Secrets sealed anew: ${resealed}.`);
  const place = secretKeys.length === 0 ? `the first line of ${secretKeyFile}` : 'the first of secretKey';
  const lost = (await administration.sealedSecrets()).filter(({ isHere }) => !isHere);
  if (lost.length > 0)
    throw new Problem('key-missing', 'Some secrets are sealed under keys that are not here.', {
      subject: lost.map(({ key }) => key).join(', '),
    });
  console.say(`The key that seals is ${place}. Those behind it open older backups; without these they can go.`);
}

function wordsFor({ seals, isHere, secrets }: SealedUnder): string {
  if (!isHere) return 'NOT HERE: these secrets cannot be opened';
  if (seals) return 'seals';
  return secrets === 0 ? 'nothing needs it but older backups' : 'opens';
}
