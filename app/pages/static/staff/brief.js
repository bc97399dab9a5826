/** What an agent sees first. */

/** @import { Brief, Line } from "./types.js" */

import { el, link } from "./dom.js";
import { evidenceItem, toMessage } from "./evidence.js";
import { moodCurve } from "./mood.js";
import { REASONS, inWords } from "./words.js";

/** @param {Line} line */
const plainItem = (line) => el("li", {}, toMessage(line.text, line.message_id));
/** @param {Line} line */
const quoteItem = (line) => el("li", { class: "quote", dir: "auto" }, toMessage(`“${line.text}”`, line.message_id));
/** @param {Line} line */
const whyItem = (line) => (line.detail ? evidenceItem(line.detail) : plainItem(line));

/** @param {Line} line */
const earlierItem = (line) => {
  const detail = /** @type {any} */ (line.detail);
  const open = el("button", { type: "button", class: "quiet" }, line.text);
  open.addEventListener("click", () => open.dispatchEvent(new CustomEvent("open-conversation", { bubbles: true, detail: detail.conversation_id })));
  return el("li", {}, open);
};

/** @param {string} title @param {Line[]} lines @param {(line: Line) => HTMLElement} item @param {string} [none] shown when there is nothing; without it the section is left out */
function section(title, lines, item, none) {
  if (!lines.length && !none) return null;
  return el("section", {}, el("h3", {}, title), lines.length ? el("ul", {}, ...lines.map(item)) : el("p", { class: "empty" }, none));
}

/**
 * Why a person was called: the reason in words and its evidence.
 * @param {string | null} reason
 * @param {Line[]} why
 */
export function whyView(reason, why) {
  const title = reason ? `Why it came: ${inWords(REASONS, reason).toLowerCase()}` : "Why it came";
  return section(title, why, whyItem, "No person was called yet.") ?? el("p");
}

/** The mood curve under its heading. @param {Brief["mood"]} mood @param {{texts: Map<string, string>, handoffs: number[]}} around */
export function moodView(mood, around) {
  return el("section", { "aria-label": "Mood" }, el("h3", {}, "Mood"), moodCurve(mood, around));
}

/** Where the customer was when the chat began. @param {{page: string | null, referrer: string | null}} visit */
export function visitView({ page, referrer }) {
  if (!page && !referrer) return null;
  const line = (/** @type {string} */ words, /** @type {string | null} */ url) => url && el("li", {}, words, link(url, url) ?? url);
  return el("section", {}, el("h3", {}, "Where the customer is"), el("ul", {}, line("Began the chat at ", page), line("Came from ", referrer)));
}

/**
 * @param {Brief} brief
 * @param {string | null} reason
 * @param {{texts: Map<string, string>, handoffs: number[]}} around
 * @returns {(HTMLElement | null)[]}
 */
export function briefView(brief, reason, around) {
  return [
    whyView(brief.why.length ? reason : null, brief.why),
    moodView(brief.mood, around),
    section("What the customer wants", brief.wants, quoteItem, "Nothing was said yet."),
    section("What was named", brief.facts, plainItem),
    section("What the bot tried", brief.tried, plainItem, "The bot gave no answer from the shop’s list."),
    section("What was promised", brief.promised, plainItem),
    section("What to avoid", brief.avoid, plainItem),
    section("Earlier conversations", brief.earlier, earlierItem),
  ];
}
