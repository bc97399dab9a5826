/** Who is at the other end, how to reach a person, and whether the line holds. */

import { byId, setText } from "./dom.js";

/** Short interruptions are mended before anyone needs to know. */
const SAY_AFTER = 4000;

/** @typedef {import("./api.js").State & {agent_name: string | null}} Situation */

export class Header {
  /** @param {() => void} onAsk */
  constructor(onAsk) {
    this.status = byId("status");
    this.ask = /** @type {HTMLButtonElement} */ (byId("ask-person"));
    this.place = byId("person-state");
    this.banner = byId("connection");
    this.isAsking = false;
    this.ask.addEventListener("click", onAsk);
    window.addEventListener("offline", () => this.connection("lost"));
  }

  /** @param {Situation} situation */
  update({ status, agent_name, wait }) {
    const texts = {
      bot: "Automatic assistant (bot)",
      waiting: "Waiting for a person",
      with_agent: agent_name ? `You are talking to ${agent_name}` : "You are talking to a person",
      resolved: "Automatic assistant (bot). This chat was closed; write to open it again.",
    };
    setText(this.status, texts[status]);
    document.body.dataset.status = status;
    const canAsk = status === "bot" || status === "resolved";
    if (!canAsk) this.asking(false);
    if (!canAsk && document.activeElement === this.ask) byId("text").focus();
    this.ask.hidden = !canAsk;
    this.place.hidden = status !== "waiting";
    setText(this.place, status === "waiting" ? waitText(wait) : "");
  }

  /** @param {boolean} isAsking */
  asking(isAsking) {
    this.isAsking = isAsking;
    // Not disabled: a disabled button would drop the keyboard's focus.
    this.ask.setAttribute("aria-disabled", String(isAsking));
    setText(this.ask, isAsking ? "Asking for a person…" : "Talk to a person");
  }

  /** @param {"good" | "lost"} line */
  connection(line) {
    if (line === "good") {
      clearTimeout(this.timer);
      this.timer = undefined;
      this.banner.hidden = true;
      return setText(this.banner, "");
    }
    this.timer ??= setTimeout(() => this.say(), navigator.onLine ? SAY_AFTER : 500);
  }

  say() {
    this.banner.hidden = false;
    const kept = "What you write is kept and sent as soon as it can be.";
    setText(this.banner, navigator.onLine ? `Connecting again… ${kept}` : `You are offline. ${kept}`);
    this.timer = setTimeout(() => this.say(), SAY_AFTER);
  }
}

/** @param {import("./api.js").Wait | null} wait */
function waitText(wait) {
  if (!wait) return "";
  if (wait.minutes === null) return "Nobody is at the desk right now";
  const place = wait.place === 1 ? "You are next in line" : `You are number ${wait.place} in line`;
  return `${place}, at most about ${wait.minutes} minute${wait.minutes === 1 ? "" : "s"}`;
}
