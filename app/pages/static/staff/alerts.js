/** New escalations: the number in the title, a short sound, and words for screen readers. */

/** @import { Card, Desk } from "./types.js" */

import { byId } from "./dom.js";
import { announce } from "./page.js";
import { choice, choose } from "./store.js";
import { REASONS, counted, customerName, inWords } from "./words.js";

const TONES = [660, 880];
const TONE_SECONDS = 0.14;

/** Browsers let a page sound only after a click or key on it. */
class Chime {
  /** @type {AudioContext | null} */
  #context = null;
  on = choice("sound", true);

  constructor() {
    this.button = byId("sound");
    this.hint = byId("sound-hint");
    this.button.addEventListener("click", () => this.#turn(!this.on));
    // Not on pointerdown: the hint's leaving would move the page away from under the click.
    for (const kind of ["click", "keydown"]) addEventListener(kind, () => this.#unlock(), { once: true, capture: true });
    this.#show();
  }

  play() {
    const context = this.#context;
    if (!this.on || context?.state !== "running") return;
    TONES.forEach((frequency, i) => {
      const begins = context.currentTime + i * TONE_SECONDS;
      const [tone, volume] = [context.createOscillator(), context.createGain()];
      tone.frequency.value = frequency;
      volume.gain.setValueAtTime(0.12, begins);
      volume.gain.exponentialRampToValueAtTime(0.001, begins + TONE_SECONDS);
      tone.connect(volume).connect(context.destination);
      tone.start(begins);
      tone.stop(begins + TONE_SECONDS);
    });
  }

  async #unlock() {
    this.#context ??= new AudioContext();
    await this.#context.resume().catch(() => {});
    this.#show();
  }

  /** @param {boolean} on */
  #turn(on) {
    this.on = on;
    choose("sound", on);
    this.#show();
    this.play();
  }

  #show() {
    this.button.setAttribute("aria-pressed", String(this.on));
    this.button.textContent = this.on ? "Sound on" : "Sound off";
    this.hint.hidden = !this.on || this.#context !== null;
  }
}

export class Alerts {
  #chime = new Chime();
  /** @type {Set<string> | null} null: the desk has not been seen yet, so nothing in it is new */
  #known = null;

  /** @param {Desk} desk */
  see({ waiting }) {
    document.title = waiting.length ? `(${waiting.length}) Warmline` : "Warmline";
    const known = this.#known;
    this.#known = new Set(waiting.map((card) => card.id));
    const fresh = known ? waiting.filter((card) => !known.has(card.id)) : [];
    if (!fresh.length) return;
    this.#chime.play();
    announce(this.#words(fresh));
  }

  /** @param {Card[]} fresh */
  #words(fresh) {
    if (fresh.length > 1) return `${counted(fresh.length, "new customer")} waiting.`;
    return `New in the queue: ${customerName(fresh[0].customer_name)}. ${inWords(REASONS, fresh[0].reason)}.`;
  }
}
