/** The only module that calls the API. */

/** @import { Account, Colleague, Desk, Me, Mention, Reply, StaffView, Happening, Message, Escalation, Verdict, Endpoint, Delivery, Outgoings } from "./types.js" */

import { learnTime } from "./time.js";

const PATIENCE = 20_000;

/** What went wrong, in words meant for people. `status` 0: no answer came. */
export class Problem extends Error {
  /** @param {number} status @param {string} code @param {string} detail @param {string | null} assigneeName */
  constructor(status, code, detail, assigneeName = null) {
    super(detail);
    this.status = status;
    this.code = code;
    this.assigneeName = assigneeName;
  }
}

/** Leaves for the log-in page, to come back here afterwards. */
export function toLogin() {
  const here = location.pathname + location.search;
  location.assign(`/login?next=${encodeURIComponent(here)}`);
}

/** @param {unknown} error @returns {string} */
export function wordsOf(error) {
  return error instanceof Problem ? error.message : "Something went wrong on this page. Reload it, please.";
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @param {{door?: boolean}} [options] door: a 401 is an answer, not a reason to leave
 * @returns {Promise<any>}
 */
async function call(method, path, body, { door = false } = {}) {
  const init = { method, headers: body ? { "Content-Type": "application/json" } : undefined, body: body && JSON.stringify(body) };
  let response;
  try {
    response = await fetch(path, { ...init, signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    throw new Problem(0, "unreachable", "Warmline cannot be reached at this moment.");
  }
  learnTime(response.headers.get("Date"));
  if (response.status === 401 && !door) {
    toLogin();
    return new Promise(() => {}); // the page is leaving; nobody needs an answer or an error
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) {
    const detail = answer?.detail ?? "Warmline did not answer as it should. Try again in a moment.";
    throw new Problem(response.status, answer?.code ?? "unknown", detail, answer?.assignee_name ?? null);
  }
  return answer;
}

/** What may get lost without harm: presence is told again in a few seconds. @param {Promise<unknown>} telling */
const lightly = (telling) => telling.catch(() => {});

/** @param {string} id */
const conversation = (id) => `/api/conversations/${encodeURIComponent(id)}`;

export const api = {
  /** @returns {Promise<Account>} */
  logIn: (/** @type {string} */ email, /** @type {string} */ password) =>
    call("POST", "/api/session", { email, password }, { door: true }),
  /** @returns {Promise<Account>} */
  join: (/** @type {string} */ token, /** @type {{name: string, email: string, password: string}} */ who) =>
    call("POST", `/api/invitations/${encodeURIComponent(token)}`, who, { door: true }),
  /** @returns {Promise<Account>} */
  me: () => call("GET", "/api/session"),
  /** @returns {Promise<void>} */
  logOut: () => call("DELETE", "/api/session"),
  /** @returns {Promise<Desk>} */
  desk: () => call("GET", "/api/desk"),
  /** @returns {Promise<StaffView>} */
  conversation: (/** @type {string} */ id) => call("GET", conversation(id)),
  /** At most 500 at once. @returns {Promise<Happening[]>} */
  events: (/** @type {string} */ id, /** @type {number} */ after) => call("GET", `${conversation(id)}/events?after=${after}`),
  /** @returns {Promise<Message>} */
  send: (/** @type {string} */ id, /** @type {{text: string, client_message_id: string, visibility: string}} */ message) =>
    call("POST", `${conversation(id)}/messages`, message),
  /** @returns {Promise<StaffView>} */
  take: (/** @type {string} */ id) => call("PUT", `${conversation(id)}/assignee`),
  /** @returns {Promise<StaffView>} */
  release: (/** @type {string} */ id) => call("DELETE", `${conversation(id)}/assignee`),
  /** @returns {Promise<StaffView>} */
  setStatus: (/** @type {string} */ id, /** @type {"bot" | "resolved"} */ status) =>
    call("PUT", `${conversation(id)}/status`, { status }),
  /** Null when nobody waits. @returns {Promise<StaffView | null>} */
  next: () => call("POST", "/api/desk/next"),
  /** Null when it was declined. @returns {Promise<StaffView | null>} */
  answerDeskOffer: (/** @type {string} */ id, /** @type {boolean} */ accept) =>
    call("PUT", `${conversation(id)}/desk-offer`, { accept }),
  /** @returns {Promise<StaffView>} */
  transfer: (/** @type {string} */ id, /** @type {{to_agent: string | null, to_skill: string | null, note: string}} */ to) =>
    call("PUT", `${conversation(id)}/transfer`, to),
  /** @returns {Promise<Me>} */
  changeMe: (/** @type {{status: string}} */ change) => call("PUT", "/api/me", change),
  /** @returns {Promise<Colleague[]>} */
  colleagues: () => call("GET", "/api/colleagues"),
  /** @returns {Promise<Mention[]>} */
  mentions: () => call("GET", "/api/mentions"),
  /** @returns {Promise<Reply[]>} */
  replies: (/** @type {string} */ id) => call("GET", `${conversation(id)}/replies`),
  look: (/** @type {string} */ id, /** @type {{typing: boolean, note: boolean}} */ how) =>
    lightly(call("PUT", `${conversation(id)}/presence`, how)),
  /** Also while the page is being left. */
  lookAway: (/** @type {string} */ id) => lightly(fetch(`${conversation(id)}/presence`, { method: "DELETE", keepalive: true })),
  /** @returns {Promise<{escalations: Escalation[], agents: Account[]}>} */
  escalations: (/** @type {URLSearchParams} */ query) => call("GET", `/api/escalations?${query}`),
  /** @returns {Promise<void>} */
  judge: (/** @type {Escalation} */ one, /** @type {Verdict} */ verdict, /** @type {string} */ note) =>
    call("PUT", `/api/escalations/${encodeURIComponent(one.conversation_id)}/${one.seq}/verdict`, { verdict, note }),
  /** @returns {Promise<{url: string}>} */
  invite: (/** @type {string} */ role) => call("POST", "/api/invitations", { role }),
  /** @returns {Promise<Outgoings>} */
  deliveries: (/** @type {URLSearchParams} */ query) => call("GET", `/api/deliveries?${query}`),
  /** @returns {Promise<Delivery>} */
  replay: (/** @type {string} */ id) => call("POST", `/api/deliveries/${encodeURIComponent(id)}/replays`),
  /** @returns {Promise<{endpoint: Endpoint, secret: string}>} */
  addEndpoint: (/** @type {{url: string, kinds: string[], with_text: boolean}} */ wanted) => call("POST", "/api/endpoints", wanted),
  /** @returns {Promise<Endpoint>} */
  setEndpoint: (/** @type {string} */ id, /** @type {"enabled" | "disabled"} */ status) =>
    call("PUT", `/api/endpoints/${encodeURIComponent(id)}/status`, { status }),
  /** @returns {Promise<void>} */
  deleteEndpoint: (/** @type {string} */ id) => call("DELETE", `/api/endpoints/${encodeURIComponent(id)}`),
  /** @returns {Promise<Delivery>} */
  testEndpoint: (/** @type {string} */ id) => call("POST", `/api/endpoints/${encodeURIComponent(id)}/tests`),
};
