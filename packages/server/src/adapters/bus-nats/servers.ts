import type { ConnectionOptions } from '@nats-io/transport-node';

/** PEM files: the authority of NATS' certificates, and our own certificate with its key. */
export interface BusTls {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

type Credentials = Pick<ConnectionOptions, 'user' | 'pass' | 'token'>;

/** The servers of `bus.url`, and the first credentials in it, which are those of all. `hosts` may be shown. */
export function serversOf(url: string): Credentials & { readonly servers: string[]; readonly hosts: string } {
  const urls = url.split(',').map((one) => new URL(one.trim()));
  const servers = urls.map(({ hostname, port }) => `${hostname}:${port === '' ? 4_222 : port}`);
  const { username = '', password = '' } = urls.find((one) => one.username !== '') ?? {};
  const [name, secret] = [decodeURIComponent(username), decodeURIComponent(password)];
  const credentials = name === '' ? {} : secret === '' ? { token: name } : { user: name, pass: secret };
  return { ...credentials, servers, hosts: servers.join(', ') };
}

/** With `tls://`, or with files, the connection is TLS or there is none. */
export function tlsOf(url: string, tls: BusTls | undefined): Pick<ConnectionOptions, 'tls'> {
  const { ca = null, cert = null, key = null } = tls ?? {};
  if (!url.includes('tls://') && ca === null && cert === null) return {};
  return {
    tls: {
      ...(ca === null ? {} : { caFile: ca }),
      ...(cert === null || key === null ? {} : { certFile: cert, keyFile: key }),
    },
  };
}
