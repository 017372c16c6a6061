/** Where a server is: its port on this machine, or its base URL. */
export type Place = number | string;

/** `http://127.0.0.1:8080` */
export function baseOf(place: Place): string {
  return typeof place === 'number' ? `http://127.0.0.1:${place}` : place;
}
