/** Which conversation this browser has, shared by its tabs. */

import * as api from "./api.js";
import { pause } from "./waiting.js";

/** Browsers tell other tabs of a stored value a little after they let them have the lock. */
const TOLD = 100;

/** @typedef {import("./api.js").Session} Session */

export class Sessions {
  /** @param {import("./store.js").Store} store @param {string} shop @param {string | null} page */
  constructor(store, shop, page) {
    this.store = store;
    this.shop = shop;
    this.page = page;
  }

  /** @returns {Session | null} */
  get current() {
    return this.store.get("session");
  }

  /**
   * The conversation as it is now; a new one when there is none. One tab opens it, the others find it.
   * @returns {Promise<{session: Session, view: import("./api.js").View}>}
   */
  async resume() {
    const kept = this.current ?? (await this.store.alone("open", () => this.begin()));
    return { session: kept, view: await api.view(kept) };
  }

  async begin() {
    await pause(TOLD);
    if (this.current) return this.current;
    const { token, conversation } = await api.open(this.shop, this.page);
    const session = { id: conversation.id, token };
    this.store.remove("read");
    this.store.set("session", session);
    return session;
  }

  /** Forgets a conversation that opens no more, unless another tab has already begun anew. @param {Session} old */
  forget(old) {
    if (this.current?.id === old.id) this.store.remove("session");
  }
}
