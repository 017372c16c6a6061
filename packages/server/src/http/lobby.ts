import type { Clock } from '../kit/index.ts';
import type { HttpObserver } from './limits.ts';

/** Those who are connected and have not logged in. */
export interface Lobby {
  /**
   * Takes a place for this address, or returns undefined where there is none: refuse with 503, or close with 1013.
   * `leave` at login and at the end of the socket; it is idempotent. `expired` is called when the time to log in has
   * run out; the place is free by then.
   */
  enter(address: string, expired: () => void): Place | undefined;
  readonly size: number;
}

export interface Place {
  leave(): void;
}

export interface LobbyOptions {
  readonly clock: Clock;
  readonly max: number;
  readonly maxPerAddress: number;
  readonly maxMs: number;
  readonly observer: HttpObserver;
}

export function createLobby({ clock, max, maxPerAddress, maxMs, observer }: LobbyOptions): Lobby {
  const byAddress = new Map<string, number>();
  let size = 0;

  function free(address: string): void {
    size--;
    const left = (byAddress.get(address) ?? 1) - 1;
    if (left === 0) byAddress.delete(address);
    else byAddress.set(address, left);
  }

  return {
    get size() {
      return size;
    },
    enter(address, expired) {
      const present = byAddress.get(address) ?? 0;
      if (size >= max || present >= maxPerAddress) {
        observer.limitHit(size >= max ? 'http.lobby' : 'http.lobby-per-address', address);
        return undefined;
      }
      size++;
      byAddress.set(address, present + 1);
      let isInside = true;
      const leave = (): void => {
        if (!isInside) return;
        isInside = false;
        timer.cancel();
        free(address);
      };
      const timer = clock.after(maxMs, () => {
        leave();
        observer.limitHit('http.login-timeout', address);
        expired();
      });
      return { leave };
    },
  };
}
