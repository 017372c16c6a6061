import { htmlToPlain, type Message } from '../../../core/conversations/index.ts';
import { SharedMessage } from '../stomp/index.ts';
import type { Names } from './names.ts';

/** Chat messages as they stand in `/user/queue/messages`; each is encoded once for all sessions that it goes to in a row (design §6). */
export class ChatMessages {
  readonly #names: Names;
  #last: { readonly message: Message; readonly shared: SharedMessage } | null = null;

  constructor(names: Names) {
    this.#names = names;
  }

  /** At once where both names are known. */
  of(message: Message): SharedMessage | Promise<SharedMessage> {
    if (this.#last?.message === message) return this.#last.shared;
    const from = this.#names.known(message.sender);
    const to = this.#names.known(message.recipient);
    if (from !== undefined && to !== undefined) return this.#make(message, from, to);
    return this.#find(message);
  }

  async #find(message: Message): Promise<SharedMessage> {
    const from = await this.#names.find(message.sender);
    const to = await this.#names.find(message.recipient);
    return this.#last?.message === message ? this.#last.shared : this.#make(message, from, to);
  }

  #make(message: Message, from: string, to: string): SharedMessage {
    const isHtml = message.type === 'text/html';
    const { id, body, at, seq, attach, data } = message;
    const shared = SharedMessage.json({
      id,
      from,
      to,
      body: isHtml ? htmlToPlain(body) : body,
      ...(isHtml ? { html: body } : {}),
      at,
      seq,
      attach,
      data,
    });
    this.#last = { message, shared };
    return shared;
  }
}
