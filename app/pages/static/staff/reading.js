/** What the classifier said of one message: a line, and every probability on request. */

/** @import { Reading } from "./types.js" */

import { el, svg } from "./dom.js";
import { FLAGS, STATES, inWords, markOf, percent } from "./words.js";

/** A state with a sign and a word, so that colour is never the only difference. @param {string} state @param {number | null} [probability] @returns {HTMLElement} */
export function moodMark(state, probability = null) {
  const words = inWords(STATES, state) + (probability === null ? "" : ` ${percent(probability)}`);
  return el("span", { class: "mood", "data-state": state }, el("span", { "aria-hidden": "true" }, markOf(state)), ` ${words}`);
}

/** @param {number} probability @returns {SVGElement} */
function bar(probability) {
  const width = Math.round(probability * 60);
  return svg(
    "svg", { class: "bar-of", width: 60, height: 8, "aria-hidden": "true" },
    svg("rect", { class: "bar-all", width: 60, height: 8, rx: 2 }),
    svg("rect", { class: "bar-part", width, height: 8, rx: 2 }),
  );
}

/** @param {Record<string, number>} numbers @returns {[string, number][]} the most probable first */
const sorted = (numbers) => Object.entries(numbers).sort((a, b) => b[1] - a[1]);

/** @param {string} caption @param {[string, number][]} rows @param {Record<string, string>} words @returns {HTMLElement | null} */
function table(caption, rows, words) {
  if (!rows.length) return null;
  const body = rows.map(([name, value]) =>
    el("tr", {}, el("th", { scope: "row" }, inWords(words, name)), el("td", {}, bar(value)), el("td", { class: "number" }, percent(value))));
  return el("table", {}, el("caption", {}, caption), el("tbody", {}, ...body));
}

/** @param {Reading} reading @returns {HTMLElement} */
export function readingView(reading) {
  const emotions = sorted(reading.emotions);
  const labels = reading.labels.filter((label) => label !== "neutral");
  return el(
    "details", { class: "reading" },
    el(
      "summary", {},
      moodMark(reading.state, reading.states[reading.state] ?? null),
      labels.length ? el("span", { class: "labels" }, ` ${labels.join(", ")}`) : null,
      ...reading.flagged.flatMap((flag) => [" ", el("span", { class: "flag" }, inWords(FLAGS, flag))]),
    ),
    el(
      "div", { class: "numbers" },
      table("States", sorted(reading.states), STATES),
      table("Flags", sorted(reading.flags), FLAGS),
      // Twenty-eight in two tables stay beside each other where there is room.
      table("Emotions", emotions.slice(0, 14), {}),
      table("Emotions, the rest", emotions.slice(14), {}),
      el("p", { class: "hint" }, `Read by: ${reading.model}`),
    ),
  );
}
