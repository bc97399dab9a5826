/** The machine's names in plain words. Unknown names are shown with spaces, never hidden. */

/** @type {Record<string, string>} */
export const REASONS = {
  asked: "Asked for a person",
  safety: "Someone may be in danger",
  abuse: "Insulting words",
  frustration: "Frustrated",
  confusion: "Confused",
  stakes: "Worried, and much is at stake",
  repeat: "Asked the same again",
  unhelped: "Answers did not help",
  language: "Writes in another language",
  unknown: "The shop’s answers do not cover it",
  fits: "A known answer fits",
  declined: "The customer declined a person",
};
/** Reasons for which a person is called. */
export const HANDOFF_REASONS = ["asked", "safety", "abuse", "frustration", "confusion", "stakes", "repeat", "unhelped", "language", "unknown"];

/** @type {Record<string, string>} */
export const STATES = { frustrated: "Frustrated", confused: "Confused", worried: "Worried", pleased: "Pleased", neutral: "Neutral" };
/** @type {Record<string, string>} */
const MARKS = { frustrated: "▲", confused: "?", worried: "!", pleased: "✓", neutral: "–" };

/** @type {Record<string, string>} */
export const FLAGS = { asked_for_human: "Asks for a person", abusive: "Insulting", abuse: "Insulting", safety: "Danger" };
/** Why a chat is in the queue again. @type {Record<string, string>} */
export const RETURNED = { vanished: "Its agent lost the connection", transfer_not_taken: "Its transfer was not taken" };

/** @type {Record<string, string>} */
export const ACTS = {
  answer: "The bot answered",
  smalltalk: "The bot made small talk",
  clarify: "The bot asked back",
  unknown: "The bot said it does not know",
  offer: "The bot offered a person",
  handoff: "The bot called a person",
};

/** @type {Record<string, string>} */
export const OUTCOMES = { waiting: "Still waiting", with_agent: "With an agent", resolved: "Resolved", returned: "Back with the bot" };
/** @type {Record<string, string>} */
export const VERDICTS = { right: "Right", too_early: "Too early", too_late: "Too late", not_needed: "Not needed" };

/** @type {Record<string, string>} What leaves the house. */
export const TOLD = {
  handoff_requested: "A person was called", person_offered: "A person was offered", taken: "An agent took the chat",
  released: "An agent put the chat back", returned_to_bot: "Handed back to the bot", resolved: "Closed", reopened: "Opened again",
  email_left: "An e-mail address was left", answer_unseen: "An answer was not seen in the chat", test: "Test",
  answer: "Answer to the customer", transcript: "Transcript to the customer", waiting: "Somebody waits",
};
/** @type {Record<string, string>} */
export const CHANNELS = { webhook: "Webhook", mail: "E-mail", notice: "Notice" };
/** @type {Record<string, string>} */
export const DELIVERY = { pending: "On its way", sent: "Delivered", not_needed: "Not needed any more", dead: "Given up" };

/** @param {Record<string, string>} words @param {string | null | undefined} name @returns {string} */
export function inWords(words, name) {
  return name ? (words[name] ?? name.replaceAll("_", " ")) : "";
}

/** A small sign for a state, beside its word. @param {string} state @returns {string} */
export const markOf = (state) => MARKS[state] ?? "•";

/** @param {string | null | undefined} name @returns {string} */
export const customerName = (name) => name || "Customer";

/** @param {number} probability @returns {string} */
export const percent = (probability) => `${Math.round(probability * 100)}%`;

/** @param {number} count @param {string} one @param {string} [many] @returns {string} */
export const counted = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
