/**
 * Completions for what is being typed: ARIA's combobox pattern, a listbox under the field's control. A field of several
 * lines may not have the role itself (ARIA in HTML), so the list's coming is announced where aria-expanded would be read.
 */

import { el } from "./dom.js";
import { announce } from "./page.js";
import { counted } from "./words.js";

/** @typedef {{label: string, title?: string, preview?: string, insert: string}} Choice */
/**
 * @typedef {object} Source
 * @property {RegExp} begins  matches the text before the caret; its last group is what was typed so far
 * @property {string} name  what the list holds
 * @property {() => boolean} on
 * @property {(typed: string) => Choice[]} find
 */

/** So few that the list need not scroll; typing on narrows it down. */
const MOST = 7;

export class Completion {
  /** @type {Choice[]} */
  #choices = [];
  #at = 0;
  /** Where the text begins that a choice replaces. */
  #from = 0;
  /** What was typed when Escape closed the list; it stays closed until something else is typed. @type {string | null} */
  #declined = null;

  /** @param {HTMLTextAreaElement} field @param {HTMLElement} list @param {Source[]} sources */
  constructor(field, list, sources) {
    this.field = field;
    this.list = list;
    this.sources = sources;
    field.addEventListener("input", () => this.refresh());
    field.addEventListener("click", () => this.refresh());
    field.addEventListener("blur", () => this.close());
    list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    list.addEventListener("click", (event) => {
      const option = /** @type {Element} */ (event.target).closest("[role=option]");
      if (option) this.#choose([...list.children].indexOf(option));
    });
  }

  get open() {
    return !this.list.hidden;
  }

  refresh() {
    const before = this.field.value.slice(0, this.field.selectionStart ?? 0);
    const source = this.sources.find((one) => one.on() && one.begins.test(before));
    const typed = source ? (before.match(source.begins)?.at(-1) ?? "") : "";
    const choices = source && this.#declined !== before ? source.find(typed).slice(0, MOST) : [];
    if (!source || !choices.length) return this.close();
    const grew = !this.open;
    this.#from = before.length - typed.length - 1;
    this.#choices = choices;
    this.#draw(source.name);
    this.#move(0);
    if (grew) announce(`${counted(choices.length, "suggestion")}. Arrow keys choose, Enter inserts.`);
  }

  close() {
    this.list.hidden = true;
    this.list.replaceChildren();
    for (const name of ["aria-controls", "aria-activedescendant"]) this.field.removeAttribute(name);
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the key was for the list */
  key(event) {
    if (!this.open || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return false;
    const count = this.#choices.length;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowDown: () => this.#move((this.#at + 1) % count),
      ArrowUp: () => this.#move((this.#at + count - 1) % count),
      Home: () => this.#move(0),
      End: () => this.#move(count - 1),
      Enter: () => this.#choose(this.#at),
      Tab: () => this.#choose(this.#at),
      Escape: () => {
        this.#declined = this.field.value.slice(0, this.field.selectionStart ?? 0);
        this.close();
      },
    };
    if (event.shiftKey || !Object.hasOwn(keys, event.key)) return false;
    event.preventDefault();
    keys[event.key]();
    return true;
  }

  /** @param {string} name */
  #draw(name) {
    this.list.setAttribute("aria-label", name);
    this.list.replaceChildren(...this.#choices.map(({ label, title, preview }, i) =>
      el("li", { role: "option", id: `${this.list.id}-${i}`, "aria-selected": "false" },
        el("strong", {}, label), title ? ` ${title}` : null, preview ? el("span", { class: "preview", dir: "auto" }, preview) : null)));
    this.list.hidden = false;
    this.field.setAttribute("aria-controls", this.list.id);
  }

  /** @param {number} to */
  #move(to) {
    this.list.children[this.#at]?.setAttribute("aria-selected", "false");
    this.#at = to;
    const option = this.list.children[to];
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    this.field.setAttribute("aria-activedescendant", option.id);
  }

  /** @param {number} index */
  #choose(index) {
    const { insert } = this.#choices[index];
    this.field.setRangeText(insert, this.#from, this.field.selectionStart ?? this.#from, "end");
    this.#declined = this.field.value.slice(0, this.field.selectionStart ?? 0);
    this.close();
    this.field.dispatchEvent(new Event("input"));
  }
}
