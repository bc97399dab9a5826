/** Keeps the newest message in sight, unless the customer is reading further up; and what is read out. */

import { byId } from "./dom.js";

const NEAR = 80;

export class Scroller {
  constructor() {
    this.box = byId("scroll");
    /** In very low windows it is the page that scrolls. */
    this.areas = [this.box, document.documentElement];
    this.log = byId("log");
    this.jump = byId("jump");
    this.atEnd = true;
    this.jump.addEventListener("click", () => {
      this.toEnd();
      this.box.focus();
    });
    for (const node of [this.box, window]) node.addEventListener("scroll", () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.follow()).observe(this.box);
  }

  scrolled() {
    this.atEnd = this.areas.every((area) => area.scrollHeight - area.scrollTop - area.clientHeight < NEAR);
    if (this.atEnd) this.jump.hidden = true;
  }

  toEnd() {
    this.atEnd = true;
    this.jump.hidden = true;
    for (const area of this.areas) area.scrollTop = area.scrollHeight;
  }

  follow() {
    if (this.atEnd) this.toEnd();
  }

  /** @param {boolean} isOwn */
  news(isOwn) {
    if (this.atEnd || isOwn) this.toEnd();
    else this.jump.hidden = false;
  }

  /** What was there before is not read out, only what comes. */
  announceFromNowOn() {
    setTimeout(() => this.log.setAttribute("aria-live", "polite"), 300);
  }

  silence() {
    this.log.setAttribute("aria-live", "off");
  }
}
