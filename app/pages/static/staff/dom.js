/** Building nodes. Text is only ever set as text. */

/** @typedef {Node | string | null | undefined | false} Child */

/** @param {Element} node @param {Record<string, any>} props */
function dress(node, props) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
}

/** @param {Child[]} children @returns {(Node | string)[]} */
const present = (children) => /** @type {(Node | string)[]} */ (children.filter((c) => c !== null && c !== undefined && c !== false));

/**
 * @param {string} tag
 * @param {Record<string, any>} [props] attributes; `onclick` and the like are listeners
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  dress(node, props);
  node.append(...present(children));
  return node;
}

/** @param {string} tag @param {Record<string, any>} [props] @param {...Child} children @returns {SVGElement} */
export function svg(tag, props = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  dress(node, props);
  node.append(...present(children));
  return node;
}

/** The element with this id; pages are small enough that a missing one is a mistake. @param {string} id @returns {any} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found;
}

/** Shows `text` in `node`, or hides it when there is none. @param {HTMLElement} node @param {string} text */
export function say(node, text) {
  node.textContent = text;
  node.hidden = !text;
}

const LINK = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g;

/** Text with its web addresses as links. @param {string} text @returns {DocumentFragment} */
export function withLinks(text) {
  const fragment = document.createDocumentFragment();
  let done = 0;
  for (const match of text.matchAll(LINK)) {
    fragment.append(text.slice(done, match.index), link(match[0], match[0]) ?? match[0]);
    done = match.index + match[0].length;
  }
  fragment.append(text.slice(done));
  return fragment;
}

/** A link that opens elsewhere; null unless it is http(s). @param {string} url @param {string} label @returns {HTMLElement | null} */
export function link(url, label) {
  if (!URL.canParse(url, location.origin)) return null;
  const parsed = new URL(url, location.origin);
  if (parsed.protocol !== "https:" && parsed.protocol !== "http:") return null;
  return el("a", { href: parsed.href, target: "_blank", rel: "noopener noreferrer nofollow" }, label);
}

/** Makes `list` hold exactly `wanted`, in order, moving no more than needed. @param {Element} list @param {Element[]} wanted */
export function arrange(list, wanted) {
  for (const node of [...list.children]) if (!wanted.includes(node)) node.remove();
  wanted.forEach((node, i) => {
    if (list.children[i] !== node) list.insertBefore(node, list.children[i] ?? null);
  });
}
