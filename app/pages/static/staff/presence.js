/** Who else is in the open chat, and telling them that one is there oneself. */

/** @import { Presence as Here, Viewer } from "./types.js" */

import { api } from "./api.js";
import { byId, say } from "./dom.js";
import { customerName } from "./words.js";

/** The server forgets after 8 seconds. */
const TELL_AGAIN = 4000;
/** Without a key for so long, nobody is typing any more. */
const STILL = 4000;

/** @param {Viewer} viewer */
function doing({ name, typing, replying }) {
  if (replying) return `${name} is writing to the customer`;
  return typing ? `${name} is writing a note` : `${name} is looking at this chat`;
}

export class Presence {
  /** @type {string | null} */
  #id = null;
  #name = customerName(null);
  #typing = false;
  #note = false;
  #stillTimer = 0;

  /** @param {string} meId */
  constructor(meId) {
    this.meId = meId;
    setInterval(() => this.#tell(), TELL_AGAIN);
    document.addEventListener("visibilitychange", () => this.#visible());
    addEventListener("pagehide", () => this.#id && api.lookAway(this.#id));
  }

  /** @param {string | null} id the chat that is open */
  look(id) {
    if (id === this.#id) return;
    if (this.#id) api.lookAway(this.#id);
    this.#id = id;
    this.#still();
    this.clear();
    this.#tell();
  }

  /** @param {string | null} name the customer's */
  call(name) {
    this.#name = customerName(name);
  }

  /** A key was pressed in the composer. @param {boolean} note */
  typed(note) {
    const begins = !this.#typing || this.#note !== note;
    [this.#typing, this.#note] = [true, note];
    clearTimeout(this.#stillTimer);
    this.#stillTimer = setTimeout(() => this.stopped(), STILL);
    if (begins) this.#tell();
  }

  /** It was sent, emptied or left alone. */
  stopped() {
    if (!this.#typing) return;
    this.#still();
    this.#tell();
  }

  /** @param {Here} here */
  show({ id, viewers, customer_is_typing: typing }) {
    if (id !== this.#id) return;
    const others = viewers.filter((viewer) => viewer.id !== this.meId);
    const clash = others.some((viewer) => viewer.typing);
    say(byId("viewers"), others.map(doing).join(" · "));
    byId("viewers").classList.toggle("clash", clash);
    say(byId("customer-typing"), typing ? `${this.#name} is typing…` : "");
  }

  /** Nothing is known any more: the line is lost, or another chat was opened. */
  clear() {
    say(byId("viewers"), "");
    say(byId("customer-typing"), "");
  }

  #still() {
    clearTimeout(this.#stillTimer);
    this.#typing = false;
  }

  #tell() {
    if (this.#id && document.visibilityState === "visible") api.look(this.#id, { typing: this.#typing, note: this.#note });
  }

  #visible() {
    if (document.visibilityState === "visible") this.#tell();
    else if (this.#id) api.lookAway(this.#id);
  }
}
