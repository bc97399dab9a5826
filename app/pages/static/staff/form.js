/** Small forms: say what is missing beside the field, send once, say what the server answered. */

import { wordsOf } from "./api.js";
import { say } from "./dom.js";

/** @param {HTMLInputElement} input @returns {string} what is wrong, in words; "" when nothing is */
function wrongWith(input) {
  const label = input.labels?.[0]?.textContent?.toLowerCase() ?? "value";
  if (input.validity.valueMissing || (input.required && !input.value.trim())) return `Your ${label} is missing.`;
  if (input.validity.typeMismatch) return `This does not look like ${input.type === "url" ? "a web" : "an e-mail"} address.`;
  // minLength of the constraint API only speaks of typed values; filled-in ones count here as well.
  if (input.minLength > 0 && input.value.length < input.minLength) return `At least ${input.minLength} characters, please.`;
  return "";
}

/** @param {HTMLInputElement} input @returns {boolean} whether it is as it should be */
function check(input) {
  const wrong = wrongWith(input);
  const place = document.getElementById(`${input.id}-problem`);
  if (place) place.textContent = wrong;
  input.setAttribute("aria-invalid", String(wrong !== ""));
  return wrong === "";
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement} problem where the server's refusal is shown
 * @param {(values: Record<string, string>) => Promise<void>} send
 */
export function handle(form, problem, send) {
  let busy = false;
  // Until here a press of Enter would have sent the form by itself, past this script.
  for (const button of form.querySelectorAll("button")) button.disabled = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const inputs = [...form.querySelectorAll("input")];
    const wrong = inputs.filter((input) => !check(input));
    say(problem, "");
    if (wrong.length) wrong[0].focus();
    if (wrong.length || busy) return;
    busy = true;
    try {
      await send(Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)])));
    } catch (error) {
      say(problem, wordsOf(error));
    } finally {
      busy = false;
    }
  });
}

/** Where to go after the door: `?next=` if it stays on this site, else the console. @returns {string} */
export function next() {
  const wanted = new URLSearchParams(location.search).get("next") ?? "";
  if (!wanted.startsWith("/") || !URL.canParse(wanted, location.origin)) return "/console/";
  const url = new URL(wanted, location.origin);
  return url.origin === location.origin ? url.pathname + url.search + url.hash : "/console/";
}
