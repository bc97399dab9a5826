/** The transcript on the page. Lines are only ever added; nothing that is read is drawn twice. */

/** @import { Happening, Outgoing } from "./types.js" */
/** @import { Thread } from "./thread.js" */

import { el } from "./dom.js";
import { lineOf, outgoingLine, showReading } from "./lines.js";
import { customerName } from "./words.js";

const NEAR_END = 80;

export class Transcript {
  /** @type {Map<number, HTMLElement>} */
  #lines = new Map();
  #list = el("ol", { class: "lines" });
  #last = 0;
  /** Whether the end was in sight when something was last scrolled or added. */
  #follows = true;

  /** @param {HTMLElement} root the element that scrolls @param {HTMLElement} [newer] shown while something new is out of sight */
  constructor(root, newer) {
    this.root = root;
    this.newer = newer;
    newer?.addEventListener("click", () => this.toEnd());
    root.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // What appears above or below takes room away, and must not push the latest line out of sight.
    new ResizeObserver(() => this.#follows && this.toEnd()).observe(root);
  }

  /** Draws a thread from its beginning. @param {Thread} thread */
  show(thread) {
    this.#lines.clear();
    this.#last = 0;
    this.#list = el("ol", { class: "lines" });
    this.root.replaceChildren(this.#list);
    this.add(thread, [...thread.events.values()]);
  }

  /** Adds new events at their places. @param {Thread} thread @param {Happening[]} fresh */
  add(thread, fresh) {
    const follow = this.#atEnd();
    for (const event of fresh) this.#place(event, lineOf(event, customerName(thread.name)));
    for (const [id, reading] of thread.readings) {
      const line = this.#lineOf(id);
      if (line) showReading(line, reading);
    }
    this.#settle(follow, fresh.some((event) => event.message));
  }

  /** Draws what is on its way after everything else. @param {Outgoing[]} items @param {Parameters<typeof outgoingLine>[1]} acts */
  showOutgoing(items, acts) {
    const follow = this.#atEnd();
    for (const node of this.#list.querySelectorAll("[data-outgoing]")) node.remove();
    this.#list.append(...items.map((item) => outgoingLine(item, acts)));
    this.#settle(follow, false);
  }

  /** Brings a message into view, focuses and marks it. @param {string} messageId */
  reveal(messageId) {
    const line = this.#lineOf(messageId);
    if (!line) return;
    this.root.querySelector(".revealed")?.classList.remove("revealed");
    line.classList.add("revealed");
    line.scrollIntoView({ block: "center" });
    line.focus({ preventScroll: true });
  }

  /** Scrolls to the line of an event, without moving the page around the transcript. @param {number} seq */
  revealEvent(seq) {
    const line = this.#lines.get(seq);
    if (line) this.root.scrollTop += line.getBoundingClientRect().top - this.root.getBoundingClientRect().top - this.root.clientHeight / 2;
  }

  #scrolled() {
    this.#follows = this.#atEnd();
    if (this.#follows && this.newer) this.newer.hidden = true;
  }

  toEnd() {
    this.#follows = true;
    this.root.scrollTop = this.root.scrollHeight;
    if (this.newer) this.newer.hidden = true;
  }

  /** @param {Happening} event @param {HTMLElement | null} line */
  #place(event, line) {
    if (!line || this.#lines.has(event.seq)) return;
    let before = this.#list.querySelector("[data-outgoing]");
    if (event.seq < this.#last) {
      const later = [...this.#lines.keys()].filter((seq) => seq > event.seq);
      before = this.#lines.get(Math.min(...later)) ?? before;
    }
    this.#list.insertBefore(line, before);
    this.#lines.set(event.seq, line);
    this.#last = Math.max(this.#last, event.seq);
  }

  /** @param {string} messageId @returns {HTMLElement | null} */
  #lineOf(messageId) {
    return this.#list.querySelector(`#m-${CSS.escape(messageId)}`);
  }

  #atEnd() {
    return this.root.scrollHeight - this.root.scrollTop - this.root.clientHeight < NEAR_END;
  }

  /** Stays at the end if it was there; otherwise only says that something came. @param {boolean} follow @param {boolean} message */
  #settle(follow, message) {
    if (follow) this.toEnd();
    else if (message && this.newer) this.newer.hidden = false;
  }
}
