/** The owner's page of what leaves the house. */

/** @import { Delivery, Endpoint } from "./types.js" */

import { api, wordsOf } from "./api.js";
import { arrange, byId, el, say } from "./dom.js";
import { Endpoints, state } from "./endpoints.js";
import { announce, showMe } from "./page.js";
import { timeOf } from "./time.js";
import { CHANNELS, DELIVERY, TOLD, counted, inWords } from "./words.js";

const LOOK_AGAIN = 5000;

class Page {
  /** @type {Endpoint[]} */
  #endpoints = [];
  #shown = "";
  #asked = 0;

  constructor() {
    this.endpoints = new Endpoints(() => this.load());
    this.status = /** @type {HTMLSelectElement} */ (byId("f-status"));
    this.endpoint = /** @type {HTMLSelectElement} */ (byId("f-endpoint"));
    this.status.append(new Option("All", ""), ...Object.entries(DELIVERY).map(([name, words]) => new Option(words, name)));
    byId("filters").addEventListener("change", () => this.load());
    byId("again").addEventListener("click", () => this.load());
    setInterval(() => document.visibilityState === "visible" && !document.querySelector("dialog[open]") && this.load(), LOOK_AGAIN);
    this.load();
  }

  /** Reads all of it; of several readings under way only the latest is shown. */
  async load() {
    const asked = ++this.#asked;
    const query = new URLSearchParams();
    if (this.status.value) query.set("status", this.status.value);
    if (this.endpoint.value) query.set("endpoint", this.endpoint.value);
    try {
      const found = await api.deliveries(query);
      if (asked !== this.#asked) return;
      byId("again").hidden = true;
      const text = JSON.stringify([String(query), found]);
      if (text === this.#shown) return; // nothing is new: leave the focus and the selection alone
      this.#shown = text;
      this.#endpoints = found.endpoints;
      this.endpoints.show(found.endpoints);
      this.#choices();
      say(byId("ways"), waysOf(found.mail, found.notices, found.counts));
      this.#list(found.deliveries);
    } catch (error) {
      if (asked !== this.#asked) return;
      this.#shown = "";
      say(byId("list-message"), wordsOf(error));
      say(byId("endpoints-empty"), "");
      byId("again").hidden = false;
    }
  }

  #choices() {
    const chosen = this.endpoint.value;
    this.endpoint.replaceChildren(new Option("All", ""), ...this.#endpoints.map((one) => new Option(one.url, one.id)));
    this.endpoint.value = this.#endpoints.some((one) => one.id === chosen) ? chosen : "";
  }

  /** @param {Delivery[]} deliveries */
  #list(deliveries) {
    const focused = document.activeElement?.getAttribute("data-replay");
    arrange(byId("list"), deliveries.map((delivery) => this.#card(delivery)));
    if (focused) document.querySelector(`[data-replay="${CSS.escape(focused)}"]`)?.focus();
    const none = this.status.value || this.endpoint.value ? "Nothing fits these filters." : "Nothing has left the house so far.";
    say(byId("list-message"), deliveries.length ? "" : none);
  }

  /** @param {Delivery} delivery */
  #card(delivery) {
    const over = delivery.status !== "pending";
    const when = delivery.due_at && new Date(delivery.due_at) > new Date() ? ["next try ", timeOf(delivery.due_at)] : [];
    const chat = delivery.conversation_id && el("a", { href: `/console/?chat=${encodeURIComponent(delivery.conversation_id)}` }, "Chat");
    return el("li", { class: "out", "data-delivery": delivery.id },
      el("div", { class: "out-top" }, el("strong", {}, inWords(TOLD, delivery.kind)), state(delivery.status, inWords(DELIVERY, delivery.status))),
      el("p", { class: "out-where soft" }, this.#where(delivery)),
      delivery.last_error && delivery.status !== "sent" && el("p", { class: "out-error" }, delivery.last_error),
      el("div", { class: "out-foot" },
        timeOf(delivery.created_at),
        el("span", {}, counted(delivery.attempts, "attempt")),
        when.length > 0 && el("span", {}, ...when),
        chat,
        over && el("button", { type: "button", class: "quiet", "data-replay": delivery.id, onclick: () => this.#replay(delivery) }, "Send again")));
  }

  /** @param {Delivery} delivery @returns {string} */
  #where(delivery) {
    const url = this.#endpoints.find((one) => one.id === delivery.endpoint_id)?.url;
    return [inWords(CHANNELS, delivery.channel), url].filter(Boolean).join(" to ");
  }

  /** @param {Delivery} delivery */
  async #replay(delivery) {
    say(byId("problem"), "");
    try {
      await api.replay(delivery.id);
      announce("It is on its way again.");
    } catch (error) {
      say(byId("problem"), wordsOf(error));
      byId("problem").scrollIntoView({ block: "nearest" });
    }
    await this.load();
  }
}

/** @param {boolean} mail @param {number} notices @param {Record<string, number>} counts */
function waysOf(mail, notices, counts) {
  const ways = [
    mail ? "E-mail is set up" : "E-mail is not set up, so answers reach customers in the chat only",
    notices ? `notices go to ${counted(notices, "target")}` : "nobody is sent a notice when a customer waits",
  ];
  const dead = counts.dead ? ` ${counted(counts.dead, "delivery was", "deliveries were")} given up.` : "";
  return `${ways.join("; ")}.${dead}`;
}

async function start() {
  try {
    const me = await api.me();
    showMe(me);
    const owner = me.role === "owner";
    byId("owner").hidden = !owner;
    byId("not-owner").hidden = owner;
    if (owner) new Page();
  } catch (error) {
    byId("not-owner").hidden = false;
    byId("not-owner").replaceChildren(el("p", {}, wordsOf(error)), el("button", { type: "button", onclick: () => location.reload() }, "Try again"));
  }
}

start();
