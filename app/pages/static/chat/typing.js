/** Who is writing at this moment: shown when it is true, told while an agent is there to see it, never with a word of it. */

import { byId, setText } from "./dom.js";

/** The server forgets after 8 seconds. */
const TELL_AGAIN = 3000;
const STILL = 4000;

/** @typedef {import("./api.js").State & {agent_name: string | null}} Situation */

export class Typing {
  /** @param {(typing: boolean) => Promise<unknown> | null} tell */
  constructor(tell) {
    this.tell = tell;
    this.line = byId("typing");
    this.text = byId("typing-text");
    this.isWatched = false;
    this.isTyping = false;
    this.toldAt = 0;
  }

  /** @param {Situation} state */
  show({ status, bot_is_typing: bot, agent_is_typing: agent, agent_name: name }) {
    this.isWatched = status === "with_agent";
    if (!this.isWatched) this.isTyping = false;
    setText(this.text, agent ? `${name ?? "Your agent"} is typing…` : "The automatic assistant is writing…");
    this.line.hidden = !bot && !agent;
  }

  /** Something was typed, or what was there has gone. @param {boolean} empty */
  input(empty) {
    clearTimeout(this.timer);
    if (!this.isWatched) return;
    if (empty) return this.stop();
    this.timer = setTimeout(() => this.stop(), STILL);
    if (this.isTyping && performance.now() - this.toldAt < TELL_AGAIN) return;
    this.isTyping = true;
    this.say();
  }

  stop() {
    if (!this.isTyping) return;
    this.isTyping = false;
    this.say();
  }

  say() {
    this.toldAt = performance.now();
    this.tell(this.isTyping)?.catch(() => {}); // it is forgotten by itself
  }
}
