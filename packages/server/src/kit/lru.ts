/**
 * A map that forgets its least recently used entry when it grows over `limit`. Below half of that the order of use is not kept:
 * nothing is forgotten soon, and looking up costs no more than in a map.
 */
export class Lru<K, V> {
  readonly limit: number;
  readonly #map = new Map<K, V>();

  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    return this.#map.size;
  }

  get(key: K): V | undefined {
    const value = this.#map.get(key);
    if (value !== undefined && this.#map.size * 2 > this.limit) {
      this.#map.delete(key);
      this.#map.set(key, value);
    }
    return value;
  }

  set(key: K, value: V): void {
    this.#map.delete(key);
    this.#map.set(key, value);
    if (this.#map.size > this.limit) for (const oldest of this.#map.keys()) return void this.#map.delete(oldest);
  }

  delete(key: K): void {
    this.#map.delete(key);
  }

  clear(): void {
    this.#map.clear();
  }
}
