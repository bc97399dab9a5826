/** The mood curve: three states over the customer's messages, as lines with their names at the end, and as a table. */

/** @import { MoodPoint } from "./types.js" */

import { el, svg } from "./dom.js";
import { toMessage } from "./evidence.js";
import { STATES, percent } from "./words.js";

const CURVES = ["frustrated", "confused", "worried"];
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [320, 150, 34, 84, 10, 24];
const LABEL_GAP = 13;

/** @param {number} i @param {number} count */
const xOf = (i, count) => LEFT + (count > 1 ? (i * (WIDTH - LEFT - RIGHT)) / (count - 1) : (WIDTH - LEFT - RIGHT) / 2);
/** @param {number} value */
const yOf = (value) => TOP + (1 - value) * (HEIGHT - TOP - BOTTOM);
/** @param {MoodPoint} point @param {string} state */
const valueOf = (point, state) => point.states[state] ?? 0;

function grid() {
  return [0, 0.5, 1].flatMap((value) => [
    svg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: yOf(value), y2: yOf(value) }),
    svg("text", { class: "axis", x: LEFT - 5, y: yOf(value) + 3, "text-anchor": "end" }, percent(value)),
  ]);
}

/** @param {number} count */
function ticks(count) {
  const step = Math.ceil(count / 8);
  const shown = Array.from({ length: count }, (_, i) => i).filter((i) => i % step === 0);
  return shown.map((i) => svg("text", { class: "axis", x: xOf(i, count), y: HEIGHT - 8, "text-anchor": "middle" }, String(i + 1)));
}

/** Different shapes, so that lines are told apart without colour. @param {string} state @param {number} x @param {number} y */
function marker(state, x, y) {
  if (state === "frustrated") return svg("circle", { class: `dot ${state}`, cx: x, cy: y, r: 3.5 });
  if (state === "confused") return svg("rect", { class: `dot ${state}`, x: x - 3, y: y - 3, width: 6, height: 6 });
  return svg("path", { class: `dot ${state}`, d: `M${x} ${y - 4}L${x + 4} ${y + 3}H${x - 4}Z` });
}

/** @param {MoodPoint[]} points @param {string} state */
function curve(points, state) {
  const at = points.map((point, i) => `${xOf(i, points.length)},${yOf(valueOf(point, state))}`);
  return [
    svg("polyline", { class: `curve ${state}`, points: at.join(" ") }),
    ...points.map((point, i) => marker(state, xOf(i, points.length), yOf(valueOf(point, state)))),
  ];
}

/** Names at the lines' ends, pushed apart where the lines meet. @param {MoodPoint} last @param {number} x */
function names(last, x) {
  const placed = CURVES.map((state) => ({ state, y: yOf(valueOf(last, state)) })).sort((a, b) => a.y - b.y);
  placed.forEach((name, i) => {
    if (i) name.y = Math.max(name.y, placed[i - 1].y + LABEL_GAP);
  });
  let lowest = HEIGHT - BOTTOM;
  for (const name of placed.toReversed()) {
    name.y = Math.min(name.y, lowest);
    lowest = name.y - LABEL_GAP;
  }
  return placed.map(({ state, y }) => svg("text", { class: `name ${state}`, x: x + 11, y: y + 4 }, STATES[state]));
}

/** Where a person was called: after the last message with a smaller seq. @param {MoodPoint[]} points @param {number[]} handoffs */
function marks(points, handoffs) {
  return handoffs.map((seq) => {
    const before = points.filter((point) => point.seq < seq).length - 1;
    const x = xOf(Math.max(0, before), points.length) + 6;
    return svg("line", { class: "called", x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM });
  });
}

/** @param {MoodPoint[]} points @returns {string} */
function summary(points) {
  const [first, last] = [points[0], points[points.length - 1]];
  const parts = CURVES.map((state) => `${state} from ${percent(valueOf(first, state))} to ${percent(valueOf(last, state))}`);
  return `Mood over ${points.length} customer messages: ${parts.join(", ")}.`;
}

/** @param {MoodPoint[]} points @param {Map<string, string>} texts */
function table(points, texts) {
  const head = ["Message", ...CURVES.map((state) => STATES[state])].map((name) => el("th", { scope: "col" }, name));
  const rows = points.map((point, i) => {
    const said = `${i + 1}. ${(texts.get(point.message_id) ?? "").slice(0, 60)}`;
    const cells = CURVES.map((state) => el("td", { class: "number" }, percent(valueOf(point, state))));
    return el("tr", {}, el("th", { scope: "row" }, toMessage(said, point.message_id)), ...cells);
  });
  return el("details", { class: "mood-table" }, el("summary", {}, "As numbers"),
    el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows)));
}

/**
 * @param {MoodPoint[]} points
 * @param {{texts: Map<string, string>, handoffs: number[]}} around what the messages say, and the seq of each handoff
 * @returns {HTMLElement}
 */
export function moodCurve(points, { texts, handoffs }) {
  if (!points.length) return el("p", { class: "empty" }, "No message has been read yet.");
  const chart = svg(
    "svg", { class: "mood-curve", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": summary(points) },
    ...grid(), ...ticks(points.length), ...marks(points, handoffs),
    ...CURVES.flatMap((state) => curve(points, state)).reverse(),
    ...names(points[points.length - 1], xOf(points.length - 1, points.length)),
  );
  const note = handoffs.length ? " The upright line: a person was called." : "";
  return el("div", {}, chart, el("p", { class: "hint" }, `The customer’s messages, first to last.${note}`), table(points, texts));
}
