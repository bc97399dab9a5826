/**
 * What the browser keeps for one shop's chat: session, draft, unsent messages, how far was read.
 * Where storage is blocked it lives as long as the page.
 */

/** @returns {Storage | null} */
function usableStorage() {
  try {
    localStorage.setItem("warmline:test", "1");
    localStorage.removeItem("warmline:test");
    return localStorage;
  } catch {
    return null;
  }
}

export class Store {
  /** @param {string} shop */
  constructor(shop) {
    this.prefix = `warmline:${shop}:`;
    this.storage = usableStorage();
    /** @type {Map<string, string>} */
    this.memory = new Map();
  }

  /** @param {string} key @returns {any} */
  get(key) {
    const text = this.memory.get(key) ?? this.storage?.getItem(this.prefix + key) ?? null;
    return parsed(text);
  }

  /** @param {string} key @param {unknown} value */
  set(key, value) {
    const text = JSON.stringify(value);
    try {
      if (!this.storage) throw new Error("blocked");
      this.storage.setItem(this.prefix + key, text);
      this.memory.delete(key);
    } catch {
      this.memory.set(key, text); // Blocked or full.
    }
  }

  /** @param {string} key */
  remove(key) {
    this.memory.delete(key);
    this.storage?.removeItem(this.prefix + key);
  }

  /** @param {string} start @returns {string[]} */
  keys(start) {
    const all = new Set(this.memory.keys());
    for (let i = 0; i < (this.storage?.length ?? 0); i++) {
      const key = this.storage?.key(i) ?? "";
      if (key.startsWith(this.prefix)) all.add(key.slice(this.prefix.length));
    }
    return [...all].filter((key) => key.startsWith(start));
  }

  /**
   * Tells what another tab wrote; ``value`` is null when it was removed.
   * @param {(key: string, value: any) => void} onChange
   */
  watch(onChange) {
    window.addEventListener("storage", (event) => {
      if (!event.key?.startsWith(this.prefix)) return;
      onChange(event.key.slice(this.prefix.length), parsed(event.newValue));
    });
  }

  /**
   * One tab at a time. Without Web Locks (plain http, third-party storage blocked) everyone goes: the server takes
   * each message only once.
   * @template T
   * @param {string} name
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  async alone(name, work) {
    let isMine = false;
    const mine = () => {
      isMine = true;
      return work();
    };
    try {
      return await navigator.locks.request(this.prefix + name, mine);
    } catch (error) {
      if (isMine) throw error;
      return work();
    }
  }
}

/** @param {string | null} text */
function parsed(text) {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
