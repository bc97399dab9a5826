/** Which conversation this browser has, shared by its tabs. */

import * as api from "./api.js";
import { pause } from "./waiting.js";

/** Browsers tell other tabs of a stored value a little after they let them have the lock. */
const TOLD = 100;

/** @typedef {import("./api.js").Session} Session */

export class Sessions {
  /**
   * @param {import("./store.js").Store} store @param {string} shop @param {{page: string | null, referrer: string | null, customer?: {id: string, signature: string} | null}} visit
   * @param {(why: string) => void} onLinkOver the link in a mail opens nothing any more
   */
  constructor(store, shop, visit, onLinkOver) {
    this.store = store;
    this.shop = shop;
    this.visit = visit;
    this.onLinkOver = onLinkOver;
    this.link = linkFromMail();
    // On a shared computer the next customer must not find the last one's chat.
    if (visit.customer && this.store.get("customer") !== visit.customer.id) this.store.remove("session");
    if (visit.customer) this.store.set("customer", visit.customer.id);
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
    if (this.link) await this.comeBack(this.link);
    const kept = this.current ?? (await this.store.alone("open", () => this.begin()));
    return { session: kept, view: await api.view(kept) };
  }

  async begin() {
    await pause(TOLD);
    if (this.current) return this.current;
    const { token, conversation } = await api.open(this.shop, this.visit);
    const session = { id: conversation.id, token };
    this.store.remove("read");
    this.store.set("session", session);
    return session;
  }

  /** By the link in a mail, into the conversation it is about. @param {string} link */
  async comeBack(link) {
    try {
      const { token, conversation } = await api.comeBack(link);
      if (conversation.id !== this.current?.id) this.store.remove("read");
      this.store.set("session", { id: conversation.id, token });
    } catch (error) {
      const problem = /** @type {api.Problem} */ (error);
      if (problem.status !== 401 && problem.status !== 404) throw error; // it may open later
      this.onLinkOver(problem.message);
    }
    this.link = null;
  }

  /** Forgets a conversation that opens no more, unless another tab has already begun anew. @param {Session} old */
  forget(old) {
    if (this.current?.id === old.id) this.store.remove("session");
  }
}

/**
 * What a mail's link holds, taken out of the address so that it stays in no history. Not in a frame: a page around
 * it must not choose the conversation.
 * @returns {string | null}
 */
function linkFromMail() {
  const link = window.parent === window ? new URLSearchParams(location.hash.slice(1)).get("back") : null;
  if (link) history.replaceState(null, "", location.pathname + location.search);
  return link;
}
