/** Where an agent writes: to the customer, or a note to colleagues. */

/** @import { Keep } from "./store.js" */
/** @import { Outgoing } from "./types.js" */

import { byId, say } from "./dom.js";

/** @typedef {(text: string, visibility: Outgoing["visibility"]) => void} Send */

export class Composer {
  /** @type {string | null} */
  #id = null;
  #mine = false;
  #note = false;

  /** @param {Keep} keep @param {Send} send @param {() => void} leave */
  constructor(keep, send, leave) {
    this.keep = keep;
    this.send = send;
    this.form = byId("composer");
    this.field = byId("draft");
    this.toggle = byId("note-toggle");
    this.form.addEventListener("submit", (/** @type {Event} */ event) => (event.preventDefault(), this.#submit()));
    this.field.addEventListener("input", () => this.#save());
    this.field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event, leave));
    this.toggle.addEventListener("click", () => this.focus(!this.#note));
  }

  /** Whether something was written and not sent. */
  get dirty() {
    return this.field.value.trim() !== "";
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
  }

  /** @param {KeyboardEvent} event @param {() => void} leave */
  #key(event, leave) {
    if (event.key === "Escape") leave();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    const text = this.field.value.trim();
    say(byId("draft-problem"), text ? "" : "Write something first.");
    if (!text) return;
    this.send(text, this.#note ? "internal" : "public");
    this.field.value = "";
    this.#save();
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
    byId("draft-hint").textContent = this.#mine ? "Enter sends, Shift+Enter begins a new line" : "This chat is not with you: only notes";
  }
}
