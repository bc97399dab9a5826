/** The customer's name and e-mail: always optional, suggested when nobody is at the desk and an answer could be mailed. */

import { byId, setText } from "./dom.js";

export class Introduction {
  /** @param {(who: {name?: string, email?: string, transcript?: boolean}) => Promise<void>} onSave throws Problem */
  constructor(onSave) {
    this.onSave = onSave;
    this.box = /** @type {HTMLDetailsElement} */ (byId("introduce"));
    this.summary = byId("introduce-summary");
    this.form = /** @type {HTMLFormElement} */ (byId("introduce-form"));
    this.name = /** @type {HTMLInputElement} */ (byId("name"));
    this.email = /** @type {HTMLInputElement} */ (byId("email"));
    /** Only where the shop can send mail. */
    this.transcript = /** @type {HTMLInputElement | null} */ (document.getElementById("transcript"));
    this.said = byId("introduce-said");
    this.suggested = false;
    /** @type {(() => void) | null} */
    this.afterSaving = null;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
  }

  /**
   * @param {{customer_name: string | null, customer_email: string | null, wants_transcript: boolean}} known
   * @param {boolean} nobodyThere
   */
  update({ customer_name: name, customer_email: email, wants_transcript: transcript }, nobodyThere) {
    if (this.transcript && !this.box.open) this.transcript.checked = transcript;
    if (document.activeElement !== this.name) this.name.value ||= name ?? "";
    if (document.activeElement !== this.email) this.email.value ||= email ?? "";
    const needed = nobodyThere && !email && this.transcript !== null;
    const known = [name, email].filter(Boolean).join(", ");
    const ask = needed ? "Leave your e-mail for the answer" : "Leave your name or e-mail";
    setText(this.summary, known && !needed ? `You are ${known}. Change` : ask);
    this.box.classList.toggle("needed", needed);
    if (needed && !this.suggested) this.box.open = true;
    this.suggested = needed;
  }

  /** Open the form for the e-mail; `then` runs once it is saved. @param {() => void} then */
  ask(then) {
    this.afterSaving = then;
    this.box.open = true;
    this.email.focus();
  }

  async save() {
    const submit = /** @type {HTMLButtonElement} */ (this.form.querySelector("button"));
    const fields = [["name", this.name.value.trim()], ["email", this.email.value.trim()]];
    /** @type {{name?: string, email?: string, transcript?: boolean}} */
    const who = Object.fromEntries(fields.filter(([, value]) => value));
    if (!who.email && this.transcript?.checked) {
      setText(this.said, "Your e-mail address is needed to send you the conversation.");
      return this.email.focus();
    }
    if (!Object.keys(who).length) return this.name.focus();
    if (this.transcript) who.transcript = this.transcript.checked;
    submit.disabled = true;
    setText(this.said, "Saving…");
    try {
      await this.onSave(who);
      this.email.removeAttribute("aria-invalid");
      setText(this.said, "Saved, thank you.");
      this.box.open = false;
      this.summary.focus();
      if (who.email && this.afterSaving) this.afterSaving();
      this.afterSaving = null;
    } catch (error) {
      const problem = /** @type {import("./api.js").Problem} */ (error);
      const wrong = problem.status === 422;
      setText(this.said, wrong ? "That e-mail address does not look right." : `Not saved. ${problem.message}`);
      this.email.setAttribute("aria-invalid", String(wrong));
      (wrong ? this.email : submit).focus();
    }
    submit.disabled = false;
  }
}
