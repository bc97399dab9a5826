/** What this browser keeps for one person: drafts, replies that did not get through, and choices. */

/** @import { Outgoing } from "./types.js" */

/** @param {string} key @returns {any} */
function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null; // storage is off or holds something that is not ours
  }
}

/** @param {string} key @param {unknown} value null removes it */
function write(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // without storage the page still works; only a reload forgets
  }
}

/** @param {string} name @param {boolean} fallback @returns {boolean} */
export const choice = (name, fallback) => read(`warmline.${name}`) ?? fallback;
/** @param {string} name @param {boolean} value */
export const choose = (name, value) => write(`warmline.${name}`, value);

/** @typedef {{text: string, note: boolean}} Draft */

/** Kept per person, so that two people at one computer never see each other's. */
export class Keep {
  /** @param {string} accountId */
  constructor(accountId) {
    this.prefix = `warmline.${accountId}`;
  }

  /** @param {string} conversationId @returns {Draft} */
  draft(conversationId) {
    return read(`${this.prefix}.draft.${conversationId}`) ?? { text: "", note: false };
  }

  /** @param {string} conversationId @param {Draft} draft an empty one is forgotten */
  saveDraft(conversationId, draft) {
    write(`${this.prefix}.draft.${conversationId}`, draft.text.trim() ? draft : null);
  }

  /** @param {string} conversationId @returns {Outgoing[]} */
  outgoing(conversationId) {
    return read(`${this.prefix}.out.${conversationId}`) ?? [];
  }

  /** @param {string} conversationId @param {Outgoing[]} items */
  saveOutgoing(conversationId, items) {
    write(`${this.prefix}.out.${conversationId}`, items.length ? items : null);
  }
}
