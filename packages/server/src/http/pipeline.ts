import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { MAX_PIPELINED } from './limits.ts';

/** Counts the requests of each connection that have not been answered. Node reads on as long as no answer waits in the socket. */
export class Pipeline {
  readonly #lines = new WeakMap<Socket, Line>();

  /** False: too many; else until the response is over. */
  enter(socket: Socket, response: ServerResponse): boolean {
    const line = this.#lines.get(socket) ?? this.#begin(socket);
    if (line.open >= MAX_PIPELINED) return false;
    line.open++;
    response.on('close', line.over);
    return true;
  }

  #begin(socket: Socket): Line {
    const line: Line = { open: 0, over: () => line.open-- };
    this.#lines.set(socket, line);
    return line;
  }
}

/** The requests of one connection that are not answered. */
interface Line {
  open: number;
  readonly over: () => void;
}
