import { CAUSE, type Cause } from '../../../../core/exchange/index.ts';
import type { Problem } from '../../../../kit/index.ts';

/** How a failed call or text is told on this surface (PBX §2.7). */
const CAUSES: Readonly<Record<string, Cause>> = {
  'unknown-recipient': CAUSE.unknownNumber,
  'unknown-user': CAUSE.unknownNumber,
  'own-recipient': CAUSE.busy,
  'recipient-unavailable': CAUSE.absent,
  forbidden: CAUSE.notSubscribed,
  'invalid-text': CAUSE.protocol,
  'too-large': CAUSE.protocol,
  'idempotency-conflict': CAUSE.protocol,
  'too-many-calls': CAUSE.failure,
  'store-unavailable': CAUSE.failure,
};

export function causeOfProblem(problem: Problem): Cause {
  return CAUSES[problem.code] ?? CAUSE.failure;
}

/** `err` of RegisterResult (PBX §2.1). */
export type RegisterError = 'unauthorized' | 'unknown device' | 'not allowed';
