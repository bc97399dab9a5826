/** Desktop notifications: asked for by a button, never at load, and never with a word of what was written. */

import { byId, say } from "./dom.js";
import { choice, choose } from "./store.js";

const BLOCKED = "This browser blocks notifications of this page. Allow them in its settings for this site, then reload.";

export class Notify {
  #on = choice("notify", false);

  /** @param {(conversationId: string) => void} open */
  constructor(open) {
    this.open = open;
    this.button = byId("notify");
    this.button.hidden = !("Notification" in window);
    this.button.addEventListener("click", () => this.#turn());
    if (!this.button.hidden) this.#draw();
  }

  /** Only while the page cannot be seen. @param {string} words @param {string} conversationId */
  show(words, conversationId) {
    if (!this.#works() || document.visibilityState === "visible") return;
    try {
      const notification = new Notification(words, { tag: conversationId, icon: "/static/staff/icon.svg", silent: true });
      notification.addEventListener("click", () => {
        window.focus();
        notification.close();
        this.open(conversationId);
      });
    } catch {
      this.button.hidden = true; // phones' browsers let only service workers do it
    }
  }

  #works() {
    return this.#on && "Notification" in window && Notification.permission === "granted";
  }

  async #turn() {
    const asked = Notification.permission === "default";
    if (asked) await Notification.requestPermission();
    this.#on = Notification.permission === "granted" && (asked || !this.#on);
    choose("notify", this.#on);
    say(byId("notify-hint"), Notification.permission === "denied" ? BLOCKED : "");
    this.#draw();
  }

  #draw() {
    const works = this.#works();
    this.button.setAttribute("aria-pressed", String(works));
    this.button.textContent = works ? "Notifications on" : "Notifications off";
  }
}
