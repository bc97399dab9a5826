/** One's own day: at the desk or not, how much there was, and when a pause would do good. */

/** @import { Account, Me } from "./types.js" */

import { api, wordsOf } from "./api.js";
import { byId, say } from "./dom.js";
import { timeOf } from "./time.js";
import { counted } from "./words.js";

/** @type {Record<Me["status"], string>} */
const STATUS = { here: "Here", away: "Away", leaving: "Leaving" };

export class Day {
  /** @type {Me | null} */
  #me = null;
  /** The advice that was put aside. @type {string | null} */
  #declined = null;

  constructor() {
    this.button = byId("day-button");
    for (const choice of document.querySelectorAll("[name=day-status]")) {
      choice.addEventListener("change", () => this.#change(/** @type {HTMLInputElement} */ (choice).value));
    }
    byId("pause-away").addEventListener("click", () => this.#change("away"));
    byId("pause-later").addEventListener("click", () => {
      this.#declined = this.#me?.pause_reason ?? "";
      this.#draw();
    });
  }

  /** @param {Account | Me} me */
  show(me) {
    if (!("status" in me)) return;
    this.#me = me;
    this.#draw();
  }

  #draw() {
    const me = this.#me;
    if (!me) return;
    this.button.hidden = false;
    this.button.textContent = `${STATUS[me.status]} · ${me.held} of ${me.capacity}`;
    this.button.dataset.status = me.status;
    for (const choice of document.querySelectorAll("[name=day-status]")) {
      const input = /** @type {HTMLInputElement} */ (choice);
      input.checked = input.value === me.status;
    }
    byId("day-numbers").replaceChildren(
      `${counted(me.day.chats, "chat")} and ${counted(Math.round(me.day.heavy_minutes), "heavy minute")}`,
      ...(me.day.since ? [" since ", timeOf(me.day.since)] : [" today"]), ".");
    if (!me.pause_advised) this.#declined = null;
    const advice = me.pause_reason ?? "";
    const advised = me.pause_advised && me.status === "here" && this.#declined !== advice;
    byId("pause").hidden = !advised;
    byId("pause-text").textContent = advice ? `Time for a pause: ${advice}.` : "Time for a pause.";
  }

  /** @param {string} status */
  async #change(status) {
    say(byId("day-problem"), "");
    try {
      this.show(await api.changeMe({ status }));
    } catch (error) {
      this.#draw();
      say(byId("day-problem"), `Not changed. ${wordsOf(error)}`);
    }
  }
}
