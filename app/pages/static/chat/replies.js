/** Buttons under the bot's latest message. */

import { button, byId } from "./dom.js";

export class QuickReplies {
  /** @param {{onAsk: (text: string) => void, onOffer: (accept: boolean) => void, onEmail: () => void}} options */
  constructor(options) {
    this.options = options;
    this.box = byId("replies");
    this.shownFor = "";
    this.isBusy = false;
  }

  /** @param {import("./api.js").Message | null} question @param {import("./api.js").State | null} state */
  update(question, state) {
    const buttons = question && state?.status === "bot" ? usable(question.extra.buttons ?? [], state.offer_open) : [];
    // Drawn again only when they change, so that the focus stays where it is.
    const key = JSON.stringify([question?.id, buttons]);
    if (key === this.shownFor) return;
    this.shownFor = key;
    const hadFocus = this.box.contains(document.activeElement);
    this.box.replaceChildren(...buttons.map((one) => this.button(one)));
    this.box.hidden = buttons.length === 0;
    if (hadFocus) byId("text").focus();
  }

  /** @param {boolean} is */
  busy(is) {
    this.isBusy = is;
    for (const node of this.box.children) node.setAttribute("aria-disabled", String(is));
  }

  /** @param {import("./api.js").Button} one */
  button({ kind, label }) {
    const press = () => {
      if (this.isBusy) return;
      if (kind === "ask") this.options.onAsk(label);
      else if (kind === "email") this.options.onEmail();
      else this.options.onOffer(kind === "accept");
    };
    const node = button(label, press, `reply ${kind === "accept" ? "accept" : ""}`);
    node.dataset.kind = kind;
    return node;
  }
}

/**
 * An answered offer leaves no yes or no behind. A lone "talk to a person" stays: it needs no offer.
 * @param {import("./api.js").Button[]} buttons @param {boolean} offerOpen
 */
function usable(buttons, offerOpen) {
  const isOffer = buttons.some(({ kind }) => kind === "decline");
  return buttons.filter(({ kind }) => kind === "ask" || (["accept", "email", "decline"].includes(kind) && (!isOffer || offerOpen)));
}
