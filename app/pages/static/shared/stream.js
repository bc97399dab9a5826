/**
 * Server-sent events over fetch(), because EventSource cannot send the token in a header.
 * Resumes after the last id, comes back by itself, and notices connections that died silently.
 */

const BACKOFF = [500, 1000, 2000, 4000, 8000, 15000, 30000];
/** The server sends a byte at least every 15 s; three times that in silence means the line is dead. */
const SILENCE = 45_000;
/** After waking up, a line that has been quiet for longer than one keep-alive is not trusted. */
const STALE = 20_000;
/** A hidden tab gives its connection back: HTTP/1.1 browsers allow about six for all tabs together. */
const HIDDEN_FOR = 60_000;

/** @typedef {{event: string, data: string, id: string}} ServerEvent */
/** @typedef {"connecting" | "open" | "waiting" | "paused" | "closed"} StreamState */

/** Cuts a text stream into events. Line ends may be LF, CRLF or CR, also split between two pieces. */
export class SseParser {
  /** @param {(event: ServerEvent) => void} onEvent */
  constructor(onEvent) {
    this.onEvent = onEvent;
    this.lastId = "";
    this.rest = "";
    this.clear();
  }

  clear() {
    this.event = "";
    /** @type {string[]} */
    this.data = [];
  }

  /** @param {string} text */
  push(text) {
    const all = this.rest + text;
    // A CR at the very end may be half of a CRLF: it waits for the next piece.
    const end = all.endsWith("\r") ? all.length - 1 : all.length;
    const lines = all.slice(0, end).split(/\r\n|\n|\r/);
    this.rest = (lines.pop() ?? "") + all.slice(end);
    for (const line of lines) this.line(line);
  }

  /** @param {string} line */
  line(line) {
    if (line === "") return this.dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.data.push(value);
    else if (field === "event") this.event = value;
    else if (field === "id" && !value.includes("\0")) this.lastId = value;
  }

  dispatch() {
    const { event, data } = this;
    this.clear();
    if (data.length) this.onEvent({ event: event || "message", data: data.join("\n"), id: this.lastId });
  }
}

/**
 * @typedef {object} StreamOptions
 * @property {string} url
 * @property {Record<string, string>} [headers]
 * @property {string} [lastId] where to go on: events after this one
 * @property {(event: ServerEvent) => void} onEvent
 * @property {(state: StreamState) => void} [onState]
 * @property {(response: Response) => void} [onDenied] 4xx other than 408 and 429: trying again would not help
 */

export class EventStream {
  /** @param {StreamOptions} options */
  constructor(options) {
    this.options = options;
    this.lastId = options.lastId ?? "";
    this.failures = 0;
    this.heardAt = 0;
    /** @type {StreamState} */
    this.state = "closed";
    /** @type {AbortController | null} */
    this.abort = null;
    this.listeners = new AbortController();
  }

  start() {
    const { signal } = this.listeners;
    window.addEventListener("online", () => this.state !== "paused" && this.connect(), { signal });
    window.addEventListener("pageshow", () => this.wake(), { signal });
    window.addEventListener("pagehide", () => this.pause(), { signal });
    document.addEventListener("visibilitychange", () => this.visibility(), { signal });
    this.visibility();
    this.wake();
    return this;
  }

  close() {
    this.listeners.abort();
    clearTimeout(this.hiddenTimer);
    this.stop();
    this.report("closed");
  }

  visibility() {
    clearTimeout(this.hiddenTimer);
    if (document.visibilityState === "hidden") this.hiddenTimer = setTimeout(() => this.pause(), HIDDEN_FOR);
    else if (this.state !== "closed") this.wake();
  }

  /** Connects now unless there is a line that was heard a moment ago, or one is being made. */
  wake() {
    const quiet = performance.now() - this.heardAt > STALE;
    if (this.state === "connecting" && !quiet) return;
    if (this.state !== "open" || quiet) this.connect();
  }

  pause() {
    this.stop();
    this.report("paused");
  }

  stop() {
    clearTimeout(this.retryTimer);
    clearTimeout(this.watchdog);
    this.abort?.abort();
    this.abort = null;
  }

  /** @param {StreamState} state */
  report(state) {
    if (state === this.state) return;
    this.state = state;
    this.options.onState?.(state);
  }

  heard() {
    this.heardAt = performance.now();
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.connect(), SILENCE);
  }

  async connect() {
    if (this.listeners.signal.aborted) return;
    this.stop();
    const abort = (this.abort = new AbortController());
    this.report("connecting");
    this.heard();
    let wait = 0;
    try {
      wait = await this.read(abort.signal);
    } catch {
      // Offline, reset, aborted: all the same from here.
    }
    if (this.abort === abort) this.retry(wait);
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<number>} milliseconds the server asked us to wait before the next try
   */
  async read(signal) {
    const headers = { Accept: "text/event-stream", ...this.options.headers };
    if (this.lastId) headers["Last-Event-ID"] = this.lastId;
    const response = await fetch(this.options.url, { headers, signal, cache: "no-store" });
    if (!response.ok || !response.body) return this.refused(response);
    this.report("open");
    const parser = new SseParser((event) => {
      if (event.id) this.lastId = event.id;
      this.options.onEvent(event);
    });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (signal.aborted || done) return 0;
      this.failures = 0;
      this.heard();
      parser.push(value);
    }
  }

  /** @param {Response} response */
  refused(response) {
    const { status } = response;
    if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
      this.close();
      this.options.onDenied?.(response);
    }
    return (Number(response.headers.get("Retry-After")) || 0) * 1000;
  }

  /** @param {number} atLeast milliseconds */
  retry(atLeast) {
    if (this.listeners.signal.aborted) return;
    this.stop();
    this.report("waiting");
    const step = BACKOFF[Math.min(this.failures++, BACKOFF.length - 1)];
    const wait = Math.max(atLeast, step * (0.5 + Math.random()));
    this.retryTimer = setTimeout(() => this.connect(), wait);
  }
}
