/** Where an agent writes: to the customer, or a note to colleagues. */

/** @import { Keep } from "./store.js" */
/** @import { Outgoing } from "./types.js" */

import { byId, say } from "./dom.js";

/**
 * @typedef {object} Around
 * @property {(text: string, visibility: Outgoing["visibility"]) => void} send
 * @property {() => void} leave
 * @property {(note: boolean) => void} typed  something is being written; not called for what is put in or taken out
 * @property {() => void} emptied
 * @property {(note: boolean) => void} turned  it is now for a note, or for a reply
 * @property {(event: KeyboardEvent) => boolean} key  a key somebody else may want first
 */

export class Composer {
  /** @type {string | null} */
  #id = null;
  #mine = false;
  #note = false;

  /** @param {Keep} keep @param {Around} around */
  constructor(keep, around) {
    this.keep = keep;
    this.around = around;
    this.form = byId("composer");
    this.field = byId("draft");
    this.toggle = byId("note-toggle");
    this.form.addEventListener("submit", (/** @type {Event} */ event) => (event.preventDefault(), this.#submit()));
    this.field.addEventListener("input", () => this.#input());
    this.field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event));
    this.toggle.addEventListener("click", () => this.focus(!this.#note));
  }

  /** Whether something was written and not sent. */
  get dirty() {
    return this.field.value.trim() !== "";
  }

  get noting() {
    return this.#note;
  }

  /** Whether a customer can be answered here. */
  get replying() {
    return this.#mine && !this.#note;
  }

  /** Shows the draft of a conversation. What was written as a note stays a note when the chat becomes mine. @param {string} id @param {boolean} mine */
  show(id, mine) {
    const other = this.#id !== id;
    const became = mine && !this.#mine;
    [this.#id, this.#mine] = [id, mine];
    if (other) {
      const draft = this.keep.draft(id);
      this.field.value = draft.text;
      this.#note = draft.note;
      say(byId("draft-problem"), "");
    } else if (became && !this.dirty) {
      this.#note = false;
    }
    this.#note ||= !mine;
    this.#draw();
  }

  /** @param {boolean} note */
  focus(note) {
    this.#note = note || !this.#mine;
    this.#save();
    this.#draw();
    this.field.focus();
  }

  /** Puts a text where the caret is, for the customer; it is not sent. @param {string} text */
  insert(text) {
    if (!this.#mine) return;
    this.focus(false);
    const before = this.field.value.slice(0, this.field.selectionStart);
    const apart = before.trim() && !/\n\s*$/.test(before) ? "\n\n" : "";
    this.field.setRangeText(apart + text, this.field.selectionStart, this.field.selectionEnd, "end");
    this.#input();
  }

  /** Puts a text that was refused back. @param {Outgoing} item */
  edit(item) {
    this.field.value = this.dirty ? `${item.text}\n${this.field.value}` : item.text;
    this.focus(item.visibility === "internal");
  }

  clear() {
    this.field.value = "";
    this.#note = !this.#mine;
    this.#save();
    this.#draw();
    this.around.emptied();
  }

  #input() {
    this.#save();
    if (this.dirty) this.around.typed(this.#note);
    else this.around.emptied();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (this.around.key(event)) return;
    if (event.key === "Escape") this.around.leave();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    const text = this.field.value.trim();
    say(byId("draft-problem"), text ? "" : "Write something first.");
    if (!text) return;
    this.around.send(text, this.#note ? "internal" : "public");
    this.field.value = "";
    this.#save();
    this.around.emptied();
    this.field.focus();
  }

  #save() {
    if (this.#id) this.keep.saveDraft(this.#id, { text: this.field.value, note: this.#note });
  }

  #draw() {
    this.form.classList.toggle("noting", this.#note);
    this.toggle.hidden = !this.#mine;
    this.toggle.setAttribute("aria-pressed", String(this.#note));
    byId("draft-label").textContent = this.#note ? "Note, only staff" : "Reply to the customer";
    byId("send").textContent = this.#note ? "Save note" : "Send";
    byId("draft-hint").textContent = this.#hint();
    this.around.turned(this.#note);
  }

  #hint() {
    if (!this.#mine) return "This chat is not with you: only notes. @ mentions a colleague";
    return `Enter sends, Shift+Enter begins a new line, ${this.#note ? "@ mentions a colleague" : "/ finds a text"}`;
  }
}
