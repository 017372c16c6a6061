import { sdp, textOf, type Body } from './body.ts';

/**
 * The body as the next description in a dialog whose latest one from our side was `before`: one origin with a rising version, whoever
 * speaks (RFC 3264 8). For back-to-back agents that join the same phone with another one. What is no SDP stays as it is.
 */
export function nextDescription(before: Body | undefined, body: Body): Body {
  if (before === undefined) return body;
  const [, id, version, rest] = /^o=(\S+ \S+) (\d{1,20}) ([^\r\n]*)/m.exec(textOf(before)) ?? [];
  const text = textOf(body);
  if (id === undefined || version === undefined || text.includes(`o=${id} `)) return body;
  return sdp(text.replace(/^o=[^\r\n]*/m, () => `o=${id} ${BigInt(version) + 1n} ${rest ?? ''}`));
}
