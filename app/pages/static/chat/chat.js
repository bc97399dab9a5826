/** The chat: what the server says on one side, what is on the screen on the other. */

import { EventStream } from "../shared/stream.js";
import * as api from "./api.js";
import { Composer } from "./composer.js";
import { byId } from "./dom.js";
import { Embed } from "./embed.js";
import { Header } from "./header.js";
import { Introduction } from "./introduce.js";
import { Notices } from "./notices.js";
import { Outbox } from "./outbox.js";
import { QuickReplies } from "./replies.js";
import { Scroller } from "./scroller.js";
import { Sessions } from "./session.js";
import { Store } from "./store.js";
import { Thread } from "./thread.js";
import { Typing } from "./typing.js";
import { backoff, pause } from "./waiting.js";

/** @typedef {import("./api.js").Problem} Problem */

export class Chat {
  /** @param {string} shop */
  constructor(shop) {
    this.store = new Store(shop);
    this.embed = new Embed({ onShown: (focus) => this.shown(focus), onHidden: () => this.countUnread() });
    this.page = this.embed.page ?? location.href;
    this.sessions = new Sessions(this.store, shop, this.embed, (why) => this.notices.say(why));
    this.outbox = new Outbox(this.store, {
      isReady: () => this.session !== null || this.failures > 0,
      send: (item) => this.deliver(item),
      onChange: (item) => this.outboxChanged(item),
      onSent: (message) => this.sent(message),
    });
    this.thread = new Thread(byId("messages"), {
      page: this.page, onRetry: (id) => this.outbox.retry(id), onDelete: (id) => this.deleted(id),
    });
    this.header = new Header(() => this.askForPerson());
    this.notices = new Notices(() => this.load());
    this.scroller = new Scroller();
    this.introduction = new Introduction((who) => this.introduce(who));
    this.replies = new QuickReplies({
      onAsk: (text) => this.write(text),
      onOffer: (yes) => this.answerOffer(yes),
      // Whoever leaves an address wants a person's answer: the chat joins the queue and is answered by mail.
      onEmail: () => this.introduction.ask(() => this.answerOffer(true)),
    });
    this.typing = new Typing((typing) => this.session && api.type(this.session, typing));
    this.composer = new Composer(this.store, (text) => this.write(text), (empty) => this.typing.input(empty));
    /** @type {api.Session | null} set once its conversation is on the screen */
    this.session = null;
    /** @type {(api.State & {agent_name: string | null}) | null} */
    this.state = null;
    this.known = { customer_name: null, customer_email: null, wants_transcript: false };
    this.failures = 0;
  }

  start() {
    this.showUnsent();
    this.store.watch((key, value) => this.otherTab(key, value));
    for (const event of ["online", "pageshow"]) window.addEventListener(event, () => this.session || this.load());
    this.embed.start();
    this.load();
  }

  showUnsent() {
    for (const item of this.outbox.items()) this.thread.pending(item);
  }

  // --- the conversation and its stream

  async load() {
    clearTimeout(this.loadTimer);
    if (this.loading) return;
    this.loading = true;
    try {
      const { session, view } = await this.sessions.resume();
      this.failures = 0;
      this.begin(session, view);
    } catch (error) {
      this.notLoaded(/** @type {Problem} */ (error));
    } finally {
      this.loading = false;
    }
  }

  /** @param {Problem} problem */
  notLoaded(problem) {
    const session = this.sessions.current;
    if (problem.isOver && session) this.forget(session);
    else if (problem.mayPass !== false) this.notices.trouble(true, problem.message);
    else return this.notices.trouble(true, problem.message, { final: true });
    const wait = Math.max(backoff(this.failures++), problem.retryAfter ?? 0);
    this.outbox.flush();
    this.loadTimer = setTimeout(() => this.load(), problem.isOver && this.failures < 3 ? 0 : wait);
  }

  /** @param {api.Session} session @param {api.View} view */
  begin(session, view) {
    this.stream?.close();
    this.session = session;
    this.notices.trouble(false);
    this.show(view);
    // A name that was only said when the agent joined is not in the view; the stream tells it again.
    const unnamed = view.status === "with_agent" && !view.agent_name;
    this.stream = new EventStream({
      ...api.streamOf(session),
      lastId: unnamed ? "" : String(view.last_seq),
      onEvent: (event) => this.heard(event),
      onState: (state) => this.lineIs(state),
      onDenied: () => this.startOver(session),
    }).start();
  }

  /** @param {import("../shared/stream.js").StreamState} state */
  lineIs(state) {
    this.header.connection(state === "waiting" || state === "connecting" ? "lost" : "good");
    if (state === "open") this.outbox.flush();
  }

  /** @param {api.View} view */
  show(view) {
    for (const message of view.messages) this.take(message);
    if (this.store.get("read") === null) this.store.set("read", this.thread.lastSeq);
    this.countUnread();
    this.known = view;
    this.situation(view);
    this.scroller.toEnd();
    this.scroller.announceFromNowOn();
  }

  /** @param {import("../shared/stream.js").ServerEvent} event */
  heard({ event, data }) {
    const news = JSON.parse(data);
    if (event === "state") return this.situation({ agent_name: null, ...this.state, ...news });
    const { kind, payload, message } = news;
    if (message) this.arrived(message);
    if (kind === "taken" && this.state) this.state.agent_name = payload.agent_name;
    if (kind === "customer_named") this.named({ ...this.known, customer_name: payload.name });
  }

  /** @param {api.State & {agent_name: string | null}} state */
  situation(state) {
    this.state = state;
    this.header.update(state);
    this.named(this.known);
    this.typing.show(state);
    this.drawReplies();
    this.scroller.follow();
  }

  /** @param {{customer_name: string | null, customer_email: string | null, wants_transcript: boolean}} known */
  named(known) {
    this.known = known;
    this.introduction.update(known, this.state?.status === "waiting" && this.state.wait?.minutes === null);
  }

  // --- messages

  /** @param {api.Message} message @returns {boolean} whether it was new here */
  take(message) {
    if (message.author === "customer") this.outbox.settle(message.client_message_id);
    if (message.author === "agent" && this.state) this.state.agent_name = message.author_name;
    return this.thread.add(message);
  }

  /** @param {api.Message} message */
  arrived(message) {
    const isNew = this.take(message);
    this.drawReplies();
    if (isNew) this.scroller.news(message.author === "customer");
    this.countUnread();
  }

  /** @param {api.Message} message */
  sent(message) {
    this.stream?.wake(); // The server answers again: no need to wait for the next try.
    this.arrived(message);
  }

  /** @param {string} text */
  write(text) {
    this.typing.input(true);
    this.outbox.add(text);
    this.scroller.toEnd();
  }

  /** @param {import("./outbox.js").Item} item */
  async deliver(item) {
    const { session } = this;
    if (!session) throw new api.Problem(0, "not_open", "The chat is not connected yet.");
    try {
      return await api.send(session, item);
    } catch (error) {
      if (/** @type {Problem} */ (error).isOver) this.startOver(session);
      throw error;
    }
  }

  /** @param {import("./outbox.js").Item} item */
  outboxChanged(item) {
    if (item.deleted) this.thread.drop(item.id);
    else this.thread.pending(item);
    this.drawReplies();
    this.scroller.follow();
  }

  /** @param {string} id */
  deleted(id) {
    this.outbox.delete(id);
    this.composer.focus();
  }

  drawReplies() {
    this.replies.update(this.thread.openQuestion, this.state);
  }

  // --- asking for something

  async askForPerson() {
    if (this.header.isAsking) return;
    this.header.asking(true);
    await this.keepTrying(api.askForPerson);
    this.header.asking(false);
  }

  /** @param {boolean} accept */
  async answerOffer(accept) {
    this.replies.busy(true);
    if (accept) this.header.asking(true);
    await this.keepTrying((session) => api.answerOffer(session, accept));
    this.header.asking(false);
    this.replies.busy(false);
    this.drawReplies();
    this.composer.focus();
  }

  /**
   * Until it is done: a wish for a person must not get lost on a bad line.
   * @param {(session: api.Session) => Promise<api.View>} ask
   */
  async keepTrying(ask) {
    for (let tries = 0; ; tries++) {
      try {
        if (!this.session) throw new api.Problem(0, "not_open", "The chat is not connected yet.");
        const view = await ask(this.session);
        for (const message of view.messages) this.arrived(message);
        this.notices.say("");
        return this.stream?.wake();
      } catch (error) {
        const problem = /** @type {Problem} */ (error);
        if (problem.isOver && this.session) this.startOver(this.session);
        else if (!problem.mayPass) return this.notices.say(problem.message);
        this.notices.say(`${problem.message} We keep trying.`);
        await pause(Math.max(backoff(tries), problem.retryAfter ?? 0));
      }
    }
  }

  /** @param {{name?: string, email?: string, transcript?: boolean}} who */
  async introduce(who) {
    if (!this.session) throw new api.Problem(0, "not_open", "The chat is not connected yet.");
    this.named(await api.introduce(this.session, who));
  }

  // --- other tabs, being seen, starting over

  /** @param {string} key @param {any} value */
  otherTab(key, value) {
    this.outbox.changedElsewhere(key, value);
    if (key === "session" && value && this.session && value.id !== this.session.id) this.startOver(this.session);
  }

  /** @param {api.Session} session the one that opens nothing any more */
  startOver(session) {
    if (this.session?.id !== session.id) return;
    this.forget(session);
    this.load();
  }

  /** @param {api.Session} session */
  forget(session) {
    this.sessions.forget(session);
    this.stream?.close();
    this.session = this.state = null;
    this.scroller.silence();
    this.thread.clear();
    this.replies.update(null, null);
    this.showUnsent();
    this.notices.say("Your earlier chat is over, so this is a new one. Anything you had not sent yet is still here.");
  }

  /** @param {boolean} focus */
  shown(focus) {
    this.countUnread();
    this.scroller.toEnd();
    if (focus) this.composer.focus();
  }

  countUnread() {
    if (!this.session) return;
    if (this.embed.shown && document.visibilityState === "visible") this.store.set("read", this.thread.lastSeq);
    this.embed.setUnread(this.thread.unreadAfter(this.store.get("read") ?? 0));
  }
}
