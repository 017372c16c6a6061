/** Column types of rows that are written as one JSON list: one parameter for any number of rows. */
type Columns = Readonly<Record<string, 'text' | 'bigint' | 'smallint'>>;

const MESSAGES: Columns = {
  num: 'bigint',
  id: 'text',
  conversation: 'bigint',
  seq: 'bigint',
  sender: 'text',
  resource: 'text',
  recipient: 'text',
  at: 'bigint',
  type: 'text',
  body: 'text',
  search_text: 'text',
  attach: 'text',
  data: 'text',
};
const MAIL: Columns = {
  user_num: 'bigint',
  conversation: 'bigint',
  seq: 'bigint',
  at: 'bigint',
  message: 'bigint',
  is_own: 'smallint',
};
const ENTRIES: Columns = {
  stream: 'bigint',
  kind: 'text',
  message: 'bigint',
  ref: 'text',
  data: 'text',
  at: 'bigint',
};
const KEYS: Columns = { id: 'text', hash: 'text', message: 'bigint', at: 'bigint' };

const namesOf = (columns: Columns): string => Object.keys(columns).join(', ');

function recordset(columns: Columns): string {
  const typed = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
  return `json_to_recordset($1::json) as row(${typed.join(', ')})`;
}

function insert(table: string, columns: Columns): string {
  return `insert into ${table} (${namesOf(columns)}) select ${namesOf(columns)} from ${recordset(columns)}`;
}

/** What a group of appends is written with. Rows are given by `JSON.stringify`, in their order. */
export const STATEMENTS = {
  /** Conversations in one order on all nodes, so that two groups never wait for each other. */
  lock: `select id, num, last_seq from conversations where num = any($1::bigint[]) order by num for update`,
  time: `select (extract(epoch from clock_timestamp()) * 1000)::bigint as now`,
  standing: `select num, last_seq from conversations where id = $1`,
  /** Numbers of messages are taken under the lock: within a conversation they grow with `seq`. */
  reserve: `select nextval('messages_num_seq') as num from generate_series(1, $1::int)`,
  messages: insert('messages', MESSAGES),
  mail: `with mail as (select * from ${recordset(MAIL)}),
    boxed as (insert into mailbox (${namesOf(MAIL)}) select ${namesOf(MAIL)} from mail)
    insert into members (user_num, conversation, last_at)
    select user_num, conversation, max(at) from mail group by user_num, conversation order by user_num, conversation
    on conflict (user_num, conversation) do update set last_at = excluded.last_at`,
  entries: insert('fresh_entries', ENTRIES),
  /** A key that stands already has expired, but was not swept yet. */
  expireKeys: `delete from idempotency where id = any($1::text[]) and at <= $2`,
  keys: insert('idempotency', KEYS),
  seqs: `update conversations as c set last_seq = row.last_seq
    from ${recordset({ num: 'bigint', last_seq: 'bigint' })} where c.num = row.num`,
} as const;
