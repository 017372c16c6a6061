/** Sums by key; what is zero takes no room. */
export class Tally<K> {
  readonly #sums = new Map<K, number>();

  of(key: K): number {
    return this.#sums.get(key) ?? 0;
  }

  add(key: K, count: number): void {
    const sum = this.of(key) + count;
    if (sum > 0) this.#sums.set(key, sum);
    else this.#sums.delete(key);
  }
}
