/** Times in words, and waits that tick. */

import { el } from "./dom.js";

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "medium" });

/** @param {Date} a @param {Date} b */
const sameDay = (a, b) => a.toDateString() === b.toDateString();

/** "10:28", or "3 Mar, 10:28" when it was not today. @param {string} iso @returns {string} */
export function moment(iso) {
  const at = new Date(iso);
  return sameDay(at, new Date()) ? CLOCK.format(at) : `${DAY.format(at)}, ${CLOCK.format(at)}`;
}

/** @param {string} iso @returns {HTMLElement} */
export function timeOf(iso) {
  return el("time", { datetime: iso, title: FULL.format(new Date(iso)) }, moment(iso));
}

/** "12 s", "3 min 12 s", "14 min", "2 h 5 min", "3 days". @param {number} milliseconds @returns {string} */
export function span(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes < 1) return `${seconds} s`;
  if (minutes < 10) return `${minutes} min ${seconds % 60} s`;
  if (minutes < 60) return `${minutes} min`;
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

/** How long it is since `iso`; ticks once startTicking() runs. @param {string} iso @returns {HTMLElement} */
export function since(iso) {
  return el("time", { datetime: iso, "data-since": iso }, span(Date.now() - Date.parse(iso)));
}

/** One timer for every wait on the page. */
export function startTicking() {
  setInterval(() => {
    for (const node of document.querySelectorAll("time[data-since]")) {
      node.textContent = span(Date.now() - Date.parse(node.getAttribute("data-since") ?? ""));
    }
  }, 1000);
}
