/** The open chat: transcript, head, composer and brief of one conversation, kept up to date. */

/** @import { Account, Happening, StaffView } from "./types.js" */
/** @import { Verb } from "./actions.js" */

import { Actions } from "./actions.js";
import { api, wordsOf } from "./api.js";
import { briefView } from "./brief.js";
import { Composer } from "./composer.js";
import { byId } from "./dom.js";
import { followMessageLinks } from "./evidence.js";
import { Outbox } from "./outbox.js";
import { announce } from "./page.js";
import { Keep } from "./store.js";
import { Thread } from "./thread.js";
import { Transcript } from "./transcript.js";
import { customerName } from "./words.js";

const PAGE = 500;
const BRIEF_SETTLES = 400;
/** Events after which the brief says something else. */
const MOVES_BRIEF = new Set(["message_posted", "message_read", "handoff_requested", "offer_declined"]);

export class Chat {
  /** @type {string | null} the chat that is open or opening */
  id = null;
  /** @type {Thread | null} */
  thread = null;
  /** @type {Promise<void> | null} */
  #reading = null;
  #readAgain = false;
  #briefTimer = 0;

  /** @param {Account} me @param {{view: (name: string) => void, refresh: () => void}} desk */
  constructor(me, desk) {
    this.me = me;
    this.desk = desk;
    const keep = new Keep(me.id);
    this.transcript = new Transcript(byId("transcript"), byId("newer"));
    this.outbox = new Outbox(keep, (id) => this.#showOutgoing(id), (id) => this.changed([id]));
    this.composer = new Composer(keep, (text, visibility) => this.#send(text, visibility), () => byId("transcript").focus());
    this.actions = new Actions(me.id, {
      dirty: () => this.composer.dirty,
      drop: () => this.composer.clear(),
      done: (verb, view) => this.#done(verb, view),
      refused: () => (this.desk.refresh(), this.#sync()),
    });
    followMessageLinks(byId("brief"), (id) => (this.desk.view("chat"), this.transcript.reveal(id)));
    followMessageLinks(byId("transcript"), (id) => this.transcript.reveal(id));
    byId("chat-again").addEventListener("click", () => this.id && this.open(this.id));
  }

  get mine() {
    return this.thread?.status === "with_agent" && this.thread.assigneeId === this.me.id;
  }

  /** @param {string} id */
  async open(id) {
    this.id = id;
    this.thread = null;
    this.#placeholder("Opening the chat…");
    byId("brief-body").replaceChildren();
    try {
      const view = await api.conversation(id);
      if (this.id === id) this.#begin(view);
    } catch (error) {
      if (this.id === id) this.#placeholder(wordsOf(error), true);
    }
  }

  close() {
    this.id = this.thread = null;
    this.#placeholder("Choose a chat from the queue.");
    byId("brief-body").replaceChildren();
  }

  /** Ids of conversations in which something happened. @param {string[]} ids */
  changed(ids) {
    if (this.id && ids.includes(this.id)) this.#sync();
  }

  /** Reads what may have been missed. */
  catchUp() {
    if (this.thread) this.#sync();
  }

  /** @param {string} words @param {boolean} [again] */
  #placeholder(words, again = false) {
    byId("chat-open").hidden = true;
    byId("chat-placeholder").hidden = false;
    byId("chat-placeholder-text").textContent = words;
    byId("chat-again").hidden = !again;
  }

  /** @param {StaffView} view */
  #begin(view) {
    this.thread = new Thread(view);
    byId("chat-placeholder").hidden = true;
    byId("chat-open").hidden = false;
    this.transcript.show(this.thread);
    this.#settleOutgoing(view.events);
    this.#showHead();
    this.#showBrief(view);
    this.#showOutgoing(view.id);
    this.transcript.toEnd();
    this.#sync();
  }

  /** One reading at a time; a wish that comes meanwhile leads to one more. */
  #sync() {
    if (this.#reading) {
      this.#readAgain = true;
      return;
    }
    this.#reading = this.#read().finally(() => {
      this.#reading = null;
      if (!this.#readAgain) return;
      this.#readAgain = false;
      this.#sync();
    });
  }

  async #read() {
    const thread = this.thread;
    if (!thread) return;
    let events;
    do {
      events = await api.events(thread.id, thread.lastSeq).catch(() => []); // the stream's return reads again
      if (this.thread === thread) this.#take(thread.add(events));
    } while (events.length === PAGE && this.thread === thread);
  }

  /** @param {Happening[]} fresh */
  #take(fresh) {
    if (!this.thread || !fresh.length) return;
    this.transcript.add(this.thread, fresh);
    this.#settleOutgoing(fresh);
    this.#showHead();
    const said = fresh.filter((event) => event.message?.author === "customer");
    if (said.length) announce(`${customerName(this.thread.name)} wrote: ${said.map((event) => event.message?.text).join(" ")}`);
    if (fresh.some((event) => MOVES_BRIEF.has(event.kind))) this.#briefSoon(this.thread);
  }

  /** @param {Thread} thread */
  #briefSoon(thread) {
    clearTimeout(this.#briefTimer);
    this.#briefTimer = setTimeout(async () => {
      const view = await api.conversation(thread.id).catch(() => null); // the old brief is better than none
      if (view && this.thread === thread) this.#showBrief(view);
    }, BRIEF_SETTLES);
  }

  /** @param {StaffView} view */
  #showBrief(view) {
    if (!this.thread) return;
    const around = { texts: this.thread.texts, handoffs: this.thread.handoffs };
    byId("brief-body").replaceChildren(...briefView(view.brief, view.reason, around).filter((part) => part !== null));
  }

  #showHead() {
    const thread = this.thread;
    if (!thread) return;
    byId("chat-title").textContent = customerName(thread.name);
    byId("chat-status").textContent = [this.#statusWords(thread), thread.email].filter(Boolean).join(" · ");
    this.actions.show(thread);
    this.composer.show(thread.id, this.mine);
  }

  /** @param {Thread} thread */
  #statusWords({ status, assigneeName }) {
    if (status === "bot") return "With the bot";
    if (status === "waiting") return "Waiting for a person";
    if (status === "resolved") return "Resolved. If the customer writes again, the bot answers first.";
    return this.mine ? "With you" : `With ${assigneeName ?? "a colleague"}`;
  }

  /** @param {Verb} verb @param {StaffView} view */
  #done(verb, view) {
    if (this.thread?.id !== view.id) return;
    this.#take(this.thread.add(view.events));
    this.desk.refresh();
    if (verb === "take") this.composer.focus(this.composer.dirty && byId("composer").classList.contains("noting"));
    else byId("chat-title").focus();
  }

  /** @param {string} text @param {"public" | "internal"} visibility */
  #send(text, visibility) {
    if (!this.id) return;
    this.outbox.send(this.id, text, visibility);
    this.transcript.toEnd();
  }

  /** @param {Happening[]} events */
  #settleOutgoing(events) {
    if (this.thread) this.outbox.settle(this.thread.id, events.map((event) => event.message?.client_message_id));
  }

  /** @param {string} id */
  #showOutgoing(id) {
    if (this.thread?.id !== id) return;
    this.transcript.showOutgoing(this.outbox.of(id), {
      retry: (item) => this.outbox.retry(id, item),
      edit: (item) => (this.outbox.settle(id, [item.client_message_id]), this.composer.edit(item)),
    });
  }
}
