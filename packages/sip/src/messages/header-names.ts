/** Long names with their compact forms (RFC 3261 7.3.3, 20; RFC 3515, 3841, 4028, 4538, 3892, 6665, 3265). */
const LONG_NAMES: readonly (readonly [name: string, compact?: string])[] = [
  ['Via', 'v'],
  ['From', 'f'],
  ['To', 't'],
  ['Call-ID', 'i'],
  ['CSeq'],
  ['Contact', 'm'],
  ['Max-Forwards'],
  ['Content-Length', 'l'],
  ['Content-Type', 'c'],
  ['Content-Encoding', 'e'],
  ['Route'],
  ['Record-Route'],
  ['Path'],
  ['Service-Route'],
  ['Expires'],
  ['Min-Expires'],
  ['Subject', 's'],
  ['Supported', 'k'],
  ['Require'],
  ['Proxy-Require'],
  ['Unsupported'],
  ['Allow'],
  ['Allow-Events', 'u'],
  ['Event', 'o'],
  ['Refer-To', 'r'],
  ['Referred-By', 'b'],
  ['Replaces'],
  ['Session-Expires', 'x'],
  ['Min-SE'],
  ['Accept'],
  ['Accept-Contact', 'a'],
  ['Reject-Contact', 'j'],
  ['Request-Disposition', 'd'],
  ['Accept-Encoding'],
  ['Accept-Language'],
  ['Alert-Info'],
  ['Call-Info'],
  ['Error-Info'],
  ['Authorization'],
  ['Proxy-Authorization'],
  ['WWW-Authenticate'],
  ['Proxy-Authenticate'],
  ['Authentication-Info'],
  ['Content-Disposition'],
  ['Content-Language'],
  ['Date'],
  ['Flow-Timer'],
  ['Identity', 'y'],
  ['In-Reply-To'],
  ['MIME-Version'],
  ['Organization'],
  ['P-Asserted-Identity'],
  ['P-Preferred-Identity'],
  ['Privacy'],
  ['Priority'],
  ['RAck'],
  ['RSeq'],
  ['Reason'],
  ['Reply-To'],
  ['Retry-After'],
  ['Server'],
  ['Subscription-State'],
  ['Timestamp'],
  ['User-Agent'],
  ['Warning'],
  ['Diversion'],
  ['History-Info'],
];

const BY_SPELLING: ReadonlyMap<string, string> = new Map(
  LONG_NAMES.flatMap(([name, compact]) => [
    [name, name],
    [name.toLowerCase(), name],
    ...(compact === undefined ? [] : [[compact, name] as const]),
  ]),
);

/** The known header's usual long spelling, or undefined. */
export function knownName(spelling: string): string | undefined {
  return BY_SPELLING.get(spelling) ?? BY_SPELLING.get(spelling.toLowerCase());
}

/** What names of headers are compared by: the long spelling of a known one, lower case of another. */
export function keyOf(spelling: string): string {
  return BY_SPELLING.get(spelling) ?? knownName(spelling) ?? spelling.toLowerCase();
}
