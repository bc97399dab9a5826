/** Invite a colleague: make a one-time link and copy it. */

import { api } from "./api.js";
import { byId } from "./dom.js";
import { handle } from "./form.js";

export function startInviting() {
  const [url, copied] = [byId("invite-url"), byId("invite-copied")];
  handle(byId("invite-form"), byId("invite-problem"), async ({ role }) => {
    const invitation = await api.invite(role);
    url.value = invitation.url;
    copied.textContent = "";
    byId("invite-made").hidden = false;
    url.focus();
    url.select();
  });
  byId("invite-copy").addEventListener("click", async () => {
    url.select();
    try {
      await navigator.clipboard.writeText(url.value);
      copied.textContent = "Copied.";
    } catch {
      copied.textContent = "Press Ctrl+C to copy the selected link."; // without HTTPS there is no clipboard
    }
  });
}
