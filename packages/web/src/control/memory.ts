import type { Session } from '../state/model.ts';

/** What survives a reload of the page, in this tab alone: the session, never the password. */
export interface Remembered {
  readonly session: Session;
  /** The last event seen: the stream goes on after it. */
  readonly position: string;
  readonly unread: Readonly<Record<string, readonly string[]>>;
}

export interface Memory {
  load(): Remembered | null;
  save(remembered: Remembered): void;
  clear(): void;
}

const KEY = 'tieline.session';

export function memoryIn(storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>): Memory {
  return {
    load() {
      const text = storage.getItem(KEY);
      if (text === null) return null;
      try {
        const value: unknown = JSON.parse(text);
        return isRemembered(value) ? value : null;
      } catch (error) {
        if (error instanceof SyntaxError) return null;
        throw error;
      }
    },
    save: (remembered) => storage.setItem(KEY, JSON.stringify(remembered)),
    clear: () => storage.removeItem(KEY),
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isRemembered(value: unknown): value is Remembered {
  if (!isRecord(value) || !isRecord(value['session']) || !isRecord(value['unread'])) return false;
  const { session, position, unread } = value;
  const texts = [session['name'], session['stream'], session['token'], position];
  return texts.every((text) => typeof text === 'string') && Object.values(unread).every((ids) => Array.isArray(ids));
}
