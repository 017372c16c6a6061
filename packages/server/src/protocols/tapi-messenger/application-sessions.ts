import type { Directory } from '../../core/directory/index.ts';

/** Whose telephone an application session is. */
export interface FoundSession {
  /** As the source spells it; checked and made canonical by the asker. */
  readonly phone: string;
  /** The account that the source names; compared with the session's own login, where it has one. */
  readonly user?: string;
}

/**
 * Where application sessions (header `apex_session`) are looked up (TM §6). An application session is a bearer secret: never
 * logged, never put into a text that others read, never kept.
 */
export interface ApplicationSessions {
  /**
   * Null: there is no such session, or it has no telephone. Rejects where the source cannot say, also where it names several
   * different telephones. Asked anew for every listening; `signal` aborts when the time for it has run out.
   */
  find(session: string, signal: AbortSignal): Promise<FoundSession | null>;
}

/** Application sessions of the own directory: the lookup `database`. */
export function directorySessions(directory: Pick<Directory, 'applicationSession' | 'userById'>): ApplicationSessions {
  return {
    async find(session) {
      const id = await directory.applicationSession(session);
      const user = id === null ? null : await directory.userById(id);
      if (user === null || user.isLocked || user.number === null) return null;
      return { phone: user.number, user: user.name };
    },
  };
}
