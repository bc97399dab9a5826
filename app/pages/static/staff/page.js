/** What the staff's pages have in common: who is here, the way to the owner's page, and out. */

/** @import { Account } from "./types.js" */

import { api } from "./api.js";
import { byId } from "./dom.js";
import { Keep } from "./store.js";

/** Tells people who cannot see the page that something happened. @param {string} text */
export function announce(text) {
  const place = byId("announcer");
  place.textContent = "";
  setTimeout(() => (place.textContent = text), 50); // an unchanged text would not be read again
}

/** Asks only when something written would be lost. @param {string} words what is about to be done @param {string} text @returns {Promise<boolean>} */
export function sureDespiteDraft(words, text) {
  const dialog = byId("confirm");
  byId("confirm-title").textContent = `${words} with an unsent draft?`;
  byId("confirm-text").textContent = text;
  byId("confirm-go").textContent = `${words}, drop the draft`;
  dialog.returnValue = "stay";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue === "go"), { once: true }));
}

/** @param {Account} me */
export function showMe(me) {
  byId("me").textContent = me.name;
  for (const room of ["review", "deliveries"]) {
    byId(`${room}-link`).hidden = me.role !== "owner" && location.pathname !== `/${room}/`;
  }
  const keep = new Keep(me.id);
  byId("log-out").addEventListener("click", async () => {
    if (keep.hasUnsent() && !(await sureDespiteDraft("Log out", "Drafts and unsent replies on this computer will be dropped."))) return;
    keep.forgetUnsent();
    await api.logOut().catch(() => {});
    location.assign("/login");
  });
}

/** Whether an element takes what is typed. @param {EventTarget | null} target @returns {boolean} */
const takesText = (target) => target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;

/**
 * Single keys as commands; never while typing, with a modifier, or while a dialog is open.
 * @param {Record<string, (event: KeyboardEvent) => void | false>} keys false: the key was not used
 * @param {() => boolean} [on]
 */
export function listenToKeys(keys, on = () => true) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (takesText(event.target) || document.querySelector("dialog[open], :popover-open") || !on()) return;
    if (!Object.hasOwn(keys, event.key)) return;
    if (keys[event.key](event) !== false) event.preventDefault();
  });
}

/** Moves the focus among the cards that can be seen. @param {Element} root @param {number} step */
export function stepCards(root, step) {
  const cards = [...root.querySelectorAll("button.card")].filter((card) => card.checkVisibility());
  if (!cards.length) return;
  const current = document.activeElement?.closest("button.card") ?? root.querySelector("button.card[aria-current=true]");
  const at = current ? cards.indexOf(current) : -1;
  const next = at < 0 ? 0 : Math.min(cards.length - 1, Math.max(0, at + step));
  /** @type {HTMLElement} */ (cards[next]).focus();
}
