/** Small helpers for building nodes. Text is only ever set as text. */

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`No #${id} in the page`);
  return node;
}

/**
 * @param {string} name
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} [children]
 * @returns {HTMLElement}
 */
export function el(name, attributes = {}, children = []) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** @param {string} label @param {() => void} onClick @param {string} [className] */
export function button(label, onClick, className = "") {
  const node = el("button", { type: "button", class: className }, [label]);
  node.addEventListener("click", onClick);
  return node;
}

/** Sets text only when it differs, so that live regions stay quiet. @param {HTMLElement} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * A link that can do no harm, or null. The shop's own pages open in place of the page around the chat, so that the
 * customer stays in one tab; everything else opens beside it.
 * @param {string} url http(s), mailto or relative to ``page``
 * @param {string} label
 * @param {string} page address of the page around the chat
 */
export function safeLink(url, label, page) {
  let target;
  try {
    target = new URL(url, page);
  } catch {
    return null;
  }
  if (!["http:", "https:", "mailto:"].includes(target.protocol)) return null;
  const node = el("a", { href: target.href, rel: "noopener noreferrer" }, [label]);
  const sameShop = window.parent !== window && target.origin === new URL(page).origin;
  if (target.protocol !== "mailto:") node.setAttribute("target", sameShop ? "_parent" : "_blank");
  return node;
}

const LINKS = /https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]'’”]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g;

/** Text with its web and mail addresses as links. @param {string} text @param {string} page @returns {(Node | string)[]} */
export function withLinks(text, page) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(LINKS)) {
    const url = match[0].startsWith("http") ? match[0] : `mailto:${match[0]}`;
    parts.push(text.slice(from, match.index), safeLink(url, match[0], page) ?? match[0]);
    from = match.index + match[0].length;
  }
  return [...parts, text.slice(from)];
}

/** The time, with the day unless it is today. @param {Date} at */
export function timeText(at) {
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (at.toDateString() === new Date().toDateString()) return time;
  return `${at.toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" })}, ${time}`;
}
