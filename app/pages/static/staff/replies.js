/** Texts an agent may put into the composer: suggested ones as buttons, all of them behind a slash. Never sent by themselves. */

/** @import { Choice } from "./completion.js" */
/** @import { Reply } from "./types.js" */

import { api } from "./api.js";
import { byId, el } from "./dom.js";

const SUGGESTED = 3;
/** Several messages in a row ask once. */
const SETTLES = 500;

export class Replies {
  /** @type {string | null} the chat whose replies are wanted; null while it is not one's own */
  #id = null;
  /** @type {Reply[]} those that suit best come first */
  #all = [];
  #asked = 0;
  #timer = 0;
  #wanted = true;

  /** @param {(text: string) => void} insert */
  constructor(insert) {
    this.insert = insert;
    this.root = byId("suggestions");
  }

  /** @param {string | null} id a chat of one's own, or none */
  show(id) {
    if (id === this.#id) return;
    this.#id = id;
    this.#all = [];
    this.#draw();
    if (id) this.#load(id);
  }

  /** The customer asked something else. */
  refresh() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#id && this.#load(this.#id), SETTLES);
  }

  /** Suggestions are for replies, not for notes. @param {boolean} wanted */
  want(wanted) {
    this.#wanted = wanted;
    this.#draw();
  }

  /** Moves the focus to the first suggestion. @returns {void | false} false when there is none */
  focus() {
    const first = /** @type {HTMLElement | null} */ (this.root.querySelector("button"));
    if (!first || this.root.hidden) return false;
    first.focus();
  }

  /** @param {string} typed after the slash @returns {Choice[]} */
  find(typed) {
    const wanted = typed.toLocaleLowerCase();
    const begins = this.#all.filter((reply) => reply.shortcut.startsWith(wanted));
    const words = (/** @type {Reply} */ reply) => ` ${reply.shortcut.replaceAll("-", " ")} ${reply.title}`.toLocaleLowerCase();
    const holds = this.#all.filter((reply) => !begins.includes(reply) && words(reply).includes(` ${wanted.replaceAll("-", " ")}`));
    return [...begins, ...holds].map(({ shortcut, title, text }) => ({ label: `/${shortcut}`, title, preview: text, insert: text }));
  }

  /** @param {string} id */
  async #load(id) {
    const asked = ++this.#asked;
    const replies = await api.replies(id).catch(() => null); // one can always write; the next question asks again
    if (!replies || asked !== this.#asked || id !== this.#id) return;
    this.#all = replies;
    this.#draw();
  }

  #draw() {
    const best = this.#wanted ? this.#all.filter((reply) => reply.score > 0).slice(0, SUGGESTED) : [];
    const focused = this.root.contains(document.activeElement);
    this.root.hidden = best.length === 0;
    this.root.replaceChildren(...best.map((reply) =>
      el("button", { type: "button", class: "suggestion", "data-reply": reply.shortcut, title: reply.text, onclick: () => this.insert(reply.text) },
        reply.title, el("span", { class: "source" }, reply.source === "faq" ? "Answer" : `/${reply.shortcut}`))));
    if (focused) byId("draft").focus();
  }
}
