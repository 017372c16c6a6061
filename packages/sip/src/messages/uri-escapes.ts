/** Characters a user part may hold unescaped (RFC 3261 25.1, user-unreserved and unreserved). */
export function escapeUser(text: string): string {
  if (/^[A-Za-z0-9\-_.!~*'()&=+$,;?/]*$/.test(text)) return text;
  let out = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const c = String.fromCharCode(byte);
    out += /[A-Za-z0-9\-_.!~*'()&=+$,;?/]/.test(c) ? c : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** Without escapes; as it was where these are no UTF-8. */
export function unescape(text: string): string {
  if (!text.includes('%')) return text;
  const bytes = Buffer.from(
    text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  );
  const decoded = bytes.toString('utf8');
  return decoded.includes('�') ? text : decoded;
}
