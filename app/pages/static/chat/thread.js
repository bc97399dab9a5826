/** The transcript on the screen: acknowledged messages by seq, then what is not sent yet. */

import { button, el, safeLink, setText, timeText, withLinks } from "./dom.js";

/**
 * @typedef {import("./api.js").Message} Message
 * @typedef {import("./outbox.js").Item} Item
 * @typedef {object} Entry
 * @property {string} key the client_message_id of a customer's message, else the id
 * @property {number} seq Infinity until acknowledged
 * @property {number} at milliseconds
 * @property {Message["author"]} author
 * @property {string} who
 * @property {HTMLElement} node
 * @property {Message | null} message null until acknowledged
 */

export class Thread {
  /**
   * @param {HTMLElement} list
   * @param {{page: string, onRetry: (id: string) => void, onDelete: (id: string) => void}} options
   */
  constructor(list, options) {
    this.list = list;
    this.options = options;
    /** @type {Entry[]} in the order shown */
    this.entries = [];
  }

  clear() {
    this.entries = [];
    this.list.replaceChildren();
  }

  /** @param {string} key */
  find(key) {
    return this.entries.findLast((entry) => entry.key === key);
  }

  /** @param {string} id */
  drop(id) {
    const entry = this.find(id);
    if (!entry || entry.message) return;
    entry.node.remove();
    this.entries.splice(this.entries.indexOf(entry), 1);
    this.joinUp();
  }

  /**
   * Shows an acknowledged message; the bubble drawn before it was acknowledged becomes it.
   * @param {Message} message
   * @returns {boolean} whether it was new here
   */
  add(message) {
    const key = (message.author === "customer" && message.client_message_id) || message.id;
    const known = this.find(key);
    if (known?.message) return false;
    const entry = known ?? this.entry(key, message.author, whoOf(message));
    Object.assign(entry, { seq: message.seq, at: Date.parse(message.at), message });
    this.fill(entry, message);
    this.place(entry);
    return !known;
  }

  /** Shows what waits to be sent. @param {Item} item @returns {boolean} whether it was new here */
  pending(item) {
    const known = this.find(item.id);
    if (known?.message) return false;
    const entry = known ?? this.entry(item.id, "customer", "You");
    entry.at = item.at;
    if (!known) this.textOf(entry).append(item.text);
    this.mark(entry, item);
    if (!known) this.place(entry);
    return !known;
  }

  /** @param {string} key @param {Message["author"]} author @param {string} who @returns {Entry} */
  entry(key, author, who) {
    const node = el("li", { class: `message from-${author}`, "data-author": author }, [
      el("span", { class: "who" }, [who]), el("div", { class: "text" }), el("div", { class: "meta" }),
    ]);
    if (author === "bot" || author === "agent") node.prepend(el("span", { class: "face", "aria-hidden": "true" }));
    return { key, seq: Infinity, at: 0, author, who, node, message: null };
  }

  /** @param {Entry} entry */
  textOf(entry) {
    return /** @type {HTMLElement} */ (entry.node.querySelector(".text"));
  }

  /** @param {Entry} entry @param {Message} message */
  fill(entry, message) {
    const { page } = this.options;
    const text = this.textOf(entry);
    const plain = entry.author === "customer";
    if (plain) setText(text, message.text);
    else text.replaceChildren(...withLinks(message.text, page));
    const link = message.extra.link && safeLink(message.extra.link.url, message.extra.link.label, page);
    if (link) text.append(el("p", { class: "link" }, [link]));
    const at = new Date(message.at);
    const time = el("time", { datetime: message.at, title: at.toLocaleString() }, [timeText(at)]);
    entry.node.querySelector(".meta")?.replaceChildren(time);
    entry.node.dataset.seq = String(message.seq);
    delete entry.node.dataset.state;
  }

  /** @param {Entry} entry @param {Item} item */
  mark(entry, item) {
    entry.node.dataset.state = item.problem ? "failed" : "sending";
    const meta = entry.node.querySelector(".meta");
    if (!item.problem) return meta?.replaceChildren("Sending…");
    const why = el("span", { class: "why" }, [el("strong", {}, ["Not sent."]), ` ${item.problem}`]);
    const again = item.held ? "" : " It is kept and tried again.";
    const actions = el("span", { class: "actions" }, [
      button("Retry", () => this.options.onRetry(item.id)),
      button("Delete", () => this.options.onDelete(item.id)),
    ]);
    return meta?.replaceChildren(why, again, actions);
  }

  /** Moves the node only if it is not in its place: a moved node would be read out again. @param {Entry} entry */
  place(entry) {
    const { entries } = this;
    const old = entries.indexOf(entry);
    if (old >= 0) entries.splice(old, 1);
    let i = entries.length;
    while (i > 0 && isAfter(entries[i - 1], entry)) i--;
    entries.splice(i, 0, entry);
    const next = entries[i + 1]?.node ?? null;
    if (entry.node.parentNode !== this.list || entry.node.nextSibling !== next) this.list.insertBefore(entry.node, next);
    this.joinUp();
  }

  /** Who speaks is shown once for several messages in a row, and read out for each. */
  joinUp() {
    this.entries.forEach((entry, i) => {
      const before = this.entries[i - 1];
      entry.node.classList.toggle("joined", before?.author === entry.author && before.who === entry.who);
    });
  }

  /** The latest bot message, if the customer has not written since. */
  get openQuestion() {
    const last = this.entries.findLast((entry) => entry.author === "bot" || entry.author === "customer");
    return last?.author === "bot" ? last.message : null;
  }

  /** @param {number} seq how many messages from others came after it */
  unreadAfter(seq) {
    return this.entries.filter((entry) => entry.message && entry.author !== "customer" && entry.seq > seq).length;
  }

  get lastSeq() {
    return this.entries.findLast((entry) => entry.message)?.seq ?? 0;
  }
}

/** @param {Entry} a @param {Entry} b */
function isAfter(a, b) {
  return a.seq === b.seq ? a.at > b.at : a.seq > b.seq;
}

/** @param {Message} message */
function whoOf(message) {
  if (message.author === "bot") return "Automatic assistant";
  if (message.author === "agent") return message.author_name ? `${message.author_name}, our team` : "Our team";
  return message.author === "customer" ? "You" : "Notice";
}
