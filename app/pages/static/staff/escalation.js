/** One escalation: its card in the list, and beside it what was said. */

/** @import { Escalation, StaffView } from "./types.js" */

import { whyView } from "./brief.js";
import { byId, el } from "./dom.js";
import { followMessageLinks } from "./evidence.js";
import { moodCurve } from "./mood.js";
import { moodMark } from "./reading.js";
import { Thread } from "./thread.js";
import { moment, span, timeOf } from "./time.js";
import { Transcript } from "./transcript.js";
import { OUTCOMES, REASONS, VERDICTS, customerName, inWords } from "./words.js";

/** @param {{conversation_id: string, seq: number}} one @returns {string} its name in the address */
export const keyOf = (one) => `${one.conversation_id}:${one.seq}`;

/** @param {Escalation} one @returns {string} */
function takenBy(one) {
  if (!one.agent_name) return inWords(OUTCOMES, one.outcome);
  const after = one.taken_at ? ` after ${span(Date.parse(one.taken_at) - Date.parse(one.at))}` : "";
  return `${one.agent_name}${after} · ${inWords(OUTCOMES, one.outcome)}`;
}

/** @param {Escalation} one @returns {Node[]} what a card shows */
export function faceOf(one) {
  const verdict = one.verdict ? inWords(VERDICTS, one.verdict) : "Not judged";
  return [
    el("span", { class: "card-top" }, el("strong", {}, customerName(one.customer_name)), el("span", { class: "given", "data-verdict": one.verdict ?? "none" }, verdict)),
    el("span", { class: "card-reason" }, inWords(REASONS, one.reason)),
    el("span", { class: "card-last" }, takenBy(one)),
    el("span", { class: "card-foot" }, one.state ? moodMark(one.state) : el("span", {}), el("span", { class: "when" }, timeOf(one.at))),
  ];
}

export class Detail {
  constructor() {
    this.transcript = new Transcript(byId("transcript"));
    followMessageLinks(byId("detail"), (id) => this.transcript.reveal(id));
  }

  /** What is known from the list alone. @param {Escalation} one */
  head(one) {
    byId("detail-title").textContent = `${customerName(one.customer_name)}: ${inWords(REASONS, one.reason).toLowerCase()}`;
    const by = one.decided_by === "customer" ? "Called by the customer" : "Called by the bot";
    byId("detail-facts").textContent = `${by}, ${moment(one.at)} · ${takenBy(one)}`;
    for (const id of ["detail-why", "detail-mood", "transcript"]) byId(id).replaceChildren();
  }

  /** @param {Escalation} one @param {StaffView} view */
  show(one, view) {
    const thread = new Thread(view);
    const why = one.evidence.map((detail) => ({ text: detail.text, message_id: detail.message_id || null, detail }));
    byId("detail-why").replaceChildren(whyView(one.reason, why));
    byId("detail-mood").replaceChildren(el("h3", {}, "Mood"), moodCurve(view.brief.mood, { texts: thread.texts, handoffs: [one.seq] }));
    this.transcript.show(thread);
    this.transcript.revealEvent(one.seq);
  }
}
