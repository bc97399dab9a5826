/** The owner's review: the list of escalations, its filters and counts, and the one that is open. */

/** @import { Escalation } from "./types.js" */

import { api, wordsOf } from "./api.js";
import { countsView } from "./counts.js";
import { arrange, byId, el, say } from "./dom.js";
import { Detail, faceOf, keyOf } from "./escalation.js";
import { Filters } from "./filters.js";
import { startInviting } from "./invite.js";
import { announce, listenToKeys, showMe, stepCards } from "./page.js";
import { VerdictForm } from "./verdict.js";
import { counted } from "./words.js";

class Review {
  /** @type {Escalation[]} */
  #found = [];
  /** @type {Map<string, HTMLElement>} */
  #buttons = new Map();
  #asked = 0;
  /** @type {string | null} */
  #open = null;

  constructor() {
    this.detail = new Detail();
    this.verdict = new VerdictForm((one) => this.#judged(one));
    this.filters = new Filters(() => this.load());
    byId("list-again").addEventListener("click", () => this.load());
    byId("detail-again").addEventListener("click", () => this.follow());
    byId("to-list").addEventListener("click", () => this.#go(null));
    addEventListener("popstate", () => (this.filters.fromAddress(), this.load()));
    const step = (/** @type {number} */ by) => stepCards(byId("list"), by);
    const arrow = (/** @type {KeyboardEvent} */ event, /** @type {number} */ by) =>
      /** @type {Element} */ (event.target).closest("#list") ? step(by) : false;
    const press = (/** @type {number} */ number) => () => this.verdict.press(number);
    listenToKeys({
      j: () => step(1), k: () => step(-1), ArrowDown: (event) => arrow(event, 1), ArrowUp: (event) => arrow(event, -1),
      1: press(1), 2: press(2), 3: press(3), 4: press(4),
    });
    this.load();
  }

  /** Reads the list; of several readings under way only the latest is shown. */
  async load() {
    const asked = ++this.#asked;
    say(byId("list-message"), this.#found.length ? "" : "Loading…");
    byId("list-again").hidden = true;
    try {
      const { escalations, agents } = await api.escalations(this.filters.query());
      if (asked !== this.#asked) return;
      this.#found = escalations;
      this.filters.showAgents(agents);
      this.#show();
      announce(`${counted(escalations.length, "escalation")} found.`);
      await this.follow();
    } catch (error) {
      if (asked !== this.#asked) return;
      this.#found = [];
      this.#show();
      say(byId("list-message"), wordsOf(error));
      byId("list-again").hidden = false;
    }
  }

  #show() {
    const none = this.filters.any ? "No escalation fits these filters." : "No person was called so far.";
    say(byId("list-message"), this.#found.length ? "" : none);
    byId("counts").replaceChildren(...countsView(this.#found));
    this.#buttons = new Map(this.#found.map((one) => [keyOf(one), this.#button(one)]));
    byId("escalations").hidden = !this.#found.length;
    arrange(byId("escalations"), [...this.#buttons.values()].map((button) => el("li", {}, button)));
  }

  /** @param {Escalation} one */
  #button(one) {
    const key = keyOf(one);
    return el("button", { type: "button", class: "card", "data-escalation": key, "aria-current": String(key === this.#open), onclick: () => this.#go(key) }, ...faceOf(one));
  }

  /** @param {string | null} key */
  #go(key) {
    const query = new URLSearchParams(location.search);
    if (key) query.set("open", key);
    else query.delete("open");
    history.pushState(null, "", `?${query}`);
    this.follow();
    if (key) byId("detail-title").focus({ preventScroll: true });
    else this.#buttons.values().next().value?.focus();
  }

  /** Shows the escalation the address names. */
  async follow() {
    const key = new URLSearchParams(location.search).get("open");
    this.#open = key;
    for (const [name, button] of this.#buttons) button.setAttribute("aria-current", String(name === key));
    const one = this.#found.find((found) => keyOf(found) === key);
    byId("review").dataset.view = one ? "detail" : "list";
    byId("detail-open").hidden = !one;
    byId("detail-again").hidden = true;
    say(byId("detail-message"), one ? "" : key ? "The open escalation does not fit the filters." : "Choose an escalation to see what was said.");
    if (one) await this.#read(one);
  }

  /** @param {Escalation} one */
  async #read(one) {
    this.detail.head(one);
    this.verdict.show(one);
    try {
      const view = await api.conversation(one.conversation_id);
      if (this.#open === keyOf(one)) this.detail.show(one, view);
    } catch (error) {
      if (this.#open !== keyOf(one)) return;
      byId("detail-open").hidden = true;
      say(byId("detail-message"), wordsOf(error));
      byId("detail-again").hidden = false;
    }
  }

  /** @param {Escalation} one */
  #judged(one) {
    this.#buttons.get(keyOf(one))?.replaceChildren(...faceOf(one));
    byId("counts").replaceChildren(...countsView(this.#found));
  }
}

async function start() {
  try {
    const me = await api.me();
    showMe(me);
    const owner = me.role === "owner";
    byId("owner").hidden = !owner;
    byId("not-owner").hidden = owner;
    if (!owner) return;
    startInviting();
    new Review();
  } catch (error) {
    byId("not-owner").hidden = false;
    byId("not-owner").replaceChildren(el("p", {}, wordsOf(error)), el("button", { type: "button", onclick: () => location.reload() }, "Try again"));
  }
}

start();
