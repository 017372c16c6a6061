/** Whose telephone an application session is, as its source spells it (TM §6). */
export interface FoundSession {
  readonly phone: string;
  readonly user?: string;
}

/** What the Tapi Messenger surface asks; its `ApplicationSessions`, with an end. */
export interface Lookup {
  /** Null: no such session, or none with a telephone. Rejects where the source can't say. */
  find(session: string, signal: AbortSignal): Promise<FoundSession | null>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** One row of a source; a blank telephone is none. */
export interface Row {
  readonly phone: string | null;
  readonly user: string | null;
}

/** TM DB-3: no row or no telephone is null; several rows must name one telephone. */
export function foundIn(rows: readonly Row[]): FoundSession | null {
  const phones = new Set(rows.map((row) => row.phone?.trim() ?? '').filter((phone) => phone !== ''));
  if (phones.size > 1) throw new Error('ambiguous: the session has several telephones');
  const [phone] = phones;
  if (phone === undefined) return null;
  const users = new Set(rows.map((row) => row.user).filter((user) => user !== null));
  const [user] = users;
  return user !== undefined && users.size === 1 ? { phone, user } : { phone };
}

/** @throws Error without a word of the text: sessions and numbers stand in it, and errors go to the log (TM DB-5). */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw new Error(`${what} is no JSON`, { cause: error.name });
    throw error;
  }
}
