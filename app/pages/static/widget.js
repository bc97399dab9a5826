/**
 * Warmline's launcher: <script async src="https://chat.example/widget.js" data-shop="my-shop"></script>
 * Draws a button in a shadow root; the chat itself is a frame on Warmline's origin, made on first use.
 * Tells that frame the shop's id, for whom the shop vouches (data-customer, data-signature), and the addresses of the page and of the one before it, without their queries and
 * fragments, nothing else. They stay in the browser; the frame passes the second on only if the shop's file allows it.
 */
(() => {
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  const shop = script?.dataset.shop;
  const { customer, signature } = script?.dataset ?? {};
  const known = customer && signature ? { customer, signature } : {};
  if (!script || !shop || document.querySelector("[data-warmline]")) return;
  const origin = new URL(script.src).origin;
  const phone = matchMedia("(max-width: 480px)");

  const CSS = `
    :host { all: initial; display: block !important; position: fixed; inset: auto 0 0 auto; z-index: 2147483000; color-scheme: light dark;
      --warm: #a8431f; --on: #fff; --card: #fff; --edge: #8a8176; --focus: #1d5fae;
      font: 600 16px/1.2 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
    @media (prefers-color-scheme: dark) {
      :host { --warm: #f08a5f; --on: #24120a; --card: #25221f; --edge: #8d8378; --focus: #8ab8f0; } }
    [hidden] { display: none !important; }
    button { position: fixed; right: 20px; bottom: 20px; min-height: 52px; padding: 0 20px 0 16px; display: flex;
      align-items: center; gap: 10px; border: 0; border-radius: 26px; background: var(--warm); color: var(--on);
      font: inherit; cursor: pointer; box-shadow: 0 4px 18px rgb(0 0 0 / .28); }
    button:focus-visible { outline: 3px solid var(--focus); outline-offset: 3px; box-shadow: 0 0 0 3px var(--card); }
    svg { width: 24px; height: 24px; flex: none; fill: none; stroke: currentColor; stroke-width: 2;
      stroke-linecap: round; stroke-linejoin: round; }
    .badge { position: absolute; top: -6px; right: -4px; min-width: 24px; height: 24px; padding: 0 6px;
      border-radius: 12px; background: var(--card); color: var(--warm); border: 2px solid var(--warm);
      font-size: 13px; line-height: 20px; text-align: center; box-sizing: border-box; }
    .panel { position: fixed; right: 20px; bottom: 86px; width: min(392px, calc(100vw - 40px));
      height: min(660px, calc(100dvh - 106px)); border: 1px solid var(--edge); border-radius: 16px; overflow: hidden;
      background: var(--card); box-shadow: 0 12px 40px rgb(0 0 0 / .3); }
    iframe { display: block; width: 100%; height: 100%; border: 0; }
    .said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    @media (prefers-reduced-motion: no-preference) {
      .panel { animation: rise .16s ease-out; } @keyframes rise { from { opacity: 0; transform: translateY(12px); } } }
    @media (max-width: 480px) {
      .panel { inset: 0; width: auto; height: auto; border: 0; border-radius: 0; }
      button[aria-expanded="true"] { z-index: 1; top: 8px; right: 8px; bottom: auto; width: 44px; min-height: 44px;
        padding: 0; justify-content: center; border-radius: 22px; box-shadow: none; }
      button[aria-expanded="true"] .label { display: none; } }
    @media (forced-colors: active) { button, .panel { border: 2px solid; } }`;

  /** @param {string} name @param {Record<string, string>} [attributes] @param {Node[]} [children] */
  const make = (name, attributes = {}, children = []) => {
    const svg = name === "svg" || name === "path";
    const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  const BUBBLE = "M4 5h16v11H10l-5 4v-4H4z";
  const CROSS = "M6 6l12 12M18 6L6 18";

  const path = make("path", { d: BUBBLE });
  const label = make("span", { class: "label" });
  const badge = make("span", { class: "badge", "aria-hidden": "true", hidden: "" });
  const icon = make("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, [path]);
  const button = /** @type {HTMLButtonElement} */ (
    make("button", { type: "button", part: "launcher", "aria-expanded": "false", "aria-controls": "panel" },
      [icon, label, badge])
  );
  const panel = make("div", { id: "panel", class: "panel", role: "dialog", "aria-label": "Chat", hidden: "" });
  const said = make("div", { class: "said", role: "status" });
  // Its own name, so that the page's rules for div and the like do not reach it.
  const host = make("warmline-chat", { "data-warmline": shop });
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  root.adoptedStyleSheets = [sheet];
  root.append(button, panel, said);

  const KEY = `warmline:${shop}`;
  /** @param {string} [value] */
  const remembered = (value) => {
    try {
      return value ? sessionStorage.setItem(KEY, value) : sessionStorage.getItem(KEY);
    } catch {
      return null; // Storage is blocked: the chat then starts closed on every page.
    }
  };

  let unread = 0;
  let open = false;
  let wantsFocus = false;
  let isReady = false;
  /** @type {HTMLIFrameElement | null} */
  let frame = null;

  /** @param {object} message */
  const tell = (message) => isReady && frame?.contentWindow?.postMessage({ warmline: 1, ...message }, origin);

  const tellShown = () => tell({ kind: open ? "shown" : "hidden", focus: wantsFocus, sheet: phone.matches });

  const ensureFrame = () => {
    if (frame) return;
    const page = location.origin + location.pathname;
    const from = document.referrer.split(/[?#]/)[0];
    const given = new URLSearchParams({ page, from, ...known });
    const src = `${origin}/chat/?shop=${encodeURIComponent(shop)}#${given}`;
    frame = /** @type {HTMLIFrameElement} */ (make("iframe", { src, title: "Chat" }));
    panel.append(frame);
  };

  const draw = () => {
    button.setAttribute("aria-expanded", String(open));
    panel.toggleAttribute("hidden", !open);
    panel.setAttribute("aria-modal", String(open && phone.matches));
    path.setAttribute("d", open ? CROSS : BUBBLE);
    label.textContent = open ? "Close" : "Chat with us";
    const count = open ? 0 : unread;
    badge.toggleAttribute("hidden", !count);
    badge.textContent = count > 9 ? "9+" : String(count);
    const news = count ? `, ${count} new message${count === 1 ? "" : "s"}` : "";
    button.setAttribute("aria-label", open ? "Close chat" : `Chat with us${news}`);
  };

  /** @param {boolean} next @param {boolean} [focus] */
  const show = (next, focus = true) => {
    open = next;
    remembered(open ? "open" : "closed");
    if (open) ensureFrame();
    draw();
    wantsFocus = open && focus;
    tellShown();
    if (wantsFocus) frame?.focus();
    if (!open && focus) button.focus();
  };

  button.addEventListener("click", () => show(!open));
  root.addEventListener("keydown", (event) => {
    if (/** @type {KeyboardEvent} */ (event).key === "Escape" && open) show(false);
  });
  phone.addEventListener("change", () => {
    wantsFocus = false;
    draw();
    tellShown();
  });
  // A full-screen sheet covers the page, so the keyboard must not wander behind it.
  document.addEventListener("focusin", (event) => {
    if (open && phone.matches && event.target !== host) button.focus();
  });
  addEventListener("message", (event) => {
    if (!frame || event.source !== frame.contentWindow || event.origin !== origin) return;
    const { kind, count } = event.data ?? {};
    if (kind === "ready") {
      isReady = true;
      tellShown();
    }
    if (kind === "close" && open) show(false);
    if (kind === "unread" && Number.isInteger(count)) {
      if (!open && count > unread) said.textContent = `New message in the chat (${count})`;
      unread = count;
      draw();
    }
  });

  const begin = () => {
    document.body.append(host);
    draw();
    const before = remembered();
    if (before === "open") show(true, false);
    else if (before) ensureFrame(); // Used earlier in this tab: stay reachable for an answer.
  };
  if (document.body) begin();
  else addEventListener("DOMContentLoaded", begin);
})();
