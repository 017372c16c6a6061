/** Well-formed messages to start from: every kind that this protocol knows. */
export const SEEDS: readonly string[] = [
  '{"mt":"AppChallenge"}',
  '{"mt":"AppChallengeResult","challenge":"16d7dbbcccb63612"}',
  '{"mt":"AppChallengeResult","challenge":4711}',
  '{"mt":"AppLogin","app":"tool","domain":"d","sip":"s","guid":"g","dn":"ä","info":{"appobj":"tool","n":1.0,"apps":[]},"digest":"00","pbxObj":null}',
  '{"mt":"AppLoginResult","ok":true,"domain":"example.com"}',
  '{"mt":"AppLoginResult","ok":false,"errorText":"login failed"}',
  '{"mt":"CheckBuild","url":"https://h/d/tool/1045/acme.htm?name=tool"}',
  '{"mt":"CheckBuildResult","url":"https://h/d/tool/1046/acme.htm"}',
  '{"mt":"AppInfo","app":"tool"}',
  '{"mt":"AppInfoResult","app":"tool","info":{"hidden":true},"seviceInfo":{"apis":{}}}',
  '{"mt":"PbxInfo","domain":"d","pbx":"p","apis":["PbxApi"],"version":"14r1"}',
  '{"mt":"AppCheckLogin","src":"src1","app":"a","domain":"d","challenge":"1234","digest":"00"}',
  '{"mt":"KeepAlive"}',
  '{"mt":"Error","text":"no"}',
  '{"api":"PbxApi","mt":"PresenceUpdate","src":"x","presence":[{"contact":"tel:","activity":"busy"}]}',
  '{"api":"Services","mt":"ServicesInfo","src":7,"services":[{"name":"a","url":"https://h/x"}]}',
  '{"api":"PbxSignal","mt":"Signaling","call":-1,"sig":{"type":"setup","fty":[{"type":"im_setup"}]}}',
  '{"api":"X","mt":"YResult","src":"a.0","more":true,"error":0}',
];

const SCRAPS: readonly string[] = [
  '{', '}', '[', ']', '"', ',', ':', '\\', '\\u0000', '\\ud800', '\ud800', '\u2028', '😀', 'null', 'true', '-0', '1e999',
  '9007199254740993', '""', '{}', '[]', '"mt":"AppLoginResult"', '"api":""', '"src":{}', '"src":[[]]', '"__proto__":{"mt":"X"}',
  '"constructor":1', '"toString":null', '"info":{"appobj":"x"}', '"ok":true', '"error":{"a":[1]}', '"mt":7', ' ', '\r\n',
]; // prettier-ignore

/** Texts made from the seeds by a few random cuts, repeats and scraps; now and then one that nests deep. */
export function mutator(random: () => number): () => string {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const place = (text: string): number => Math.floor(random() * (text.length + 1));
  const change = (text: string): string => {
    const i = place(text);
    const j = i + Math.floor(random() * 12);
    const kind = Math.floor(random() * 5);
    if (kind === 0) return text.slice(0, i) + text.slice(j);
    if (kind === 1) return text.slice(0, i) + pick(SCRAPS) + text.slice(i);
    if (kind === 2) return text.slice(0, j) + text.slice(i);
    if (kind === 3) return text.slice(0, i) + String.fromCharCode(Math.floor(random() * 0x3000)) + text.slice(i + 1);
    const other = pick(SEEDS);
    return text.slice(0, i) + other.slice(place(other));
  };
  return () => {
    if (random() < 0.002) return deep(pick(['"src":', '"error":', '"info":', '"x":']), Math.floor(random() * 40_000));
    let text = pick(SEEDS);
    // Some stay whole: a member more, in front, is valid JSON.
    if (random() < 0.3) return text.replace('{', `{${pick(SCRAPS.filter((scrap) => /^".+":/.test(scrap)))},`);
    for (let n = Math.floor(random() * 4); n >= 0; n--) text = change(text);
    return text;
  };
}

/** A message with a member that nests `depth` deep. */
export function deep(member: string, depth: number): string {
  return `{"api":"X","mt":"Deep",${member}${'['.repeat(depth)}${']'.repeat(depth)}}`;
}
