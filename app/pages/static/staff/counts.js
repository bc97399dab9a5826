/** The counts on top of the review: how many, how many judged, and by reason. */

/** @import { Escalation } from "./types.js" */

import { el, svg } from "./dom.js";
import { REASONS, VERDICTS, counted, inWords, percent } from "./words.js";

const MOST = 200; // the API's limit
const BAR = 160;

/** @param {Escalation[]} found @param {(one: Escalation) => string | null} key @returns {[string, number][]} the most first */
function tally(found, key) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const one of found) {
    const name = key(one);
    if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]);
}

/** @param {string} number @param {string} words */
const figure = (number, words) => el("p", { class: "figure" }, el("strong", {}, number), " ", words);

/** @param {[string, number][]} reasons */
function chart(reasons) {
  const most = Math.max(...reasons.map(([, count]) => count));
  const rows = reasons.map(([name, count]) => {
    const bar = svg(
      "svg", { class: "bar-of", viewBox: `0 0 ${BAR} 12`, width: BAR, height: 12, "aria-hidden": "true" },
      svg("rect", { class: "bar-part", width: Math.max(2, (count / most) * BAR), height: 12, rx: 2 }),
    );
    return el("tr", {}, el("th", { scope: "row" }, inWords(REASONS, name)), el("td", {}, bar), el("td", { class: "number" }, String(count)));
  });
  return el("table", { class: "by-reason" }, el("caption", {}, "By reason"), el("tbody", {}, ...rows));
}

/** @param {Escalation[]} found @returns {HTMLElement[]} */
export function countsView(found) {
  if (!found.length) return [];
  const judged = found.filter((one) => one.verdict);
  const verdicts = tally(judged, (one) => one.verdict).map(([name, count]) => `${count} ${inWords(VERDICTS, name).toLowerCase()}`);
  const many = found.length >= MOST ? `the newest ${MOST}; narrow the time to see others` : counted(found.length, "escalation").replace(/^\d+ /, "");
  return [
    el("div", { class: "figures" },
      figure(String(found.length), many),
      figure(percent(judged.length / found.length), `judged${verdicts.length ? `: ${verdicts.join(", ")}` : ""}`)),
    chart(tally(found, (one) => one.reason)),
  ];
}
