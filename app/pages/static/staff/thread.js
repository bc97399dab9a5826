/** A conversation's events on this page: each once, in order. */

/** @import { Happening, Reading, StaffView, Status } from "./types.js" */

/** @type {Record<string, Status>} */
const LEADS_TO = {
  handoff_requested: "waiting", released: "waiting", transferred: "waiting", returned_to_queue: "waiting", taken: "with_agent",
  returned_to_bot: "bot", reopened: "bot", resolved: "resolved",
};

export class Thread {
  /** @param {StaffView} view */
  constructor(view) {
    this.id = view.id;
    this.name = view.customer_name;
    this.email = view.customer_email;
    /** @type {Status} */
    this.status = "bot";
    /** @type {string | null} */
    this.assigneeId = null;
    /** @type {string | null} */
    this.assigneeName = null;
    /** @type {string | null} */
    this.reason = view.reason;
    this.lastSeq = 0;
    /** @type {Map<number, Happening>} */
    this.events = new Map();
    /** @type {Map<string, Reading>} */
    this.readings = new Map();
    this.add(view.events);
    this.status = view.status;
    this.assigneeId = view.assignee_id;
    this.assigneeName = view.assignee_name;
  }

  /** Takes events in, whatever order they come in; returns those that are new, in order. @param {Happening[]} events @returns {Happening[]} */
  add(events) {
    const fresh = events.filter((event) => !this.events.has(event.seq)).sort((a, b) => a.seq - b.seq);
    for (const event of fresh) {
      this.events.set(event.seq, event);
      this.#learn(event);
      // State follows the newest event only; one that arrives late changes nothing that came after it.
      if (event.seq > this.lastSeq) this.#apply(event);
      this.lastSeq = Math.max(this.lastSeq, event.seq);
    }
    return fresh;
  }

  /** @returns {Map<string, string>} what each message says */
  get texts() {
    const messages = [...this.events.values()].flatMap((event) => (event.message ? [event.message] : []));
    return new Map(messages.map((message) => [message.id, message.text]));
  }

  /** Where the chat began, as the widget told. @returns {{page: string | null, referrer: string | null}} */
  get visit() {
    const opened = [...this.events.values()].find((event) => event.kind === "conversation_opened");
    return { page: opened?.payload.page_url ?? null, referrer: opened?.payload.referrer ?? null };
  }

  /** @returns {number[]} the seq of each handoff */
  get handoffs() {
    return [...this.events.values()].filter((event) => event.kind === "handoff_requested").map((event) => event.seq);
  }

  /** @param {Happening} event */
  #learn({ kind, payload, message }) {
    if (kind === "message_read") this.readings.set(payload.message_id, payload.reading);
    else if (message?.reading) this.readings.set(message.id, message.reading);
  }

  /** @param {Happening} event */
  #apply({ kind, payload }) {
    if (kind === "customer_named") [this.name, this.email] = [payload.name, payload.email];
    if (kind === "handoff_requested") this.reason = payload.reason;
    if (!(kind in LEADS_TO)) return;
    this.status = LEADS_TO[kind];
    this.assigneeId = kind === "taken" ? payload.agent_id : null;
    this.assigneeName = kind === "taken" ? payload.agent_name : null;
  }
}
