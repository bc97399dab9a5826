/** The agents' console: puts the queue, the open chat and the desk's feed together. */

/** @import { Desk, Mention } from "./types.js" */

import { Alerts } from "./alerts.js";
import { api, wordsOf } from "./api.js";
import { Chat } from "./chat.js";
import { Day } from "./day.js";
import { byId, el, say } from "./dom.js";
import { Mentions, loadColleagues } from "./mentions.js";
import { Notify } from "./notify.js";
import { Offers } from "./offers.js";
import { announce, listenToKeys, showMe, stepCards } from "./page.js";
import { Queue } from "./queue.js";
import { Keep, choice, choose } from "./store.js";
import { DeskStream } from "./stream.js";
import { startTicking } from "./time.js";
import { counted } from "./words.js";

const KEYS = [
  ["j or ↓", "Next chat in the list"], ["k or ↑", "Chat before"], ["Enter", "Open the chat"],
  ["n", "Take the customer who is next"], ["a", "Take the chat, or accept the one that is offered"], ["d", "Decline the one that is offered"],
  ["r", "Reply"], ["s", "Suggested replies"], ["e", "Write a note"], ["t", "Transfer"], ["Escape", "Leave the field"], ["?", "This list"],
  ["/", "In a reply: find a text"], ["@", "In a note: mention a colleague"],
];

class Console {
  /** @param {import("./types.js").Account} me */
  constructor(me) {
    this.root = byId("desk");
    const keep = new Keep(me.id);
    this.notify = new Notify((id) => this.open(id));
    document.addEventListener("open-conversation", (event) => this.open(/** @type {CustomEvent<string>} */ (event).detail));
    this.alerts = new Alerts((words, id) => this.notify.show(words, id), (id) => this.chat.inSight(id));
    this.chat = new Chat(me, keep, { view: (name) => this.view(name), refresh: () => this.refresh(), seen: (id) => this.queue.seen(id) });
    this.queue = new Queue(byId("queue"), keep, (id) => this.open(id));
    this.day = new Day();
    this.offers = new Offers({
      accepted: (view) => this.open(view.id),
      refresh: () => this.refresh(),
      fresh: (offers) => this.alerts.offered(offers),
    });
    this.mentions = new Mentions(keep, { open: (mention) => this.openAt(mention), fresh: (mentions) => this.alerts.mentioned(mentions) });
    byId("next").addEventListener("click", () => this.next());
    for (const button of document.querySelectorAll("[data-to]")) {
      button.addEventListener("click", () => this.view(button.getAttribute("data-to") ?? "queue", true));
    }
    addEventListener("popstate", () => this.follow());
    this.keys();
    this.stream = new DeskStream({
      desk: (desk) => this.showDesk(desk),
      changed: (ids) => this.chat.changed(ids),
      presence: (here) => this.chat.presence.show(here),
      mentioned: () => this.mentions.refresh(),
      opened: () => (say(byId("offline"), ""), this.chat.catchUp()),
      lost: () => (say(byId("offline"), "The connection is lost. Reconnecting… What you write is kept."), this.chat.presence.clear()),
    });
    this.hasNext = false;
    this.follow();
  }

  /** @param {Desk} desk */
  showDesk(desk) {
    this.alerts.see(desk);
    this.queue.show(desk, this.chat.id);
    this.offers.show(desk.offered ?? []);
    this.queue.mark(this.chat.id);
    this.day.show(desk.me);
    this.chat.passableOn(desk);
    this.calls(desk.offered?.length ?? 0);
    this.hasNext = desk.agents !== undefined;
    byId("next").hidden = !this.hasNext || !desk.waiting.length;
    byId("online").textContent = `${counted(desk.online, "person", "people")} at the desk`;
  }

  /** Says at the way back to the queue, which a phone does not show beside the chat, how many chats are offered. @param {number} offered */
  calls(offered) {
    const back = /** @type {HTMLElement} */ (byId("queue-calls").closest("button"));
    back.setAttribute("aria-label", offered ? `Back to the queue, ${offered} offered` : "Back to the queue");
    byId("queue-calls").hidden = !offered;
    byId("queue-calls").textContent = String(offered);
  }

  /** Takes the customer who is next, whoever that fairly is. */
  async next() {
    say(byId("next-problem"), "");
    try {
      const view = await api.next();
      if (view) this.open(view.id);
      else say(byId("next-problem"), "Nobody is waiting for you now.");
    } catch (error) {
      say(byId("next-problem"), wordsOf(error));
    }
    this.refresh();
  }

  /** Opens a chat at the note that names one. @param {Mention} mention */
  async openAt(mention) {
    await this.open(mention.conversation_id);
    if (this.chat.id === mention.conversation_id) this.chat.transcript.reveal(mention.message_id);
  }

  async refresh() {
    const desk = await api.desk().catch(() => null); // the stream brings it as well
    if (desk) this.showDesk(desk);
  }

  /** Shows one column on narrow screens. @param {string} name queue, chat or brief @param {boolean} [focus] */
  view(name, focus = false) {
    this.root.dataset.view = name;
    if (!focus) return;
    if (name === "chat") byId("chat-title").focus();
    else if (name === "brief") byId("brief").focus();
    else document.querySelector(/** @type {any} */ ("button.card[aria-current=true]"))?.focus();
  }

  /** @param {string} id */
  open(id) {
    if (this.chat.id !== id) history.pushState(null, "", `?chat=${encodeURIComponent(id)}`);
    return this.follow();
  }

  /** Shows what the address says, so that reload, back and log-in lead to the same chat. */
  async follow() {
    const id = new URLSearchParams(location.search).get("chat");
    this.queue.mark(id);
    this.view(id ? "chat" : "queue");
    if (!id) this.chat.close();
    else if (id !== this.chat.id || !this.chat.thread) await this.chat.open(id);
    if (id && byId("queue").checkVisibility() === false) byId("chat-title").focus();
  }

  keys() {
    const { chat } = this;
    byId("keys-list").append(...KEYS.flatMap(([key, words]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, words)]));
    const on = byId("keys-on");
    on.checked = choice("keys", true);
    on.addEventListener("change", () => choose("keys", on.checked));
    const help = () => byId("keys").showModal();
    byId("show-keys").addEventListener("click", help);
    const write = (/** @type {boolean} */ note) => (chat.thread && (note || chat.mine) ? chat.composer.focus(note) : false);
    listenToKeys({
      j: () => this.step(1), k: () => this.step(-1),
      ArrowDown: (event) => this.arrow(event, 1), ArrowUp: (event) => this.arrow(event, -1),
      a: () => this.take(), d: () => this.decline(), n: () => (this.hasNext ? void this.next() : false), t: () => chat.actions.passOn(),
      r: () => write(false), e: () => write(true), s: () => chat.replies.focus(), "?": help,
    }, () => on.checked);
  }

  /** @param {number} step */
  step(step) {
    this.view("queue");
    stepCards(byId("queue"), step);
  }

  /** Arrows scroll the transcript and the brief; in the queue they move. @param {KeyboardEvent} event @param {number} step @returns {void | false} */
  arrow(event, step) {
    const target = /** @type {Element} */ (event.target);
    if (target !== document.body && !target.closest("#queue")) return false;
    this.step(step);
  }

  /** @returns {void | false} */
  decline() {
    const offer = this.offers.current;
    if (!offer) return false;
    this.offers.answer(offer, false);
  }

  /** Takes the chat under the focus, else the one that is offered, else the open one. */
  async take() {
    const card = document.activeElement?.closest("button.card")?.getAttribute("data-conversation");
    const offer = this.offers.current;
    if (!card && offer) return this.offers.answer(offer, true);
    if (card && card !== this.chat.id) {
      history.pushState(null, "", `?chat=${encodeURIComponent(card)}`);
      await this.follow();
    }
    await this.chat.actions.run("take");
  }
}

async function start() {
  startTicking();
  try {
    const me = await api.me();
    await loadColleagues();
    showMe(me);
    new Console(me);
  } catch (error) {
    say(byId("queue-loading"), `${wordsOf(error)} Trying again…`);
    announce(wordsOf(error));
    setTimeout(start, 4000);
  }
}

start();
