/** The desk's feed: one EventSource, reopened by hand so that its loss can be told from a session that is over. */

/** @import { Desk, Presence } from "./types.js" */

import { Problem, api } from "./api.js";

const SILENCE = 50_000; // the server speaks at least every 20 seconds
const WAITS = [0, 1000, 2000, 4000, 8000];

export class DeskStream {
  #tries = 0;
  #heard = Date.now();
  /** @type {EventSource | null} */
  #source = null;

  /**
   * @param {{desk: (desk: Desk) => void, changed: (ids: string[]) => void, presence: (presence: Presence) => void,
   *   mentioned: () => void, opened: () => void, lost: () => void}} on
   */
  constructor(on) {
    this.on = on;
    this.#open();
    setInterval(() => this.#source && Date.now() - this.#heard > SILENCE && this.#lost(), 5000);
    addEventListener("online", () => this.#source || this.#open());
    addEventListener("pageshow", (event) => event.persisted && this.#open());
    addEventListener("pagehide", () => this.#source?.close());
  }

  #open() {
    this.#source?.close();
    const source = new EventSource("/api/desk/stream");
    this.#source = source;
    this.#heard = Date.now();
    source.addEventListener("open", () => this.on.opened());
    source.addEventListener("desk", (event) => this.#hear(() => this.on.desk(JSON.parse(event.data))));
    source.addEventListener("changed", (event) => this.#hear(() => this.on.changed(JSON.parse(event.data))));
    source.addEventListener("presence", (event) => this.#hear(() => this.on.presence(JSON.parse(event.data))));
    source.addEventListener("mentioned", () => this.#hear(() => this.on.mentioned()));
    source.addEventListener("error", () => source === this.#source && this.#lost());
  }

  /** @param {() => void} tell */
  #hear(tell) {
    this.#heard = Date.now();
    this.#tries = 0;
    tell();
  }

  /** Streams end every ten minutes by design: the first try is at once, and only its failure is worth a word. */
  async #lost() {
    this.#source?.close();
    this.#source = null;
    await new Promise((done) => setTimeout(done, WAITS[Math.min(this.#tries, WAITS.length - 1)]));
    this.#tries += 1;
    try {
      await api.me(); // 401 leads to the log-in page; EventSource would not say why it failed
      if (this.#tries > 2) this.on.lost();
      if (!this.#source) this.#open();
    } catch (error) {
      if (error instanceof Problem && !this.#source) {
        this.on.lost();
        this.#lost();
      }
    }
  }
}
