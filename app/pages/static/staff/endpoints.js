/** The owner's endpoints: add, show the secret once, test, disable, enable, delete. */

/** @import { Endpoint } from "./types.js" */

import { api, wordsOf } from "./api.js";
import { arrange, byId, el, say } from "./dom.js";
import { handle } from "./form.js";
import { announce } from "./page.js";
import { TOLD, counted, inWords } from "./words.js";

const KINDS = Object.keys(TOLD).slice(0, Object.keys(TOLD).indexOf("test"));

export class Endpoints {
  /** @param {() => Promise<void>} onChange something was done: what is shown is out of date */
  constructor(onChange) {
    this.onChange = onChange;
    byId("add-kinds").append(...KINDS.map((kind) => tick(kind)));
    handle(byId("add-form"), byId("add-problem"), ({ url }) => this.#add(url));
    byId("secret-copy").addEventListener("click", () => this.#copy());
  }

  /** @param {Endpoint[]} endpoints */
  show(endpoints) {
    const focused = document.activeElement?.getAttribute("data-act");
    arrange(byId("endpoints"), endpoints.map((endpoint) => this.#card(endpoint)));
    if (focused) document.querySelector(`[data-act="${CSS.escape(focused)}"]`)?.focus();
    say(byId("endpoints-empty"), endpoints.length ? "" : "None yet. A webhook tells another program when something happens here.");
  }

  /** @param {Endpoint} endpoint */
  #card(endpoint) {
    const off = endpoint.disabled_at !== null;
    const all = endpoint.kinds.length === KINDS.length;
    const told = all ? "Everything" : endpoint.kinds.map((kind) => inWords(TOLD, kind)).join(", ");
    const act = (/** @type {string} */ name, /** @type {string} */ words, /** @type {() => Promise<any>} */ work) =>
      el("button", { type: "button", class: "quiet", "data-act": `${name} ${endpoint.id}`, onclick: () => this.#do(work) }, words);
    return el("li", { class: "out", "data-endpoint": endpoint.id },
      el("div", { class: "out-top" }, el("strong", {}, endpoint.url), state(off ? "disabled" : "enabled", off ? "Disabled" : "Enabled")),
      off && el("p", { class: "out-error" }, endpoint.disabled_reason ?? ""),
      el("p", { class: "out-where soft" }, `${told}${endpoint.with_text ? "; with the words of messages" : ""}`),
      el("div", { class: "actions" },
        !off && act("test", "Send a test", async () => (await api.testEndpoint(endpoint.id), announce("A test is on its way."))),
        off ? act("switch", "Enable", () => api.setEndpoint(endpoint.id, "enabled")) : act("switch", "Disable", () => api.setEndpoint(endpoint.id, "disabled")),
        act("delete", "Delete", () => this.#delete(endpoint))));
  }

  /** @param {() => Promise<any>} work */
  async #do(work) {
    say(byId("problem"), "");
    try {
      await work();
    } catch (error) {
      say(byId("problem"), wordsOf(error));
    }
    await this.onChange();
  }

  /** @param {string} url */
  async #add(url) {
    const boxes = /** @type {HTMLInputElement[]} */ ([...byId("add-kinds").querySelectorAll("input")]);
    const kinds = boxes.filter((box) => box.checked).map((box) => box.value);
    if (!kinds.length) return say(byId("add-problem"), "Tick at least one thing it should be told.");
    const { secret } = await api.addEndpoint({ url: url.trim(), kinds, with_text: byId("add-text").checked });
    byId("add-form").reset();
    byId("add").open = false;
    byId("made").hidden = false;
    byId("secret").value = secret;
    byId("secret-copied").textContent = "";
    byId("secret").focus();
    byId("secret").select();
    await this.onChange();
  }

  async #copy() {
    byId("secret").select();
    try {
      await navigator.clipboard.writeText(byId("secret").value);
      byId("secret-copied").textContent = "Copied.";
    } catch {
      byId("secret-copied").textContent = "Press Ctrl+C to copy the selected secret."; // without HTTPS there is no clipboard
    }
  }

  /** @param {Endpoint} endpoint */
  async #delete(endpoint) {
    const dialog = byId("sure");
    byId("sure-text").textContent = `Delete ${endpoint.url}, with its secret and the list of what was sent to it?`;
    dialog.returnValue = "no";
    dialog.showModal();
    await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
    if (dialog.returnValue !== "yes") return;
    await api.deleteEndpoint(endpoint.id);
    announce(`${counted(1, "endpoint")} deleted.`);
    byId("add").querySelector("summary")?.focus();
  }
}

/** @param {string} kind */
function tick(kind) {
  const box = el("input", { type: "checkbox", id: `kind-${kind}`, value: kind, checked: true });
  return el("p", { class: "tick" }, box, el("label", { for: `kind-${kind}` }, inWords(TOLD, kind)));
}

/** @param {string} name @param {string} words */
export const state = (name, words) => el("span", { class: "state", "data-status": name }, words);
