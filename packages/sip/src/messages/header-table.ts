import { SyntaxFailure, UnsafeValue, refuseLineBreaks } from './errors.ts';
import { keyOf, knownName } from './header-names.ts';
import { isToken } from './params.ts';
import { MAX_LIST_VALUES, splitList } from './values.ts';

export type HeaderValue = string | number | { toString(): string };

/** Lines of headers, in order; names without case, compact forms folded to long names, values as raw text. */
export class HeaderTable {
  /** Names as written, keys to compare by, values: three parallel lists. */
  #names: string[] = [];
  #keys: string[] = [];
  #values: string[] = [];

  get size(): number {
    return this.#keys.length;
  }

  has(name: string): boolean {
    return this.#keys.includes(keyOf(name));
  }

  /** The first line's raw value. */
  get(name: string): string | undefined {
    const at = this.#keys.indexOf(keyOf(name));
    return at < 0 ? undefined : this.#values[at];
  }

  /** Every line's raw value, in order; a line may hold several values (see `list`). */
  getAll(name: string): string[] {
    const key = keyOf(name);
    const out: string[] = [];
    for (let i = 0; i < this.#keys.length; i++) if (this.#keys[i] === key) out.push(this.#values[i] ?? '');
    return out;
  }

  /** Every value of every line, split at commas. */
  list(name: string): string[] {
    const lines = this.getAll(name);
    const out = lines.length === 1 ? splitList(lines[0] ?? '', name) : lines.flatMap((line) => splitList(line, name));
    if (out.length > MAX_LIST_VALUES) throw new SyntaxFailure(name, 'too many values');
    return lines.length === 1 && out.length === 1 && out[0] === '' ? [] : out;
  }

  /** Replaces all lines of this name by one, in the place of the first. */
  set(name: string, value: HeaderValue): void {
    const key = keyOf(name);
    const text = checked(name, value);
    const at = this.#keys.indexOf(key);
    this.forget(key);
    if (at < 0) {
      this.#insert(this.#keys.length, name, key, text);
      return;
    }
    this.#values[at] = text;
    for (let i = this.#keys.length - 1; i > at; i--) if (this.#keys[i] === key) this.#delete(i);
  }

  /** Appends a line after all others. */
  add(name: string, value: HeaderValue): void {
    const key = keyOf(name);
    const text = checked(name, value);
    this.forget(key);
    this.#insert(this.#keys.length, name, key, text);
  }

  /** Puts a line before all others of its name (Via, Record-Route, Route), or first of all. */
  prepend(name: string, value: HeaderValue): void {
    const key = keyOf(name);
    const text = checked(name, value);
    const at = this.#keys.indexOf(key);
    this.forget(key);
    this.#insert(at < 0 ? 0 : at, name, key, text);
  }

  remove(name: string): void {
    const key = keyOf(name);
    this.forget(key);
    for (let i = this.#keys.length - 1; i >= 0; i--) if (this.#keys[i] === key) this.#delete(i);
  }

  /** Takes off the first value (not line) of a list header and returns it: the topmost Via or Route. */
  shift(name: string): string | undefined {
    const key = keyOf(name);
    const at = this.#keys.indexOf(key);
    if (at < 0) return undefined;
    const [first, ...rest] = splitList(this.#values[at] ?? '', name);
    this.forget(key);
    if (rest.length > 0) this.#values[at] = rest.join(', ');
    else this.#delete(at);
    return first;
  }

  /** Replaces the first value (not line) of a list header. */
  replaceFirst(name: string, value: HeaderValue): void {
    const key = keyOf(name);
    const text = checked(name, value);
    const at = this.#keys.indexOf(key);
    if (at < 0) throw new UnsafeValue(`${name}: nothing to replace`);
    const old = this.#values[at] ?? '';
    this.forget(key);
    this.#values[at] = old.includes(',') ? [text, ...splitList(old, name).slice(1)].join(', ') : text;
  }

  /** Copies every line of this name from another container, keeping the order. */
  copy(from: HeaderTable, name: string): void {
    const key = keyOf(name);
    for (let i = 0; i < from.#keys.length; i++) {
      if (from.#keys[i] !== key) continue;
      this.forget(key);
      this.#insert(this.#keys.length, from.#names[i] ?? name, key, from.#values[i] ?? '');
    }
  }

  *entries(): Generator<readonly [name: string, value: string]> {
    for (let i = 0; i < this.#keys.length; i++) yield [this.#names[i] ?? '', this.#values[i] ?? ''];
  }

  /** Lines as on the wire, without `Content-Length`, which the writer adds. */
  toLines(): string {
    let out = '';
    for (let i = 0; i < this.#keys.length; i++)
      if (this.#keys[i] !== 'Content-Length') out += `${this.#names[i] ?? ''}: ${this.#values[i] ?? ''}\r\n`;
    return out;
  }

  /** Called before the lines of a key change. */
  protected forget(_key: string): void {}

  protected hold(names: string[], keys: string[], values: string[]): void {
    this.#names = names;
    this.#keys = keys;
    this.#values = values;
  }

  protected holdLinesOf(other: HeaderTable): void {
    this.hold(other.#names.slice(), other.#keys.slice(), other.#values.slice());
  }

  #insert(at: number, name: string, key: string, value: string): void {
    this.#names.splice(at, 0, knownName(name) ?? name);
    this.#keys.splice(at, 0, key);
    this.#values.splice(at, 0, value);
  }

  #delete(at: number): void {
    this.#names.splice(at, 1);
    this.#keys.splice(at, 1);
    this.#values.splice(at, 1);
  }
}

function checked(name: string, value: HeaderValue): string {
  const text = typeof value === 'string' ? value : value.toString();
  if (!isToken(name)) throw new UnsafeValue(`header name ${JSON.stringify(name)}`);
  refuseLineBreaks(name, text);
  return text;
}
