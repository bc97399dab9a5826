/** Where the customer writes. Nothing typed is ever lost or cut. */

import { byId, setText } from "./dom.js";

const LONGEST = 16_000;
const LET_KNOW = 15_000;

export class Composer {
  /** @param {import("./store.js").Store} store @param {(text: string) => void} onSend @param {(empty: boolean) => void} onInput */
  constructor(store, onSend, onInput) {
    this.store = store;
    this.onSend = onSend;
    this.form = /** @type {HTMLFormElement} */ (byId("composer"));
    this.field = /** @type {HTMLTextAreaElement} */ (byId("text"));
    this.hint = byId("text-hint");
    this.field.value = store.get("draft") ?? "";
    this.field.addEventListener("input", () => {
      this.changed();
      onInput(!this.field.value.trim());
    });
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    window.addEventListener("resize", () => this.grow());
    this.changed();
  }

  focus() {
    this.field.focus();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    // 229: some input methods report the Enter that ends a composition without isComposing.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.submit();
  }

  changed() {
    const { value } = this.field;
    if (value) this.store.set("draft", value);
    else this.store.remove("draft");
    this.grow();
    this.warn();
  }

  grow() {
    this.field.style.height = "auto";
    const borders = this.field.offsetHeight - this.field.clientHeight;
    this.field.style.height = `${this.field.scrollHeight + borders}px`;
  }

  /** @returns {boolean} whether it is too long to send */
  warn() {
    const { value } = this.field;
    // Counted as the server counts: characters, not UTF-16 units.
    const length = value.length < LET_KNOW ? 0 : [...value.normalize("NFC").trim()].length;
    const tooLong = length > LONGEST;
    const count = `${length.toLocaleString()} of ${LONGEST.toLocaleString()} characters.`;
    const advice = tooLong ? " That is too long to send at once. Please send it in parts; nothing is cut." : "";
    this.hint.hidden = length < LET_KNOW;
    this.hint.classList.toggle("too-long", tooLong);
    setText(this.hint, this.hint.hidden ? "" : count + advice);
    this.field.setAttribute("aria-invalid", String(tooLong));
    return tooLong;
  }

  submit() {
    if (!this.field.value.trim() || this.warn()) return this.focus();
    const text = this.field.value;
    this.field.value = "";
    this.onSend(text);
    this.changed();
    this.focus();
  }
}
