/** Times in words, and waits that tick. */

import { el } from "./dom.js";

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "medium" });

/** How far the server's clock is ahead of this computer's, in milliseconds. */
let ahead = 0;

/** Learns the server's time, so that waits and deadlines are right on a computer whose clock is not. @param {string | null} date an HTTP date */
export function learnTime(date) {
  const server = Date.parse(date ?? "");
  // HTTP dates are cut to the second, so small differences mean nothing.
  if (server) ahead = Math.abs(server - Date.now()) > 2000 ? server - Date.now() : 0;
}

const now = () => Date.now() + ahead;

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
  return el("time", { datetime: iso, "data-since": iso }, span(now() - Date.parse(iso)));
}

/** How long it is until `iso`, ticking. @param {string} iso @returns {HTMLElement} */
export function until(iso) {
  return el("time", { datetime: iso, "data-until": iso }, left(iso));
}

/** @param {string} iso */
const left = (iso) => (Date.parse(iso) > now() ? `${span(Date.parse(iso) - now())} left` : "Time is up");

/** One timer for every wait and deadline on the page. */
export function startTicking() {
  setInterval(() => {
    for (const node of document.querySelectorAll("time[data-since]")) {
      node.textContent = span(now() - Date.parse(node.getAttribute("data-since") ?? ""));
    }
    for (const node of document.querySelectorAll("time[data-until]")) {
      node.textContent = left(node.getAttribute("data-until") ?? "");
    }
  }, 1000);
}
