import type { Queries } from '../../core/index.ts';
import type { Connection } from './dialect/connection.ts';
import { JournalReader } from './journal-reader.ts';
import type { QueryHandler } from './queries/context.ts';
import { conversationQueries } from './queries/conversations.ts';
import { directoryQueries } from './queries/directory.ts';
import { callQueries, presenceQueries } from './queries/others.ts';
import type { ReaderQuestion } from './wire.ts';

type Handlers = { readonly [K in keyof Queries]: QueryHandler<K> };

/** Answers questions, each in a transaction of its own: it sees everything that was committed before it was asked. */
export class Reader {
  readonly #connection: Connection;
  readonly #journal: JournalReader;
  readonly #handlers: Handlers;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#journal = new JournalReader(connection);
    this.#handlers = {
      ...directoryQueries,
      ...presenceQueries,
      ...conversationQueries(connection.types.hasOneWriter),
      ...callQueries,
    };
  }

  async answer(question: ReaderQuestion): Promise<unknown> {
    await this.#connection.begin();
    try {
      return await this.#ask(question);
    } finally {
      await this.#connection.rollback();
    }
  }

  #ask(question: ReaderQuestion): Promise<unknown> {
    switch (question.ask) {
      case 'query':
        return this.#query(question.query);
      case 'range':
        return this.#journal.range(question.range);
      case 'tail':
        return this.#journal.tail(question.after, question.limit);
      case 'bounds':
        return this.#journal.bounds();
    }
  }

  #query<K extends keyof Queries>(query: { readonly kind: K; readonly input: Queries[K]['input'] }): Promise<unknown> {
    const handler: QueryHandler<K> = this.#handlers[query.kind];
    return handler(this.#connection.db, query.input);
  }
}
