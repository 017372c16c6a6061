export {
  backoffMs,
  DEFAULT_BACKOFF,
  refreshMs,
  registrationStart,
  stepRegistration,
  type BackoffPolicy,
  type RegistrationEffect,
  type RegistrationInput,
  type RegistrationState,
} from './machine.ts';
export {
  Registration,
  type KeepAlivePlan,
  type Prober,
  type RegistrationEvents,
  type RegistrationParts,
} from './registration.ts';
