import { afterAll, beforeAll } from 'vitest';
import { describeWithPeers } from '../kit/peer.ts';
import { POSTGRES_PROGRAMS, PostgresServer } from '../kit/postgres.ts';
import { postgresPlace } from './postgres-place.ts';
import { storeContract } from './store.ts';

describeWithPeers(POSTGRES_PROGRAMS, 'PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  storeContract('PostgreSQL', () => postgresPlace(server));
});
