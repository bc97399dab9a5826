/** One line of a transcript: a message, a decision of the bot, or something that happened. */

/** @import { Happening, Message, Outgoing, Reading } from "./types.js" */

import { el, link, withLinks } from "./dom.js";
import { evidenceList } from "./evidence.js";
import { withMentions } from "./mentions.js";
import { readingView } from "./reading.js";
import { timeOf } from "./time.js";
import { ACTS, REASONS, inWords } from "./words.js";

/** @type {Record<string, (event: Happening) => string | null>} */
const HAPPENED = {
  conversation_opened: () => "The chat was opened",
  offer_declined: () => "The customer would rather go on with the bot",
  handoff_requested: ({ payload }) => `A person was called: ${inWords(REASONS, payload.reason).toLowerCase()}`,
  taken: ({ payload }) => `${payload.agent_name} ${payload.from_status === "bot" ? "took over from the bot" : "took the chat"}`,
  desk_offered: ({ payload }) => `Offered to ${payload.agent_name}`,
  desk_offer_declined: ({ payload }) => `${payload.agent_name} ${payload.why === "expired" ? "did not answer the offer" : "declined the offer"}`,
  transferred: ({ payload }) => `${payload.agent_name} passed the chat on to ${payload.to_agent_name ?? `whoever knows about ${payload.to_skill}`}`,
  returned_to_queue: ({ payload }) => (payload.why === "transfer_not_taken"
    ? "The transfer was not taken; the chat is back in the queue"
    : `${payload.agent_name} lost the connection; the chat is back in the queue`),
  released: ({ payload }) => `${payload.agent_name} put the chat back into the queue`,
  returned_to_bot: ({ payload }) => `${payload.agent_name} returned the chat to the bot`,
  resolved: ({ payload }) => `${payload.agent_name} resolved the chat`,
  reopened: () => "The customer came back",
  customer_named: ({ payload }) => `The customer left ${[payload.name, payload.email].filter(Boolean).join(", ") || "no name"}`,
};

/** @param {Message} message @param {string} customer */
function authorOf(message, customer) {
  if (message.author === "customer") return customer;
  if (message.author === "bot") return "Bot";
  return message.author === "system" ? "Said automatically" : (message.author_name ?? "Agent");
}

/** @param {Message} message the link and buttons the customer saw below it */
function extras(message) {
  const { link: shown, buttons } = message.extra;
  const address = shown && link(shown.url, shown.label);
  const labels = (buttons ?? []).map((/** @type {{label: string}} */ button) => button.label);
  return [
    address && el("p", { class: "shown" }, "Link: ", address),
    labels.length > 0 && el("p", { class: "shown" }, `Buttons: ${labels.join(" · ")}`),
  ];
}

/** @param {Message} message @param {string} customer the customer's name */
function messageLine(message, customer) {
  const note = message.visibility === "internal";
  return el(
    "li", { class: `line message ${note ? "note" : message.author}`, id: `m-${message.id}`, tabindex: "-1", "data-author": message.author },
    el("p", { class: "byline" }, el("strong", {}, authorOf(message, customer)), note && el("span", { class: "note-mark" }, "Note, only staff"), " ", timeOf(message.at)),
    el("div", { class: "bubble" }, el("p", { class: "text", dir: "auto" }, note ? withMentions(message.text) : withLinks(message.text)), ...extras(message)),
    el("div", { class: "reading-place" }),
  );
}

/** @param {Happening} event */
function decisionLine({ payload }) {
  const words = inWords(ACTS, payload.kind);
  const plain = payload.kind === payload.reason || (payload.reason === "fits" && payload.kind !== "answer");
  const because = plain ? "" : `: ${inWords(REASONS, payload.reason).toLowerCase()}`;
  return el("li", { class: "line decision", "data-act": payload.kind }, el("p", {}, words + because), evidenceList(payload.evidence));
}

/** @param {Happening} event */
function happenedLine(event) {
  const words = HAPPENED[event.kind]?.(event);
  if (!words) return null;
  const byCustomer = event.kind === "handoff_requested" && event.payload.decided_by === "customer";
  return el("li", { class: `line happened ${event.kind}` }, el("p", {}, el("span", {}, words), " ", timeOf(event.at)),
    byCustomer && evidenceList(event.payload.evidence));
}

/** @param {Happening} event @param {string} customer @returns {HTMLElement | null} null: not shown by itself */
export function lineOf(event, customer) {
  if (event.message) return messageLine(event.message, customer);
  return event.kind === "turn_decided" ? decisionLine(event) : happenedLine(event);
}

/** Puts a reading under its message, once. @param {HTMLElement} line @param {Reading} reading */
export function showReading(line, reading) {
  const place = line.querySelector(".reading-place");
  if (place && !place.hasChildNodes()) place.append(readingView(reading));
}

/**
 * A reply or note that is on its way, or did not get there.
 * @param {Outgoing} item
 * @param {{retry: (item: Outgoing) => void, edit: (item: Outgoing) => void}} acts
 */
export function outgoingLine(item, { retry, edit }) {
  const failed = item.state === "failed";
  const note = item.visibility === "internal";
  return el(
    "li", { class: `line message outgoing ${note ? "note" : "agent"}`, "data-outgoing": item.client_message_id, "data-state": item.state },
    el("p", { class: "byline" }, el("strong", {}, "You"), note && el("span", { class: "note-mark" }, "Note, only staff"), failed ? " Not sent" : " Sending…"),
    el("div", { class: "bubble" }, el("p", { class: "text", dir: "auto" }, withLinks(item.text))),
    failed && el("div", { class: "failed" },
      el("p", { class: "field-problem" }, item.problem ?? "It was not sent."),
      el("button", { type: "button", onclick: () => retry(item) }, "Send again"),
      // Without an answer it may have been kept: only sending again is sure not to double it.
      item.refused && el("button", { type: "button", onclick: () => edit(item) }, "Edit")),
  );
}
