export type { CallCommand, CallCommands, DialCommand, Dialled } from './commands.ts';
export {
  callRefused,
  engineUnavailable,
  idempotencyConflict,
  invalidNumber,
  noSuchCall,
  notSupported,
  outcomeUnknown,
  tooManyNumbers,
  wrongState,
} from './errors.ts';
export type { OnPhone } from './follow.ts';
export type { Dropped } from './intake.ts';
export { ANNOUNCEMENT_MS, MAX_LIVE, MAX_NUMBERS_PER_ENGINE } from './limits.ts';
export type { CallLog } from './log.ts';
export * from './model.ts';
export * from './number.ts';
export * from './ports.ts';
export type { CallListener } from './registry.ts';
export * from './service.ts';
