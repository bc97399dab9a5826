/** Things to say that are not part of the conversation. */

import { byId, setText } from "./dom.js";

export class Notices {
  /** @param {() => void} onRetry */
  constructor(onRetry) {
    this.notice = byId("notice");
    this.noticeText = byId("notice-text");
    this.loading = byId("loading");
    this.box = byId("trouble");
    this.text = byId("trouble-text");
    byId("notice-close").addEventListener("click", () => this.say(""));
    byId("trouble-retry").addEventListener("click", onRetry);
  }

  /** @param {string} text */
  say(text) {
    setText(this.noticeText, text);
    this.notice.hidden = !text;
  }

  /** The chat cannot be shown. @param {boolean} is @param {string} [why] @param {{final?: boolean}} [options] */
  trouble(is, why = "", { final = false } = {}) {
    this.loading.hidden = true;
    this.box.hidden = !is;
    const hope = final ? "" : " What you write is kept, and we try again by ourselves.";
    setText(this.text, is ? why + hope : "");
    byId("trouble-retry").hidden = final;
  }
}
