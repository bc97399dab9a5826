/** The agents' console: puts the queue, the open chat and the desk's feed together. */

/** @import { Desk } from "./types.js" */

import { Alerts } from "./alerts.js";
import { api, wordsOf } from "./api.js";
import { Chat } from "./chat.js";
import { byId, el, say } from "./dom.js";
import { announce, listenToKeys, showMe, stepCards } from "./page.js";
import { Queue } from "./queue.js";
import { choice, choose } from "./store.js";
import { DeskStream } from "./stream.js";
import { startTicking } from "./time.js";
import { counted } from "./words.js";

const KEYS = [
  ["j or ↓", "Next chat in the queue"], ["k or ↑", "Chat before"], ["Enter", "Open the chat"], ["t", "Take"],
  ["r", "Write a reply"], ["n", "Write a note"], ["Escape", "Leave the field"], ["?", "This list"],
];

class Console {
  /** @param {import("./types.js").Account} me */
  constructor(me) {
    this.root = byId("desk");
    this.alerts = new Alerts();
    this.chat = new Chat(me, { view: (name) => this.view(name), refresh: () => this.refresh() });
    this.queue = new Queue(byId("queue"), (id) => this.open(id));
    for (const button of document.querySelectorAll("[data-to]")) {
      button.addEventListener("click", () => this.view(button.getAttribute("data-to") ?? "queue", true));
    }
    addEventListener("popstate", () => this.follow());
    this.keys();
    this.stream = new DeskStream({
      desk: (desk) => this.showDesk(desk),
      changed: (ids) => this.chat.changed(ids),
      opened: () => (say(byId("offline"), ""), this.chat.catchUp()),
      lost: () => say(byId("offline"), "The connection is lost. Reconnecting… What you write is kept."),
    });
    this.follow();
  }

  /** @param {Desk} desk */
  showDesk(desk) {
    this.alerts.see(desk);
    this.queue.show(desk, this.chat.id);
    byId("online").textContent = `${counted(desk.online, "person", "people")} at the desk`;
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
    this.follow();
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
      t: () => this.take(), r: () => write(false), n: () => write(true), "?": help,
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

  /** Takes the chat under the focus, or the open one. */
  async take() {
    const card = document.activeElement?.closest("button.card")?.getAttribute("data-conversation");
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
    showMe(me);
    new Console(me);
  } catch (error) {
    say(byId("queue-loading"), `${wordsOf(error)} Trying again…`);
    announce(wordsOf(error));
    setTimeout(start, 4000);
  }
}

start();
