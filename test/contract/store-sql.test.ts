import { sqlitePlace } from './sqlite-place.ts';
import { storeContract } from './store.ts';

/** So few that most tests meet both: entries that are settled, and some that are not. */
const SETTLE_AFTER = 5;

storeContract('SQLite', () => sqlitePlace(SETTLE_AFTER));
