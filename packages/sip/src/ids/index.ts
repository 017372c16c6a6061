export { randomIds, type Ids } from './ids.ts';
