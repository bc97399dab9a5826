/** The owner's verdict on one escalation. */

/** @import { Escalation, Verdict } from "./types.js" */

import { api, wordsOf } from "./api.js";
import { byId, el, say } from "./dom.js";
import { VERDICTS } from "./words.js";

const NAMES = /** @type {Verdict[]} */ (Object.keys(VERDICTS));

export class VerdictForm {
  /** @type {Escalation | null} */
  #one = null;

  /** @param {(one: Escalation) => void} given */
  constructor(given) {
    this.given = given;
    this.note = byId("verdict-note");
    this.buttons = NAMES.map((name, i) =>
      el("button", { type: "button", "data-verdict": name, "aria-keyshortcuts": i + 1, "aria-pressed": "false", onclick: () => this.give(name) },
        VERDICTS[name], " ", el("kbd", { "aria-hidden": "true" }, String(i + 1))));
    document.querySelector("#verdict .verdicts")?.append(...this.buttons);
    this.note.addEventListener("input", () => this.#draw());
    byId("save-note").addEventListener("click", () => this.#one?.verdict && this.give(this.#one.verdict));
  }

  /** @param {Escalation} one */
  show(one) {
    this.#one = one;
    this.note.value = one.note;
    say(byId("verdict-problem"), "");
    byId("verdict-saved").textContent = "";
    this.#draw();
  }

  /** @param {number} number 1..4 @returns {void | false} */
  press(number) {
    return this.#one ? void this.give(NAMES[number - 1]) : false;
  }

  /** Shown as pressed only once it is stored. @param {Verdict} verdict */
  async give(verdict) {
    const one = this.#one;
    if (!one) return;
    const note = this.note.value.trim();
    say(byId("verdict-problem"), "");
    try {
      await api.judge(one, verdict, note);
      Object.assign(one, { verdict, note });
      this.given(one);
    } catch (error) {
      if (this.#one === one) say(byId("verdict-problem"), `Not stored. ${wordsOf(error)}`);
      return;
    }
    if (this.#one !== one) return;
    byId("verdict-saved").textContent = "Stored.";
    this.#draw();
  }

  #draw() {
    const one = this.#one;
    if (!one) return;
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.verdict === one.verdict));
    byId("save-note").hidden = !one.verdict || this.note.value.trim() === one.note;
  }
}
