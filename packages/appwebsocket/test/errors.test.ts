import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../src/wire/errors.ts';
import { AppWebsocketError, ERRORS } from '../src/wire/errors.ts';
import { MAX_CLOSE_REASON_CHARACTERS } from '../src/wire/bounds.ts';

describe('the catalogue of errors', () => {
  for (const [code, { retry, text }] of Object.entries(ERRORS)) {
    test(code, () => {
      const error = new AppWebsocketError(code as ErrorCode);
      expect(error).toMatchObject({ name: 'AppWebsocketError', code, retry, message: text, reason: undefined });
      expect(error).toBeInstanceOf(Error);
      // Sentences go out as close reasons too.
      expect(text).toMatch(/^[ -~]+$/);
      expect(text.length).toBeLessThanOrEqual(MAX_CLOSE_REASON_CHARACTERS);
    });
  }

  test('a reason and a cause are kept', () => {
    const cause = new Error('below');
    const error = new AppWebsocketError('login-failed', { reason: 'no right', cause });
    expect(error).toMatchObject({ reason: 'no right', cause, message: 'the peer refused the login: no right' });
  });
});
