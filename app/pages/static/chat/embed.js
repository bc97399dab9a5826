/** Talks with the launcher on the shop's page: only with the page that made this frame, and only about being seen. */

export class Embed {
  /** @param {{onShown: (focus: boolean) => void, onHidden: () => void}} options */
  constructor(options) {
    this.options = options;
    this.isFramed = window.parent !== window;
    this.page = addressIn("page");
    /** Where the visitor came from; only where the shop's file allows it. */
    this.referrer = "referrer" in document.body.dataset ? addressIn("from") : null;
    /** For whom the shop vouches. */
    this.customer = knownCustomer();
    this.parent = this.isFramed && this.page ? new URL(this.page).origin : null;
    this.shown = !this.isFramed;
    this.unread = -1;
  }

  start() {
    if (!this.parent) return this.options.onShown(false);
    window.addEventListener("message", (event) => this.hear(event));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing && !event.defaultPrevented) this.tell("close");
    });
    document.addEventListener("click", (event) => this.leaving(event));
    this.tell("ready");
  }

  /** @param {MessageEvent} event */
  hear(event) {
    if (event.source !== window.parent || event.origin !== this.parent || event.data?.warmline !== 1) return;
    document.documentElement.classList.toggle("sheet", event.data.sheet === true);
    if (event.data.kind === "shown") {
      this.shown = true;
      this.options.onShown(event.data.focus === true);
    } else if (event.data.kind === "hidden") {
      this.shown = false;
      this.options.onHidden();
    }
  }

  /** A link to the shop's own page would open behind a full-screen sheet. @param {MouseEvent} event */
  leaving(event) {
    const link = /** @type {Element} */ (event.target).closest("a[target=_parent]");
    if (link && document.documentElement.classList.contains("sheet")) this.tell("close");
  }

  /** @param {string} kind @param {object} [more] */
  tell(kind, more = {}) {
    if (this.parent) window.parent.postMessage({ kind, ...more }, this.parent);
  }

  /** @param {number} count */
  setUnread(count) {
    if (count !== this.unread) this.tell("unread", { count });
    this.unread = count;
  }
}

/** The customer's id at the shop and the shop's signature of it, from the fragment. @returns {{id: string, signature: string} | null} */
function knownCustomer() {
  const given = new URLSearchParams(location.hash.slice(1));
  const [id, signature] = [given.get("customer"), given.get("signature")];
  return id && signature ? { id, signature } : null;
}

/** An address of the shop's page, from the fragment: it never reaches a server's log. @param {string} name @returns {string | null} */
function addressIn(name) {
  const address = new URLSearchParams(location.hash.slice(1)).get(name);
  try {
    const url = new URL(address ?? "");
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}
