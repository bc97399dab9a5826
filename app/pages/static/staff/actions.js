/** What can be done with the open chat, and saying where the click was when it could not. */

/** @import { StaffView, Status } from "./types.js" */
/** @import { Thread } from "./thread.js" */

import { Problem, api, wordsOf } from "./api.js";
import { byId, el, say } from "./dom.js";
import { sureDespiteDraft } from "./page.js";

/** @typedef {"take" | "release" | "return" | "resolve"} Verb  what is done at once; passing on asks first */

/** @type {Record<Verb, (id: string) => Promise<StaffView>>} */
const DO = {
  take: api.take,
  release: api.release,
  return: (id) => api.setStatus(id, "bot"),
  resolve: (id) => api.setStatus(id, "resolved"),
};
/** @type {Record<Verb, string>} */
const WORDS = { take: "Take", release: "Release", return: "Return to bot", resolve: "Resolve" };

/** The moves that exist (see conversations/lifecycle.py). @param {Thread} thread @param {string} meId @returns {Verb[]} */
function movesOf({ status, assigneeId }, meId) {
  if (status === "bot") return ["take", "resolve"];
  if (status === "waiting") return ["take", "return", "resolve"];
  return status === "with_agent" && assigneeId === meId ? ["release", "return", "resolve"] : [];
}

/** @param {unknown} error @returns {string} */
function refusal(error) {
  if (error instanceof Problem && error.code === "already_taken" && error.assigneeName) return `Already taken by ${error.assigneeName}.`;
  if (error instanceof Problem && error.code === "illegal_transition") return "That is no longer possible: the chat has moved on.";
  return wordsOf(error);
}

export class Actions {
  #drawn = "";
  #busy = false;

  /**
   * @param {string} meId
   * @param {{dirty: () => boolean, drop: () => void, done: (verb: Verb, view: StaffView) => void, refused: () => void,
   *   passOn: () => void}} chat
   */
  constructor(meId, chat) {
    this.meId = meId;
    this.chat = chat;
    this.root = byId("actions");
    this.problem = byId("action-problem");
    /** @type {Thread | null} */
    this.thread = null;
    this.canPassOn = false;
  }

  /** @param {Thread} thread */
  show(thread) {
    if (this.thread?.id !== thread.id) say(this.problem, "");
    this.thread = thread;
    const moves = movesOf(thread, this.meId);
    const passOn = this.canPassOn && moves.includes("release");
    const drawn = `${thread.id} ${thread.status} ${moves} ${passOn}`;
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const focused = this.root.contains(document.activeElement);
    this.root.replaceChildren(...moves.map((verb) => this.#button(verb, thread.status)));
    if (passOn) this.root.prepend(el("button", { type: "button", id: "pass-on", onclick: () => this.passOn() }, "Transfer"));
    if (focused) byId("chat-title").focus();
  }

  /** @returns {void | false} false when there is nothing to pass on */
  passOn() {
    if (!this.thread || !this.canPassOn || !movesOf(this.thread, this.meId).includes("release")) return false;
    this.chat.passOn();
  }

  /** @param {Verb} verb */
  async run(verb) {
    const thread = this.thread;
    if (!thread || this.#busy || !movesOf(thread, this.meId).includes(verb)) return;
    const loses = (verb === "resolve" || verb === "return") && this.chat.dirty();
    if (loses && !(await sureDespiteDraft(WORDS[verb], "You have written something that was not sent. It will be dropped."))) return;
    this.#busy = true;
    say(this.problem, "");
    try {
      const view = await DO[verb](thread.id);
      if (loses) this.chat.drop();
      this.chat.done(verb, view);
    } catch (error) {
      if (this.thread?.id === thread.id) say(this.problem, refusal(error));
      this.chat.refused();
    } finally {
      this.#busy = false;
    }
  }

  /** @param {Verb} verb @param {Status} status */
  #button(verb, status) {
    const words = verb === "take" && status === "bot" ? "Take over from the bot" : WORDS[verb];
    const main = verb === "take" || (verb === "resolve" && status === "with_agent");
    return el("button", { type: "button", class: main ? "primary" : null, "data-verb": verb, onclick: () => this.run(verb) }, words);
  }
}
