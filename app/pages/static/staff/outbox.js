/**
 * Replies and notes on their way. Each is kept until an event shows that it arrived; sending again is harmless,
 * because the server knows it by its client_message_id.
 */

/** @import { Outgoing } from "./types.js" */
/** @import { Keep } from "./store.js" */

import { Problem, api, wordsOf } from "./api.js";

/** Works without HTTPS too, where randomUUID is missing. @returns {string} */
const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

export class Outbox {
  /** @type {Map<string, Outgoing[]>} */
  #items = new Map();
  /** @type {Map<string, Promise<void>>} one at a time per chat, so that replies keep their order */
  #chains = new Map();

  /** @param {Keep} keep @param {(conversationId: string) => void} changed @param {(conversationId: string) => void} arrived */
  constructor(keep, changed, arrived) {
    this.keep = keep;
    this.changed = changed;
    this.arrived = arrived;
  }

  /** @param {string} conversationId @returns {Outgoing[]} */
  of(conversationId) {
    let items = this.#items.get(conversationId);
    if (!items) {
      items = this.keep.outgoing(conversationId).map((item) => ({ ...item, state: /** @type {const} */ ("failed") }));
      this.#items.set(conversationId, items);
    }
    return items;
  }

  /** @param {string} conversationId @param {string} text @param {Outgoing["visibility"]} visibility */
  send(conversationId, text, visibility) {
    /** @type {Outgoing} */
    const item = { client_message_id: newId(), text, visibility, at: new Date().toISOString(), state: "sending" };
    this.#set(conversationId, [...this.of(conversationId), item]);
    this.#enqueue(conversationId, item);
  }

  /** @param {string} conversationId @param {Outgoing} item */
  retry(conversationId, item) {
    Object.assign(item, { state: "sending", problem: undefined, refused: undefined });
    this.#set(conversationId, this.of(conversationId));
    this.#enqueue(conversationId, item);
  }

  /** Forgets those that arrived. @param {string} conversationId @param {(string | null | undefined)[]} clientMessageIds */
  settle(conversationId, clientMessageIds) {
    const left = this.of(conversationId).filter((item) => !clientMessageIds.includes(item.client_message_id));
    if (left.length !== this.of(conversationId).length) this.#set(conversationId, left);
  }

  /** @param {string} conversationId @param {Outgoing} item */
  #enqueue(conversationId, item) {
    const before = this.#chains.get(conversationId) ?? Promise.resolve();
    this.#chains.set(conversationId, before.then(() => this.#post(conversationId, item)));
  }

  /** @param {string} conversationId @param {Outgoing} item */
  async #post(conversationId, item) {
    const { client_message_id, text, visibility } = item;
    try {
      await api.send(conversationId, { client_message_id, text, visibility });
      this.arrived(conversationId);
    } catch (error) {
      const refused = error instanceof Problem && error.status >= 400 && error.status < 500;
      Object.assign(item, { state: "failed", problem: wordsOf(error), refused });
      this.#set(conversationId, this.of(conversationId));
    }
  }

  /** @param {string} conversationId @param {Outgoing[]} items */
  #set(conversationId, items) {
    this.#items.set(conversationId, items);
    this.keep.saveOutgoing(conversationId, items);
    this.changed(conversationId);
  }
}
