/** What this browser keeps for one person: drafts, replies that did not get through, what was seen, and choices. */

/** @import { Outgoing } from "./types.js" */

/** What storage would not take; lives as long as the page. @type {Map<string, unknown>} */
const memory = new Map();
/** Chats and mentions remembered as seen; older ones are long gone from the desk. */
const REMEMBERED = 500;

/** @param {string} key @returns {any} */
function read(key) {
  if (memory.has(key)) return memory.get(key);
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null; // storage is off or holds something that is not ours
  }
}

/** @param {string} key @param {unknown} value null removes it */
function write(key, value) {
  memory.delete(key);
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
  } catch {
    memory.set(key, value); // without storage the page still works; only a reload forgets
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

  /** The last event of a conversation that was on the screen. @param {string} conversationId @returns {number | undefined} */
  seen(conversationId) {
    return read(`${this.prefix}.seen`)?.[conversationId];
  }

  /** @param {string} conversationId @param {number} seq */
  saveSeen(conversationId, seq) {
    const { [conversationId]: before, ...others } = read(`${this.prefix}.seen`) ?? {};
    const kept = Object.entries(others).slice(1 - REMEMBERED);
    write(`${this.prefix}.seen`, Object.fromEntries([...kept, [conversationId, Math.max(before ?? 0, seq)]]));
  }

  /** @returns {string[]} ids of the notes whose mention was looked at */
  mentionsSeen() {
    return read(`${this.prefix}.mentions`) ?? [];
  }

  /** @param {string} messageId */
  saveMentionSeen(messageId) {
    write(`${this.prefix}.mentions`, [...this.mentionsSeen(), messageId].slice(-REMEMBERED));
  }

  /** Whether anything was written and not sent. @returns {boolean} */
  hasUnsent() {
    return this.#writing().length > 0;
  }

  /** Forgets what was written and not sent: the next person at this computer must not find it. */
  forgetUnsent() {
    for (const key of this.#writing()) write(key, null);
  }

  #writing() {
    const kept = [...memory.keys()];
    try {
      kept.push(...Object.keys(localStorage));
    } catch {
      // storage is off: everything is in memory
    }
    return kept.filter((key) => key.startsWith(`${this.prefix}.draft.`) || key.startsWith(`${this.prefix}.out.`));
  }
}
