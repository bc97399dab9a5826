/** Log in. */

import { api } from "./api.js";
import { byId } from "./dom.js";
import { handle, next } from "./form.js";

handle(byId("login"), byId("login-problem"), async ({ email, password }) => {
  await api.logIn(email.trim(), password);
  location.assign(next());
});
byId("email").focus();
