/** What is new: the number in the title, a short sound, words for screen readers, and a notification where it was wished for. */

/** @import { Card, Desk, Mention, Offer } from "./types.js" */

import { byId } from "./dom.js";
import { announce } from "./page.js";
import { choice, choose } from "./store.js";
import { REASONS, counted, customerName, inWords } from "./words.js";

/** Told apart by ear. */
const TONES = { waiting: [660, 880], offered: [660, 880, 1100], message: [520], mentioned: [740, 740] };
const TONE_SECONDS = 0.14;
/** How long a new chat's alert is held back: one that is offered to oneself at once, or taken, alerts no second time. */
const HELD_MS = 1200;

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

  /** @param {keyof typeof TONES} kind */
  play(kind) {
    const context = this.#context;
    if (!this.on || context?.state !== "running") return;
    TONES[kind].forEach((frequency, i) => {
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
    this.play("waiting");
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
  /** New in the queue and not told yet. @type {Set<string>} */
  #held = new Set();
  /** What each customer of one's own said last. @type {Map<string, number | null>} */
  #said = new Map();

  /** @param {(words: string, conversationId: string) => void} notify @param {(id: string) => boolean} inSight whether a chat is on the screen */
  constructor(notify, inSight) {
    this.notify = notify;
    this.inSight = inSight;
  }

  /** @param {Desk} desk */
  see({ waiting, mine }) {
    document.title = waiting.length ? `(${waiting.length}) Warmline` : "Warmline";
    const known = this.#known;
    this.#known = new Set(waiting.map((card) => card.id));
    const fresh = known ? waiting.filter((card) => !known.has(card.id)) : [];
    for (const card of fresh) this.#held.add(card.id);
    if (fresh.length) setTimeout(() => this.#waiting(fresh), HELD_MS);
    this.#messages(mine);
  }

  /** @param {Offer[]} fresh */
  offered(fresh) {
    for (const offer of fresh) this.#held.delete(offer.id);
    const names = fresh.map((offer) => customerName(offer.customer_name)).join(" and ");
    this.#tell("offered", `Offered to you: the chat with ${names}. Press a to accept, d to decline.`);
    for (const offer of fresh) this.notify(`${customerName(offer.customer_name)} is offered to you`, offer.id);
  }

  /** @param {Mention[]} fresh */
  mentioned(fresh) {
    const words = fresh.map(({ author_name: by, customer_name: name }) => `${by ?? "A colleague"} mentioned you in the chat with ${customerName(name)}`);
    this.#tell("mentioned", `${words.join(". ")}.`);
    fresh.forEach((mention, i) => this.notify(words[i], mention.conversation_id));
  }

  /** Tell of those that still wait and were not offered to oneself. @param {Card[]} held */
  #waiting(held) {
    const fresh = held.filter((card) => this.#held.delete(card.id) && this.#known?.has(card.id));
    if (!fresh.length) return;
    this.#tell("waiting", this.#words(fresh));
    for (const card of fresh) this.notify(`${customerName(card.customer_name)} is waiting`, card.id);
  }

  /** Messages in one's own chats that are not on the screen. @param {Card[]} mine */
  #messages(mine) {
    const fresh = mine.filter((card) => this.#said.has(card.id) && (card.last_message_seq ?? 0) > (this.#said.get(card.id) ?? 0));
    this.#said = new Map(mine.map((card) => [card.id, card.last_message_seq]));
    const unseen = fresh.filter((card) => !this.inSight(card.id));
    if (!unseen.length) return;
    const words = unseen.map((card) => `New message from ${customerName(card.customer_name)}`);
    this.#tell("message", `${words.join(". ")}.`);
    unseen.forEach((card, i) => this.notify(words[i], card.id));
  }

  /** @param {keyof typeof TONES} kind @param {string} words */
  #tell(kind, words) {
    this.#chime.play(kind);
    announce(words);
  }

  /** @param {Card[]} fresh */
  #words(fresh) {
    if (fresh.length > 1) return `${counted(fresh.length, "new customer")} waiting.`;
    return `New in the queue: ${customerName(fresh[0].customer_name)}. ${inWords(REASONS, fresh[0].reason)}.`;
  }
}
