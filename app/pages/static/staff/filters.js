/** The review's filters, kept in the address. */

/** @import { Account } from "./types.js" */

import { byId, el } from "./dom.js";
import { HANDOFF_REASONS, OUTCOMES, REASONS, STATES, VERDICTS } from "./words.js";

const NAMES = ["reason", "state", "agent", "outcome", "verdict", "time", "from", "to"];
const TIMES = { "": "All time", today: "Today", 7: "Last 7 days", 30: "Last 30 days", dates: "From … to …" };

/** @param {string} any @param {Iterable<[string, string]>} entries */
const options = (any, entries) => [el("option", { value: "" }, any), ...[...entries].map(([value, words]) => el("option", { value }, words))];

/** @param {number} days 0: today @returns {Date} a midnight of this computer's time */
function midnight(days) {
  const at = new Date();
  at.setHours(0, 0, 0, 0);
  at.setDate(at.getDate() + days);
  return at;
}

/** @param {string} date "2026-03-01" @param {number} [days] added @returns {string} */
function startOf(date, days = 0) {
  const at = new Date(`${date}T00:00:00`);
  at.setDate(at.getDate() + days);
  return at.toISOString();
}

export class Filters {
  /** @param {() => void} changed */
  constructor(changed) {
    this.form = byId("filters");
    byId("f-reason").append(...options("Any", HANDOFF_REASONS.map((name) => /** @type {[string, string]} */ ([name, REASONS[name]]))));
    byId("f-state").append(...options("Any", Object.entries(STATES)));
    byId("f-agent").append(...options("Any", []));
    byId("f-outcome").append(...options("Any", Object.entries(OUTCOMES)));
    byId("f-verdict").append(...options("Any", [["none", "Not judged yet"], ...Object.entries(VERDICTS)]));
    byId("f-time").append(...[["", TIMES[""]], ["today", TIMES.today], ["7", TIMES[7]], ["30", TIMES[30]], ["dates", TIMES.dates]]
      .map(([value, words]) => el("option", { value }, words)));
    this.changed = changed;
    this.fromAddress();
    this.form.addEventListener("change", () => this.#toAddress());
    this.form.addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
    byId("clear-filters").addEventListener("click", () => (this.form.reset(), this.#toAddress(), byId("f-reason").focus()));
  }

  fromAddress() {
    const query = new URLSearchParams(location.search);
    const agent = query.get("agent");
    if (agent && !byId("f-agent").querySelector(`option[value="${CSS.escape(agent)}"]`)) byId("f-agent").append(el("option", { value: agent }, "…"));
    for (const name of NAMES) this.#field(name).value = query.get(name) ?? "";
    this.#show();
  }

  /** @param {Account[]} agents */
  showAgents(agents) {
    const field = this.#field("agent");
    const chosen = field.value;
    field.replaceChildren(...options("Any", agents.map(({ id, name }) => /** @type {[string, string]} */ ([id, name]))));
    field.value = chosen;
  }

  get any() {
    return NAMES.some((name) => this.#field(name).value);
  }

  /** @returns {URLSearchParams} what the API is asked */
  query() {
    const query = new URLSearchParams();
    for (const name of ["reason", "state", "agent", "outcome", "verdict"]) {
      if (this.#field(name).value) query.set(name, this.#field(name).value);
    }
    const [time, from, to] = ["time", "from", "to"].map((name) => this.#field(name).value);
    if (time === "today") query.set("since", midnight(0).toISOString());
    if (time === "7" || time === "30") query.set("since", midnight(1 - Number(time)).toISOString());
    if (time === "dates" && from) query.set("since", startOf(from));
    if (time === "dates" && to) query.set("until", startOf(to, 1)); // the last day counts whole
    return query;
  }

  #toAddress() {
    const query = new URLSearchParams(location.search);
    for (const name of NAMES) {
      const value = this.#field(name).value;
      if (value) query.set(name, value);
      else query.delete(name);
    }
    history.replaceState(null, "", `?${query}`);
    this.#show();
    this.changed();
  }

  #show() {
    for (const field of this.form.querySelectorAll("[data-dates]")) field.hidden = this.#field("time").value !== "dates";
    byId("clear-filters").hidden = !this.any;
  }

  /** @param {string} name @returns {HTMLSelectElement | HTMLInputElement} */
  #field(name) {
    return byId(`f-${name}`);
  }
}
