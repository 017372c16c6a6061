/** Counts sessions, in all and by address, against their bounds. */
export class Admission {
  readonly #most: number;
  readonly #mostPerAddress: number;
  readonly #byAddress = new Map<string, number>();
  #count = 0;

  constructor(most: number, mostPerAddress: number) {
    this.#most = most;
    this.#mostPerAddress = mostPerAddress;
  }

  get count(): number {
    return this.#count;
  }

  /** False where a bound is reached. Each success is paired with one `leave`. */
  enter(address: string): boolean {
    const own = this.#byAddress.get(address) ?? 0;
    if (this.#count >= this.#most || own >= this.#mostPerAddress) return false;
    this.#count++;
    this.#byAddress.set(address, own + 1);
    return true;
  }

  leave(address: string): void {
    const own = this.#byAddress.get(address) ?? 0;
    this.#count--;
    if (own <= 1) this.#byAddress.delete(address);
    else this.#byAddress.set(address, own - 1);
  }
}
