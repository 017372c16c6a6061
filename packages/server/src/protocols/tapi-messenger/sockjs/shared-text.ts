import { escapeText } from './frames.ts';

/** A part of a message that goes to many receivers: its SockJS escape is made at most once. */
export class SharedText {
  readonly text: string;
  #escaped: string | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** As it stands inside the quotes of an `a[…]` frame. Every code unit is escaped for itself, so parts may be joined. */
  get escaped(): string {
    this.#escaped ??= escapeText(this.text);
    return this.#escaped;
  }
}
