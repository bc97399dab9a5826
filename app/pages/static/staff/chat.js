/** The open chat: transcript, head, composer and brief of one conversation, kept up to date. */

/** @import { Account, Desk, Happening, StaffView } from "./types.js" */
/** @import { Verb } from "./actions.js" */
/** @import { Keep } from "./store.js" */

import { Actions } from "./actions.js";
import { api, wordsOf } from "./api.js";
import { briefView, visitView } from "./brief.js";
import { Completion } from "./completion.js";
import { Composer } from "./composer.js";
import { byId } from "./dom.js";
import { followMessageLinks } from "./evidence.js";
import { colleaguesLike } from "./mentions.js";
import { Outbox } from "./outbox.js";
import { announce } from "./page.js";
import { Presence } from "./presence.js";
import { Replies } from "./replies.js";
import { Thread } from "./thread.js";
import { Transcript } from "./transcript.js";
import { Transfer } from "./transfer.js";
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

  /** @param {Account} me @param {Keep} keep @param {{view: (name: string) => void, refresh: () => void, seen: (id: string) => void}} desk */
  constructor(me, keep, desk) {
    this.me = me;
    this.keep = keep;
    this.desk = desk;
    this.transcript = new Transcript(byId("transcript"), byId("newer"));
    this.outbox = new Outbox(keep, (id) => this.#showOutgoing(id), (id) => this.changed([id]));
    this.presence = new Presence(me.id);
    this.replies = new Replies((text) => this.composer.insert(text));
    this.composer = new Composer(keep, {
      send: (text, visibility) => this.#send(text, visibility),
      leave: () => byId("transcript").focus(),
      typed: (note) => this.presence.typed(note),
      emptied: () => this.presence.stopped(),
      turned: (note) => this.replies.want(!note),
      key: (event) => this.completion.key(event),
    });
    this.completion = new Completion(byId("draft"), byId("completions"), [
      { begins: /(?:^|\s)\/([\p{L}\p{N}-]*)$/u, name: "Texts", on: () => this.composer.replying, find: (typed) => this.replies.find(typed) },
      { begins: /(?:^|[\s(])@([^@\n]{0,60})$/u, name: "Colleagues", on: () => this.composer.noting, find: (typed) => this.#names(typed) },
    ]);
    this.transfer = new Transfer(me.id, (view) => this.#passedOn(view));
    this.actions = new Actions(me.id, {
      dirty: () => this.composer.dirty,
      drop: () => this.composer.clear(),
      done: (verb, view) => this.#done(verb, view),
      refused: () => (this.desk.refresh(), this.#sync()),
      passOn: () => this.thread && this.transfer.open(this.thread.id, customerName(this.thread.name)),
    });
    followMessageLinks(byId("brief"), (id) => (this.desk.view("chat"), this.transcript.reveal(id)));
    followMessageLinks(byId("transcript"), (id) => this.transcript.reveal(id));
    byId("chat-again").addEventListener("click", () => this.id && this.open(this.id));
    document.addEventListener("visibilitychange", () => this.#saw());
  }

  /** Whether this chat is on the screen now. @param {string} id */
  inSight(id) {
    return this.thread?.id === id && document.visibilityState === "visible";
  }

  /** What the desk says about passing chats on. @param {Desk} desk */
  passableOn(desk) {
    this.transfer.know(desk);
    this.actions.canPassOn = desk.agents !== undefined;
    if (this.thread) this.actions.show(this.thread);
  }

  get mine() {
    return this.thread?.status === "with_agent" && this.thread.assigneeId === this.me.id;
  }

  /** @param {string} id */
  async open(id) {
    this.id = id;
    this.thread = null;
    this.presence.look(id);
    this.replies.show(null);
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
    this.presence.look(null);
    this.replies.show(null);
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
    this.#saw();
    this.#sync();
  }

  #saw() {
    if (!this.thread || !this.inSight(this.thread.id)) return;
    this.keep.saveSeen(this.thread.id, this.thread.lastSeq);
    this.desk.seen(this.thread.id);
  }

  /** @param {string} typed */
  #names(typed) {
    return colleaguesLike(typed, this.me.id).map(({ name }) => ({ label: `@${name}`, insert: `@${name} ` }));
  }

  /** @param {StaffView} view */
  #passedOn(view) {
    if (this.thread?.id !== view.id) return;
    this.#take(this.thread.add(view.events));
    this.desk.refresh();
    byId("chat-title").focus();
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
    this.#saw();
    const said = fresh.filter((event) => event.message?.author === "customer");
    if (said.length) this.replies.refresh();
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
    const parts = [...briefView(view.brief, view.reason, around), visitView(this.thread.visit)];
    byId("brief-body").replaceChildren(...parts.filter((part) => part !== null));
  }

  #showHead() {
    const thread = this.thread;
    if (!thread) return;
    byId("chat-title").textContent = customerName(thread.name);
    byId("chat-status").textContent = [this.#statusWords(thread), thread.email].filter(Boolean).join(" · ");
    this.presence.call(thread.name);
    this.actions.show(thread);
    this.composer.show(thread.id, this.mine);
    this.replies.show(this.mine ? thread.id : null);
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
