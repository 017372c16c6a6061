import { expect, test } from 'vitest';
import { MAX_INFO_DEPTH } from '../src/wire/bounds.ts';
import { rawMember } from '../src/wire/raw-member.ts';
import { scaled, seeded, seedOf } from '../../../test/kit/scale.ts';

const cases: readonly (readonly [string, string | undefined])[] = [
  ['{}', undefined],
  [' { } ', undefined],
  ['{"info":{}}', '{}'],
  ['{"a":1,"info":{"x":[1,{"info":2}]},"b":"}"}', '{"x":[1,{"info":2}]}'],
  ['{"a":{"info":{"no":1}}}', undefined],
  ['{"a":"\\"info\\":{}","info" : { "s" : "\\\\" } }', '{ "s" : "\\\\" }'],
  ['{"inf\\u006f":{"e":1}}', '{"e":1}'],
  ['{"info":{"first":1},"info":{"last":1}}', '{"last":1}'],
  ['{"info":12}', '12'],
  ['{"info":-1.5e+3 ,"x":0}', '-1.5e+3'],
  ['{"info":true}', 'true'],
  ['{"info":null}', 'null'],
  ['{"info":"a,b}"}', '"a,b}"'],
  ['\t{\n"x"\r:\n[ ] ,"info"\n:\n[1 , 2]\n}\n', '[1 , 2]'],
];

for (const [text, expected] of cases) {
  test(`slice of info in ${JSON.stringify(text)}`, () => expect(rawMember(text, 'info')).toBe(expected));
}

test('nesting has a bound', () => {
  const nested = (depth: number): string => `{"info":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  expect(rawMember(nested(MAX_INFO_DEPTH), 'info')).toBe('['.repeat(MAX_INFO_DEPTH) + ']'.repeat(MAX_INFO_DEPTH));
  expect(rawMember(nested(MAX_INFO_DEPTH + 1), 'info')).toBeNull();
  expect(rawMember(nested(30_000), 'info')).toBeNull();
});

test('the slice of a random object parses to the member itself', () => {
  const random = seeded(seedOf('raw-member'));
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const value = (depth: number): unknown => {
    if (depth > 4 || random() < 0.5)
      return pick<unknown>([1, -2.5, true, null, '', 'a"b', '\\', '}{][', 'ü😀', '\u2028', 0]);
    const members = Array.from({ length: Math.floor(random() * 4) }, () => value(depth + 1));
    if (random() < 0.5) return members;
    return Object.fromEntries(members.map((m) => [pick(['a', 'info', 'in"fo', 'ü', '']), m]));
  };
  for (let i = 0; i < scaled({ verify: 5_000, soak: 200_000 }); i++) {
    const object = { a: value(0), info: value(0), z: value(0) };
    const text = JSON.stringify(object, null, pick([0, 1, '\t']));
    const slice = rawMember(text, 'info');
    expect(JSON.parse(slice ?? '')).toEqual(object.info);
  }
});
