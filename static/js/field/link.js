// Asking the village's server. Each answer also tells the time.

import { Clock } from "./clock.js";

const PATIENCE = 30_000;

export class Link {
  /** @param {import("./store.js").Store} store @param {string} language for the server's words */
  constructor(store, language) {
    this.store = store;
    this.language = language;
    this.clock = new Clock(() => Date.now());
  }

  /** Recall what was learned of the clock. */
  async begin() {
    this.clock.known = (await this.store.get("meta", "clock"))?.offset ?? null;
  }

  /** As `fetch`; raises without a network. */
  ask = async (path, { headers = {}, ...options } = {}) => {
    const asked = Date.now();
    const answer = await fetch(path, {
      cache: "no-store", redirect: "error", signal: AbortSignal.timeout?.(PATIENCE), ...options,
      headers: { Accept: "application/json", "Accept-Language": this.language, ...headers },
    });
    if (this.clock.learn(answer.headers.get("Date"), asked, Date.now())) {
      await this.store.put("meta", { name: "clock", offset: this.clock.known }).catch(() => {});
    }
    return answer;
  };

  /** Post JSON. */
  post(path, body) {
    return this.ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  }

  /**
   * Fetch the pack of whoever is signed in, and keep it.
   * @returns {Promise<{told: "fresh" | "signed-out" | "no-network" | "trouble", kept: any}>}
   */
  async pack() {
    const me = (await this.store.get("meta", "me"))?.value;
    const before = me ? await this.store.get("packs", me) : null;
    let answer;
    try {
      answer = await this.ask("/api/field", { headers: before ? { "If-None-Match": before.etag } : {} });
      if (answer.status === 401) return { told: "signed-out", kept: before };
      const size = Number(answer.headers.get("Soi-Log-Size"));
      const pack = answer.status === 304 && before ? before.pack : answer.ok ? await answer.json() : null;
      if (!pack?.me?.id || !Number.isSafeInteger(size)) return { told: "trouble", kept: before };
      const kept = { member: pack.me.id, etag: answer.headers.get("ETag") ?? "", pack: { ...pack, size }, at: Date.now() };
      await this.store.put("packs", kept);
      await this.store.put("meta", { name: "me", value: kept.member });
      return { told: "fresh", kept };
    } catch (error) {
      // What was asked may have come, and had no room.
      return { told: error instanceof TypeError || error.name === "TimeoutError" || error.name === "AbortError" ? "no-network" : "trouble", kept: before };
    }
  }
}
