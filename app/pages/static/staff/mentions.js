/** Colleagues: their names in notes, and the notes that name oneself. */

/** @import { Colleague, Mention } from "./types.js" */
/** @import { Keep } from "./store.js" */

import { api } from "./api.js";
import { arrange, byId, el, withLinks } from "./dom.js";
import { timeOf } from "./time.js";
import { customerName } from "./words.js";

/** Everybody who works here, once loaded. @type {Colleague[]} */
let everybody = [];

/** Without them the console still works; only names are not completed. */
export async function loadColleagues() {
  everybody = await api.colleagues().catch(() => everybody);
}

/** @param {string} text @returns {string} for a regular expression */
const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Colleagues whose name begins so. @param {string} begun @param {string} meId @returns {Colleague[]} */
export function colleaguesLike(begun, meId) {
  const wanted = begun.toLocaleLowerCase();
  return everybody.filter(({ id, name }) => id !== meId && name.toLocaleLowerCase().startsWith(wanted));
}

/** A note's text with names and web addresses marked. @param {string} text @returns {DocumentFragment} */
export function withMentions(text) {
  const fragment = document.createDocumentFragment();
  const names = everybody.map(({ name }) => literal(name)).sort((a, b) => b.length - a.length);
  const found = names.length ? new RegExp(`(?<![\\p{L}\\p{N}_])@(?:${names.join("|")})(?![\\p{L}\\p{N}_])`, "giu") : /(?!)/g;
  let done = 0;
  for (const match of text.matchAll(found)) {
    fragment.append(withLinks(text.slice(done, match.index)), el("strong", { class: "mention" }, match[0]));
    done = match.index + match[0].length;
  }
  fragment.append(withLinks(text.slice(done)));
  return fragment;
}

/** The notes that name oneself and were not looked at yet, on top of the queue. */
export class Mentions {
  /** @type {Map<string, HTMLElement>} */
  #cards = new Map();
  #asked = 0;
  #known = new Set();

  /** @param {Keep} keep @param {{open: (mention: Mention) => void, fresh: (mentions: Mention[]) => void}} on */
  constructor(keep, on) {
    this.keep = keep;
    this.on = on;
    this.lane = /** @type {HTMLElement} */ (document.querySelector("[data-lane=mentions]"));
    this.refresh();
  }

  async refresh() {
    const asked = ++this.#asked;
    const first = this.#known.size === 0 && asked === 1;
    const mentions = await api.mentions().catch(() => null); // the next one, or a reload, reads again
    if (!mentions || asked !== this.#asked) return;
    const fresh = mentions.filter(({ message_id: id }) => !this.#known.has(id));
    for (const { message_id: id } of mentions) this.#known.add(id);
    this.#draw(mentions);
    if (!first && fresh.length) this.on.fresh(fresh);
  }

  /** @param {Mention[]} mentions */
  #draw(mentions) {
    const seen = new Set(this.keep.mentionsSeen());
    const open = mentions.filter(({ message_id: id }) => !seen.has(id));
    this.lane.hidden = open.length === 0;
    byId("mentions-count").textContent = `(${open.length})`;
    arrange(byId("mentions"), open.map((mention) => this.#card(mention)));
  }

  /** @param {Mention} mention */
  #card(mention) {
    const known = this.#cards.get(mention.message_id);
    if (known) return known;
    const look = (/** @type {Event} */ event) => {
      event.stopPropagation();
      this.keep.saveMentionSeen(mention.message_id);
      made.remove();
      this.lane.hidden = !byId("mentions").children.length;
      byId("mentions-count").textContent = `(${byId("mentions").children.length})`;
      this.on.open(mention);
    };
    const words = `${mention.author_name ?? "A colleague"} mentioned you`;
    const made = el("li", {}, el("button", { type: "button", class: "card mentioned", "data-mention": mention.message_id, onclick: look },
      el("span", { class: "card-top" }, el("strong", {}, words)),
      el("span", { class: "card-foot" }, el("span", {}, `Chat with ${customerName(mention.customer_name)}`), el("span", { class: "when" }, timeOf(mention.at)))));
    this.#cards.set(mention.message_id, made);
    return made;
  }
}
