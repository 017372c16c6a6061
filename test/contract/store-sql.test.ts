import { sqlitePlace } from './sqlite-place.ts';
import { storeContract } from './store.ts';

storeContract('SQLite', sqlitePlace);
