/** Accept an invitation. Without a form on the page the invitation is used up, and the page says so itself. */

import { api } from "./api.js";
import { byId } from "./dom.js";
import { handle } from "./form.js";

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("#invitation"));
if (form) {
  handle(form, byId("invitation-problem"), async ({ name, email, password }) => {
    await api.join(form.dataset.token ?? "", { name: name.trim(), email: email.trim(), password });
    location.assign("/console/");
  });
  byId("name").focus();
}
