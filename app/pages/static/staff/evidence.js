/** One line of evidence: what was seen, how strong it was, from where it counts, and the message it came from. */

/** @import { Evidence, Line } from "./types.js" */

import { el } from "./dom.js";
import { percent } from "./words.js";

const YES_NO = new Set(["asked_for_human", "abusive", "safety", "stakes", "offer_accepted"]);
const COUNTS = new Set(["frustrated_turns", "confused_turns", "repeats", "unhelped", "misses", "clarifications"]);

/** @param {Evidence} evidence @returns {string} value and threshold in words */
export function measured({ signal, value, threshold }) {
  if (YES_NO.has(signal)) return "seen, once is enough";
  if (COUNTS.has(signal)) return `${value} ${value === 1 ? "time" : "times"}, counts from ${threshold}`;
  if (signal === "frustration_trend") return `up ${percent(value)} per message, counts above ${percent(threshold)}`;
  return `${percent(value)}, counts from ${percent(threshold)}`;
}

/**
 * Text that leads to a message of the transcript on this page (see Transcript.reveal).
 * @param {string} text
 * @param {string | null | undefined} messageId
 * @returns {HTMLElement | string}
 */
export function toMessage(text, messageId) {
  return messageId ? el("a", { href: `#m-${messageId}`, "data-message": messageId, dir: "auto" }, text) : text;
}

/** @param {Evidence} evidence @returns {HTMLElement} */
export function evidenceItem(evidence) {
  return el("li", {}, toMessage(evidence.text, evidence.message_id), " ", el("span", { class: "measured" }, `(${measured(evidence)})`));
}

/** @param {Evidence[]} evidence @param {string} [className] @returns {HTMLElement | null} */
export function evidenceList(evidence, className = "evidence") {
  return evidence.length ? el("ul", { class: className }, ...evidence.map(evidenceItem)) : null;
}

/** Makes links to messages on the page lead there. @param {HTMLElement} root @param {(messageId: string) => void} reveal */
export function followMessageLinks(root, reveal) {
  root.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target).closest("[data-message]");
    if (!target) return;
    event.preventDefault();
    reveal(target.getAttribute("data-message") ?? "");
  });
}
