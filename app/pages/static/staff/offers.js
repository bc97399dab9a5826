/** Chats that are offered to oneself, with the time that is left to answer. They open like any other card of the queue. */

/** @import { Offer, StaffView } from "./types.js" */

import { Problem, api, wordsOf } from "./api.js";
import { arrange, byId, el, say } from "./dom.js";
import { tagsOf } from "./queue.js";
import { moodMark } from "./reading.js";
import { until } from "./time.js";
import { REASONS, customerName, inWords } from "./words.js";

export class Offers {
  /** @type {Map<string, HTMLElement>} */
  #items = new Map();
  /** @type {Offer[]} */
  #offered = [];
  #busy = false;

  /** @param {{accepted: (view: StaffView) => void, refresh: () => void, fresh: (offers: Offer[]) => void}} on */
  constructor(on) {
    this.on = on;
    this.lane = /** @type {HTMLElement} */ (document.querySelector("[data-lane=offered]"));
    this.problem = byId("offer-problem");
  }

  /** @param {Offer[]} offered */
  show(offered) {
    const fresh = offered.filter((offer) => !this.#items.has(keyOf(offer)));
    this.#offered = offered;
    const keys = new Set(offered.map(keyOf));
    for (const key of [...this.#items.keys()]) if (!keys.has(key)) this.#items.delete(key);
    if (offered.length) say(this.problem, "");
    this.lane.hidden = offered.length === 0 && this.problem.hidden;
    byId("offered-count").textContent = `(${offered.length})`;
    arrange(byId("offered"), offered.map((offer) => this.#item(offer)));
    if (fresh.length) this.on.fresh(fresh);
  }

  /** The one under the focus, or the first. @returns {Offer | undefined} */
  get current() {
    const focused = document.activeElement?.closest("[data-offer]")?.getAttribute("data-offer");
    return this.#offered.find((offer) => offer.id === focused) ?? this.#offered[0];
  }

  /** @param {Offer} offer @param {boolean} accept */
  async answer(offer, accept) {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const view = await api.answerDeskOffer(offer.id, accept);
      say(this.problem, "");
      if (view) this.on.accepted(view);
    } catch (error) {
      const late = error instanceof Problem && error.status === 409;
      say(this.problem, late ? "That chat is no longer offered to you." : wordsOf(error));
      this.lane.hidden = false;
    } finally {
      this.#busy = false;
      this.on.refresh();
    }
  }

  /** @param {Offer} offer */
  #item(offer) {
    const known = this.#items.get(keyOf(offer));
    if (known) return known;
    const name = customerName(offer.customer_name);
    const button = (/** @type {string} */ words, /** @type {boolean} */ accept) =>
      el("button", { type: "button", class: accept ? "primary" : null, "data-answer": accept ? "accept" : "decline", "aria-label": `${words} the chat with ${name}`, onclick: () => this.answer(offer, accept) }, words);
    const made = el("li", { class: "offer", "data-offer": offer.id },
      el("button", { type: "button", class: "card", "data-conversation": offer.id },
        el("span", { class: "card-top" }, el("strong", {}, name), el("span", { class: "place" }, until(offer.offer_expires_at))),
        offer.reason ? el("span", { class: "card-reason" }, inWords(REASONS, offer.reason)) : null,
        tagsOf(offer),
        offer.last_message ? el("span", { class: "card-last", dir: "auto" }, offer.last_message) : null,
        offer.state ? el("span", { class: "card-foot" }, moodMark(offer.state, offer.state === "frustrated" ? offer.frustration : null)) : null),
      el("div", { class: "actions" }, button("Accept", true), button("Decline", false)));
    this.#items.set(keyOf(offer), made);
    return made;
  }
}

/** The same chat offered again is another offer. @param {Offer} offer */
const keyOf = (offer) => `${offer.id} ${offer.offer_expires_at}`;
