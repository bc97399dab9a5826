/** The queue: four lanes of cards. A card keeps its element as long as it exists, so that the focus stays. */

/** @import { Card, Desk } from "./types.js" */

import { arrange, byId, el } from "./dom.js";
import { moodMark } from "./reading.js";
import { since, timeOf } from "./time.js";
import { REASONS, customerName, inWords } from "./words.js";

const LANES = /** @type {const} */ (["waiting", "mine", "others", "bot"]);

/** @param {Card} card @param {boolean} mine */
function where(card, mine) {
  if (card.status === "waiting" && card.wait) return el("span", { class: "place" }, card.wait.place === 1 ? "Next" : `Place ${card.wait.place}`);
  return card.assignee_name && !mine ? el("span", { class: "place" }, card.assignee_name) : null;
}

/** @param {Card} card */
function when(card) {
  if (card.waiting_since) return el("span", { class: "when" }, "Waiting ", since(card.waiting_since));
  return card.last_at ? el("span", { class: "when" }, "Wrote ", timeOf(card.last_at)) : null;
}

/** @param {Card} card @param {boolean} mine @param {boolean} unseen */
function faceOf(card, mine, unseen) {
  const probability = card.state === "frustrated" ? card.frustration : null;
  return [
    el("span", { class: "card-top" }, el("strong", {}, customerName(card.customer_name)), unseen ? el("span", { class: "unseen" }, "New message") : null, where(card, mine)),
    card.reason && card.status !== "bot" ? el("span", { class: "card-reason" }, inWords(REASONS, card.reason)) : null,
    card.last_message ? el("span", { class: "card-last", dir: "auto" }, card.last_message) : null,
    el("span", { class: "card-foot" }, card.state ? moodMark(card.state, probability) : null, when(card)),
  ].filter((part) => part !== null);
}

export class Queue {
  /** @type {Map<string, {item: HTMLElement, button: HTMLElement, drawn: string}>} */
  #cards = new Map();
  /** @type {Map<string, string | null>} when the customer last wrote, as this person has seen it */
  #seen = new Map();
  /** @type {string | null} */
  #openId = null;
  #drawnBefore = false;

  /** @param {HTMLElement} root @param {(id: string) => void} open */
  constructor(root, open) {
    this.root = root;
    root.addEventListener("click", (event) => {
      const card = /** @type {Element} */ (event.target).closest("button.card");
      if (card) open(card.getAttribute("data-conversation") ?? "");
    });
  }

  /** @param {Desk} desk @param {string | null} openId */
  show(desk, openId) {
    this.#openId = openId;
    const focused = /** @type {HTMLElement | null} */ (document.activeElement?.closest("button.card"));
    this.root.setAttribute("aria-busy", "false");
    byId("queue-loading").hidden = true;
    for (const lane of LANES) this.#lane(lane, desk[lane]);
    const present = new Set(LANES.flatMap((lane) => desk[lane].map((card) => card.id)));
    for (const id of [...this.#cards.keys()]) if (!present.has(id)) this.#cards.delete(id);
    this.#drawnBefore = true;
    if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
  }

  /** Marks which chat is open. @param {string | null} openId */
  mark(openId) {
    this.#openId = openId;
    for (const [id, { button }] of this.#cards) button.setAttribute("aria-current", String(id === openId));
    if (openId) this.#cards.get(openId)?.button.querySelector(".unseen")?.remove();
  }

  /** @param {typeof LANES[number]} name @param {Card[]} cards */
  #lane(name, cards) {
    const lane = /** @type {HTMLElement} */ (this.root.querySelector(`[data-lane=${name}]`));
    const list = /** @type {HTMLElement} */ (lane.querySelector(".cards"));
    lane.hidden = false;
    /** @type {HTMLElement} */ (lane.querySelector(".count")).textContent = `(${cards.length})`;
    /** @type {HTMLElement} */ (lane.querySelector(".empty")).hidden = cards.length > 0;
    list.hidden = cards.length === 0;
    arrange(list, cards.map((card) => this.#card(card, name === "mine")));
  }

  /** @param {Card} card @param {boolean} mine */
  #card(card, mine) {
    if (!this.#drawnBefore || card.id === this.#openId) this.#seen.set(card.id, card.last_at);
    const unseen = mine && this.#seen.get(card.id) !== card.last_at;
    const known = this.#cards.get(card.id) ?? this.#newCard(card.id);
    const drawn = JSON.stringify([card, mine, unseen]);
    if (known.drawn !== drawn) {
      known.button.replaceChildren(...faceOf(card, mine, unseen));
      known.drawn = drawn;
    }
    known.button.setAttribute("aria-current", String(card.id === this.#openId));
    return known.item;
  }

  /** @param {string} id */
  #newCard(id) {
    const button = el("button", { type: "button", class: "card", "data-conversation": id });
    const made = { item: el("li", {}, button), button, drawn: "" };
    this.#cards.set(id, made);
    return made;
  }
}
