import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';

export interface Certificate {
  /** PEM files. */
  readonly cert: string;
  readonly key: string;
}

/** A self-signed certificate for `localhost` and 127.0.0.1 in `folder`, made by openssl. `name` is its common name. */
export function makeCertificate(folder: string, name: string): Certificate {
  const made = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...key, ...subject, '-keyout', made.key, '-out', made.cert], {
    stdio: 'ignore',
  });
  return made;
}

/** Every client of this process trusts these as well, as one does whose system knows the authority. */
export function trust(...certificates: readonly Certificate[]): void {
  setDefaultCACertificates([
    ...getCACertificates('default'),
    ...certificates.map(({ cert }) => readFileSync(cert, 'utf8')),
  ]);
}
