/**
 * Messages that were not acknowledged yet. Each is its own storage key, so that two tabs never overwrite each
 * other's; one tab at a time sends, in order, always with the same client_message_id.
 */

import { backoff } from "./waiting.js";

const KEY = "out:";

/**
 * @typedef {object} Item
 * @property {string} id the client_message_id
 * @property {string} text
 * @property {number} at milliseconds
 * @property {string} [problem] why it is not sent
 * @property {boolean} [held] the server refused it: only the customer can decide what next
 * @property {boolean} [deleted] a last word to other tabs before the key goes
 */
/**
 * @typedef {object} Options
 * @property {() => boolean} isReady false while the conversation is still being opened for the first time
 * @property {(item: Item) => Promise<import("./api.js").Message>} send throws Problem
 * @property {(item: Item) => void} onChange an item is new, has a problem, or was deleted
 * @property {(message: import("./api.js").Message) => void} onSent
 */

export class Outbox {
  /**
   * @param {import("./store.js").Store} store
   * @param {Options} options
   */
  constructor(store, options) {
    this.store = store;
    this.options = options;
    this.failures = 0;
    /** The server asked for quiet until then. */
    this.notBefore = 0;
    this.flushing = false;
    this.again = false;
    for (const event of ["online", "pageshow"]) window.addEventListener(event, () => this.flush());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.flush());
  }

  /** @returns {Item[]} oldest first */
  items() {
    const items = this.store.keys(KEY).map((key) => this.store.get(key));
    return items.filter((item) => item && !item.deleted).sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  }

  /** @param {string} text */
  add(text) {
    const last = this.items().at(-1);
    this.write({ id: newId(), text, at: Math.max(Date.now(), (last?.at ?? 0) + 1) });
    this.flush();
  }

  /** @param {Item} item */
  write(item) {
    this.store.set(KEY + item.id, item);
    this.options.onChange(item);
  }

  /** It arrived. @param {string | null} id */
  settle(id) {
    if (id && this.store.get(KEY + id)) this.store.remove(KEY + id);
  }

  /** @param {string} id */
  delete(id) {
    const item = this.store.get(KEY + id);
    if (!item) return;
    this.write({ ...item, deleted: true });
    this.store.remove(KEY + id);
  }

  /** @param {string} id */
  retry(id) {
    const item = this.store.get(KEY + id);
    if (item) this.write({ id, text: item.text, at: item.at });
    this.flush();
  }

  /** Another tab wrote. @param {string} key @param {any} value */
  changedElsewhere(key, value) {
    if (key.startsWith(KEY) && value) this.options.onChange(value);
  }

  /** Sends what can be sent, now. */
  async flush() {
    if (!this.options.isReady()) return;
    this.again = true;
    if (this.flushing) return;
    if (Date.now() < this.notBefore) return this.later(this.notBefore - Date.now());
    this.flushing = true;
    try {
      while (this.again) {
        this.again = false;
        await this.store.alone("outbox", () => this.drain());
      }
    } finally {
      this.flushing = false;
    }
  }

  /** @param {number} wait milliseconds */
  later(wait) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), wait);
  }

  async drain() {
    for (;;) {
      const item = this.items().find((one) => !one.held);
      if (!item) return;
      let message;
      try {
        message = await this.options.send(item);
      } catch (error) {
        if (this.failed(item, /** @type {import("./api.js").Problem} */ (error))) continue;
        return;
      }
      this.failures = 0;
      this.settle(item.id);
      this.options.onSent(message);
    }
  }

  /**
   * @param {Item} item
   * @param {import("./api.js").Problem} problem
   * @returns {boolean} whether the next one may be tried: order is kept when it may pass
   */
  failed(item, problem) {
    const passing = problem.mayPass ?? false;
    // Read again: meanwhile it may have been deleted, or have come back through the stream after a lost answer.
    const stuck = this.items().filter((one) => (passing ? !one.held : one.id === item.id));
    for (const one of stuck) this.write({ ...one, problem: problem.message, held: !passing });
    if (!passing) return true;
    const wait = backoff(this.failures++);
    if (problem.retryAfter) this.notBefore = Date.now() + problem.retryAfter;
    this.later(Math.max(wait, problem.retryAfter ?? 0));
    this.again = false;
    return false;
  }
}

/** crypto.randomUUID is missing on plain http; this is not. */
function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
