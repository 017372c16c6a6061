/** One event on the wire. `data` may have several lines; each gets a field of its own. */
export function frame(event: { readonly event: string; readonly data: string; readonly id?: string }): string {
  const id = event.id === undefined ? '' : `id: ${event.id}\n`;
  const data = /[\r\n]/.test(event.data) ? event.data.replace(/\r\n|\r|\n/g, '\ndata: ') : event.data;
  return `${id}event: ${event.event}\ndata: ${data}\n\n`;
}

/** Tells the browser how long to wait before it comes back. */
export function retryFrame(ms: number): string {
  return `retry: ${ms}\n\n`;
}

/** A comment: clients ignore it, proxies and dead connections notice it. */
export const KEEP_ALIVE = ': keep-alive\n\n';
