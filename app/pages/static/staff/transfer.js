/** Passing a chat on: to a colleague or to whoever has a skill, with a note so that nobody has to ask again. */

/** @import { AtDesk, Desk, StaffView } from "./types.js" */

import { api, wordsOf } from "./api.js";
import { byId, el, say } from "./dom.js";

/** @param {AtDesk} agent */
function described({ name, held, capacity, heavy }) {
  return `${name} (${held} of ${capacity} chats${heavy ? ", heavy ones" : ""})`;
}

export class Transfer {
  /** @type {AtDesk[]} */
  #agents = [];
  /** @type {string[]} */
  #skills = [];
  #id = "";
  #busy = false;

  /** @param {string} meId @param {(view: StaffView) => void} done */
  constructor(meId, done) {
    this.meId = meId;
    this.done = done;
    this.dialog = byId("transfer");
    this.problem = byId("transfer-problem");
    byId("transfer-form").addEventListener("submit", (/** @type {Event} */ event) => (event.preventDefault(), this.#submit()));
    byId("transfer-cancel").addEventListener("click", () => this.dialog.close());
    for (const radio of document.querySelectorAll("[name=transfer-to]")) radio.addEventListener("change", () => this.#draw());
  }

  /** @param {Desk} desk */
  know(desk) {
    this.#agents = (desk.agents ?? []).filter((agent) => agent.id !== this.meId && agent.status === "here");
    this.#skills = desk.skills ?? [];
  }

  /** @param {string} id @param {string} customer */
  open(id, customer) {
    this.#id = id;
    byId("transfer-title").textContent = `Pass on the chat with ${customer}`;
    byId("transfer-agent").replaceChildren(...this.#agents.map((agent) => el("option", { value: agent.id }, described(agent))));
    byId("transfer-skills").replaceChildren(...this.#skills.map((skill) => el("option", { value: skill })));
    byId("transfer-to-agent").disabled = this.#agents.length === 0;
    byId("transfer-to-agent").checked = this.#agents.length > 0;
    byId("transfer-to-skill").checked = this.#agents.length === 0;
    byId("transfer-nobody").hidden = this.#agents.length > 0;
    byId("transfer-note").value = byId("transfer-skill").value = "";
    say(this.problem, "");
    this.#draw();
    this.dialog.showModal();
  }

  #draw() {
    const toAgent = byId("transfer-to-agent").checked;
    byId("transfer-agent-field").hidden = !toAgent;
    byId("transfer-skill-field").hidden = toAgent;
  }

  async #submit() {
    const toAgent = byId("transfer-to-agent").checked;
    const [agent, skill, note] = ["transfer-agent", "transfer-skill", "transfer-note"].map((id) => byId(id).value.trim());
    const missing = !(toAgent ? agent : skill) ? "transfer-skill" : note ? null : "transfer-note";
    say(this.problem, missing ? (missing === "transfer-note" ? "Write a line for whoever takes it, so that nobody has to ask again." : "Which skill is needed?") : "");
    if (missing) return byId(missing).focus();
    if (this.#busy) return;
    this.#busy = true;
    try {
      const view = await api.transfer(this.#id, { to_agent: toAgent ? agent : null, to_skill: toAgent ? null : skill, note });
      this.dialog.close();
      this.done(view);
    } catch (error) {
      say(this.problem, `Not passed on. ${wordsOf(error)}`);
    } finally {
      this.#busy = false;
    }
  }
}
