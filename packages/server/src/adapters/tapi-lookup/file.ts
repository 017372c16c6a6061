import { readFile, stat } from 'node:fs/promises';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { foundIn, type Lookup, parseJson, type Row } from './model.ts';

const TEXT = Type.Union([Type.String(), Type.Number()]);
/** TM DB-4; the names are those of the original's tables. */
const CONTENT = Type.Object({
  apex_workspace_sessions: Type.Array(Type.Object({ apex_session_id: TEXT, user_name: Type.String() })),
  adm$uzytkownicy: Type.Array(Type.Object({ konto: Type.String(), telefon: Type.Union([TEXT, Type.Null()]) })),
});

type Rows = ReadonlyMap<string, readonly Row[]>;

/** Application sessions in a JSON file. Read again when it changes; a broken file leaves what was good. */
export function fileLookup(options: { readonly path: string; readonly onTrouble: (error: unknown) => void }): Lookup {
  const { path, onTrouble } = options;
  let version = '';
  let rows: Rows | null = null;
  let reading: Promise<void> | null = null;

  async function read(): Promise<void> {
    const { mtimeMs, size, ino } = await stat(path);
    const now = `${mtimeMs} ${size} ${ino}`;
    if (now === version) return;
    const content = parseJson(await readFile(path, 'utf8'), 'the file');
    rows = rowsOf(content);
    version = now;
  }

  async function refresh(): Promise<void> {
    reading ??= read().finally(() => {
      reading = null;
    });
    try {
      await reading;
    } catch (error) {
      if (rows === null) throw error;
      onTrouble(error);
    }
  }

  return {
    async find(session) {
      await refresh();
      return foundIn(rows?.get(session) ?? []);
    },
    close: () => Promise.resolve(),
  };
}

function rowsOf(content: unknown): Rows {
  if (!Value.Check(CONTENT, content)) throw new Error('the file is not of the expected form');
  const phones = new Map<string, (string | null)[]>();
  for (const { konto, telefon } of content.adm$uzytkownicy)
    phones.set(konto, [...(phones.get(konto) ?? []), telefon === null ? null : String(telefon)]);
  const rows = new Map<string, readonly Row[]>();
  for (const { apex_session_id: id, user_name: user } of content.apex_workspace_sessions) {
    const own = (phones.get(user) ?? []).map((phone) => ({ phone, user }));
    rows.set(String(id), [...(rows.get(String(id)) ?? []), ...own]);
  }
  return rows;
}
