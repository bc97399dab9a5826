/** The customer's API, and what went wrong in words. */

const TIMEOUT = 20_000;

/**
 * @typedef {{kind: "ask" | "accept" | "decline", label: string}} Button
 * @typedef {{act?: string, buttons?: Button[], link?: {label: string, url: string}, promise?: boolean}} Extra
 * @typedef {{id: string, seq: number, author: "customer" | "bot" | "agent" | "system", author_name: string | null,
 *   text: string, at: string, client_message_id: string | null, extra: Extra}} Message
 * @typedef {{place: number, minutes: number | null}} Wait
 * @typedef {"bot" | "waiting" | "with_agent" | "resolved"} Status
 * @typedef {{status: Status, bot_is_typing: boolean, agent_is_typing?: boolean, offer_open: boolean, wait: Wait | null}} State
 * @typedef {State & {id: string, agent_name: string | null, customer_name: string | null,
 *   customer_email: string | null, wants_transcript: boolean, last_seq: number, messages: Message[]}} View
 * @typedef {{id: string, token: string}} Session
 */

export class Problem extends Error {
  /**
   * @param {number} status 0 when no answer came
   * @param {string} code
   * @param {string} detail
   * @param {number} retryAfter milliseconds
   */
  constructor(status, code, detail, retryAfter = 0) {
    super(detail);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.retryAfter = retryAfter;
  }

  /** The session opens nothing any more: a new conversation is needed. */
  get isOver() {
    return this.status === 401 || this.code === "not_yours" || this.code === "not_found";
  }

  /** Trying the same again later may work. */
  get mayPass() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500 || this.isOver;
  }
}

/** @param {string | null} header seconds or a date */
function retryAfter(header) {
  if (!header) return 0;
  const seconds = Number(header);
  return Math.max(0, Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now() || 0);
}

/** @param {Response} response */
export async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  const detail = typeof body.detail === "string" ? body.detail : "Something went wrong on our side.";
  return new Problem(response.status, String(body.code ?? ""), detail, retryAfter(response.headers.get("Retry-After")));
}

/**
 * @param {string} method
 * @param {string} path below /api/chat
 * @param {{token?: string, body?: unknown}} [options]
 */
async function call(method, path, { token, body } = {}) {
  /** @type {Record<string, string>} */
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(`/api/chat${path}`, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store", signal: AbortSignal.timeout(TIMEOUT),
    });
    if (response.ok) return response.status === 204 ? null : await response.json();
  } catch {
    throw new Problem(0, "no_answer", navigator.onLine ? "The chat does not answer." : "You are offline.");
  }
  throw await problemOf(response);
}

/** @param {Session} session */
const home = (session) => `/conversations/${encodeURIComponent(session.id)}`;

/** @param {Session} session */
export const streamOf = (session) => ({
  url: `/api/chat${home(session)}/stream`,
  headers: { Authorization: `Bearer ${session.token}` },
});

/**
 * @param {string} shop
 * @param {{page: string | null, referrer: string | null, customer?: {id: string, signature: string} | null}} visit
 * @returns {Promise<{token: string, conversation: View}>}
 */
export const open = (shop, { page, referrer, customer = null }) =>
  call("POST", "/conversations", { body: { shop, page_url: page, referrer, customer } });

/** @param {string} token from a mail's link @returns {Promise<{token: string, conversation: View}>} */
export const comeBack = (token) => call("POST", "/returns", { body: { token } });

/** @param {Session} session @returns {Promise<View>} */
export const view = (session) => call("GET", home(session), { token: session.token });

/** @param {Session} session @param {{id: string, text: string}} item @returns {Promise<Message>} */
export const send = (session, item) =>
  call("POST", `${home(session)}/messages`, {
    token: session.token, body: { text: item.text, client_message_id: item.id },
  });

/** Whether something is being written; not a word of it. @param {Session} session @param {boolean} typing */
export const type = (session, typing) => call("PUT", `${home(session)}/typing`, { token: session.token, body: { typing } });

/** @param {Session} session @returns {Promise<View>} */
export const askForPerson = (session) => call("PUT", `${home(session)}/handoff`, { token: session.token });

/** @param {Session} session @param {boolean} accept @returns {Promise<View>} */
export const answerOffer = (session, accept) =>
  call("PUT", `${home(session)}/offer`, { token: session.token, body: { accept } });

/** @param {Session} session @param {{name?: string, email?: string, transcript?: boolean}} who @returns {Promise<View>} */
export const introduce = (session, who) =>
  call("PUT", `${home(session)}/customer`, { token: session.token, body: who });
