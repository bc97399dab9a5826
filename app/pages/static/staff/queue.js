/** The queue: four lanes of cards. A card keeps its element as long as it exists, so that the focus stays. */

/** @import { Card, Desk } from "./types.js" */
/** @import { Keep } from "./store.js" */

import { arrange, byId, el } from "./dom.js";
import { moodMark } from "./reading.js";
import { since, timeOf } from "./time.js";
import { FLAGS, REASONS, RETURNED, customerName, inWords } from "./words.js";

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

/** What makes a chat harder, or needs somebody in particular. @param {Card} card */
export function tagsOf({ heavy, flags, language, returned_reason: returned }) {
  const words = [heavy && "Heavy", ...(flags ?? []).map((flag) => inWords(FLAGS, flag)), language && language !== "en" && language.toUpperCase(), returned && inWords(RETURNED, returned)];
  const tags = words.filter(Boolean).map((word) => el("span", { class: "flag" }, word));
  return tags.length ? el("span", { class: "card-tags" }, ...tags) : null;
}

/** @param {Card} card @param {boolean} mine @param {boolean} unseen */
function faceOf(card, mine, unseen) {
  const probability = card.state === "frustrated" ? card.frustration : null;
  return [
    el("span", { class: "card-top" }, el("strong", {}, customerName(card.customer_name)), unseen ? el("span", { class: "unseen" }, "New message") : null, where(card, mine)),
    card.reason && card.status !== "bot" ? el("span", { class: "card-reason" }, inWords(REASONS, card.reason)) : null,
    tagsOf(card),
    card.last_message ? el("span", { class: "card-last", dir: "auto" }, card.last_message) : null,
    el("span", { class: "card-foot" }, card.state ? moodMark(card.state, probability) : null, when(card)),
  ].filter((part) => part !== null);
}

export class Queue {
  /** @type {Map<string, {item: HTMLElement, button: HTMLElement, drawn: string}>} */
  #cards = new Map();
  /** @type {string | null} */
  #openId = null;

  /** @param {HTMLElement} root @param {Keep} keep @param {(id: string) => void} open */
  constructor(root, keep, open) {
    this.root = root;
    this.keep = keep;
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
    const offered = new Set((desk.offered ?? []).map((offer) => offer.id));
    for (const lane of LANES) this.#lane(lane, desk[lane].filter((card) => !offered.has(card.id)));
    const present = new Set(LANES.flatMap((lane) => desk[lane].map((card) => card.id)));
    for (const id of [...this.#cards.keys()]) if (!present.has(id)) this.#cards.delete(id);
    if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
  }

  /** Marks which chat is open. @param {string | null} openId */
  mark(openId) {
    this.#openId = openId;
    for (const card of this.root.querySelectorAll("[data-conversation]")) {
      card.setAttribute("aria-current", String(card.getAttribute("data-conversation") === openId));
    }
  }

  /** What was new in a chat was looked at. @param {string} id */
  seen(id) {
    this.#cards.get(id)?.button.querySelector(".unseen")?.remove();
  }

  /** Whether the customer wrote something that was never on this person's screen. @param {Card} card @param {boolean} mine */
  #unseen(card, mine) {
    const seen = this.keep.seen(card.id) ?? (mine ? 0 : Infinity); // of others' chats only those once looked at
    return (card.last_message_seq ?? 0) > seen;
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
    const unseen = !(card.id === this.#openId && document.visibilityState === "visible") && this.#unseen(card, mine);
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
