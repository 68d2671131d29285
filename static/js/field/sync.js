// Sending records: in order for each batch, each exactly once however often answers are lost, one page at a time. Knows
// nothing of browsers: the store, the network, the clock and chance are given to it.

import { KEY_UNKNOWN, KEY_WAITS, LATER, OTHER_MEMBER, RECORDED, REFUSED, SIGNED_OUT, outcomeOf } from "./answers.js";
import { bodyOf } from "./claims.js";
import { SKEW, epcOf } from "./model.js";

const FIRST = 2_000;
const LONGEST = 5 * 60_000;
/** After so many answers of a server in trouble, one after another, we stop for a while. */
const ENOUGH = 3;

/**
 * @typedef {object} Means
 * @property {{records(by: string): Promise<any[]>, change(id: string, how: (record: any) => any): Promise<any>}} store
 * @property {(path: string, options: object) => Promise<Response>} ask raises without a network
 * @property {() => number} now
 * @property {() => number} random from 0 up to 1
 * @property {(id: string | null) => void} sending which record is under way
 * @property {() => number | null} off how far this phone's clock is known to be off, ms
 * @property {(record: any, at: number) => Promise<any>} resigned changes that tell the record's time otherwise
 * @property {number} undo how long a new record's owner may take it back before it is sent, ms
 *
 * @typedef {{recorded: number, stopped: string, again: number | null}} Run `again`: when to try next, ms
 */

/** Every batch that a record uses or makes. @param {any} record @returns {string[]} */
export const batchesOf = ({ draft, lots }) => [...draft.inputs.map((one) => one.batch), ...draft.outputs.map((one, i) => epcOf(one.product, lots[i]))];

/** The record that this one waits for: the first before it, not yet written down, that has a batch in common. @returns {any} */
export function behind(record, records) {
  const mine = new Set(batchesOf(record));
  return records.find((one) => one.n < record.n && one.entry === null && batchesOf(one).some((epc) => mine.has(epc))) ?? null;
}

/** How long to wait after so many tries in vain. @param {number} tries @param {number} chance from 0 up to 1 */
export const pause = (tries, chance) => Math.min(LONGEST, FIRST * 2 ** Math.min(tries, 20)) * (0.5 + chance / 2);

export class Sync {
  /** When a record may be tried again, by id. @type {Map<string, {tries: number, at: number}>} */
  #later = new Map();
  #misses = 0;
  #quietUntil = 0;
  #hurriedAt = -Infinity;

  /** @param {Means} means */
  constructor(means) {
    this.means = means;
  }

  /** Forget what was waited for: the network is back, or a person asks. */
  wake() {
    this.#later.clear();
    this.#misses = 0;
    this.#quietUntil = 0;
  }

  /** A person said "send": what was saved by now is not held back any longer. */
  hurry() {
    this.wake();
    this.#hurriedAt = this.means.now();
  }

  /**
   * Send what can be sent. Two runs at once would do no harm beyond sending twice; the caller lets one run at a time.
   * @param {string} by the member who is signed in: nobody else's records are touched
   * @param {string[]} keys her phones' keys that the office approved
   * @returns {Promise<Run>}
   */
  async run(by, keys) {
    const { store, now } = this.means;
    let recorded = 0;
    if (now() < this.#quietUntil) return { recorded, stopped: LATER, again: this.#quietUntil };
    let missed = false;
    for (let troubles = 0; troubles < ENOUGH;) {
      const records = await store.records(by);
      const next = records.find((one) => this.#ready(one, records, keys));
      if (!next) return { recorded, stopped: "", again: this.#soonest(records) };
      const what = await this.#send(next);
      if (what === RECORDED) recorded += 1;
      if ([SIGNED_OUT, OTHER_MEMBER, KEY_WAITS, KEY_UNKNOWN].includes(what)) return { recorded, stopped: what, again: null };
      // One answer that is lost says little: the same is sent again at once, and only then left for later.
      if (what === "no-network" && missed) break;
      missed = what === "no-network";
      troubles = what === LATER ? troubles + 1 : 0;
    }
    this.#quietUntil = now() + pause(this.#misses, this.means.random());
    this.#misses += 1;
    return { recorded, stopped: "no-network", again: this.#quietUntil };
  }

  #ready(record, records, keys) {
    return record.state === "waiting" && keys.includes(record.device.key) && this.#at(record) <= this.means.now()
      && behind(record, records) === null;
  }

  /** When a record may be tried; 0: now. A clock that was set back meanwhile holds nothing up. */
  #at({ id, tried, saved_at: saved }) {
    const { now, undo } = this.means;
    const held = !tried && saved > this.#hurriedAt && saved <= now() ? saved + undo : 0;
    return Math.max(held, this.#later.get(id)?.at ?? 0);
  }

  #soonest(records) {
    const now = this.means.now();
    const times = records.filter((one) => one.state === "waiting").map((one) => this.#at(one)).filter((at) => at > now);
    return times.length ? Math.min(...times) : null;
  }

  async #send(record) {
    const { store, sending } = this.means;
    if (!record.tried) {
      const timed = await this.#timed(record);
      if (!timed) return REFUSED;
    }
    // Kept before the network sees it: from here on its number is spent, and it cannot be undone.
    const marked = await store.change(record.id, (one) => (one.state === "waiting" ? { tried: true } : null));
    if (!marked) return REFUSED;
    sending(record.id);
    try {
      return await this.#settle(marked, await this.#post(marked));
    } catch (error) {
      if (error instanceof NoNetwork) return "no-network";
      throw error;
    } finally {
      sending(null);
    }
  }

  /**
   * A record that was made while the clock was not known to be wrong is told otherwise now, before anybody saw it. Where
   * the clock was set in between, nobody but its owner knows when it was. False when it waits for her.
   */
  async #timed(record) {
    const { off, store, resigned } = this.means;
    const now = off();
    if (now === null || Math.abs(now - record.clock.offset) <= SKEW) return true;
    if (record.clock.known) {
      const problem = { slug: "clock-changed", detail: "", status: 0, field: "occurred_at" };
      await store.change(record.id, (one) => (one.tried ? null : { state: "help", problem }));
      return false;
    }
    const changes = await resigned(record, record.draft.at + now);
    await store.change(record.id, (one) => (one.tried ? null : { ...changes, clock: { offset: now, known: true } }));
    return true;
  }

  async #post(record) {
    let answer;
    try {
      answer = await this.means.ask("/api/events", {
        method: "POST", headers: { "Content-Type": "application/json" }, body: bodyOf(record),
      });
    } catch {
      throw new NoNetwork();
    }
    this.#misses = 0;
    return outcomeOf(answer, record.id);
  }

  async #settle(record, outcome) {
    const { store, now, random } = this.means;
    const { what, entry, warnings, problem, wait = 0 } = outcome;
    if (what === RECORDED) {
      this.#later.delete(record.id);
      await store.change(record.id, () => ({ state: "sent", entry, warnings, problem: null, sent_at: now() }));
    } else if (what === REFUSED && problem.slug === "idempotency-key-reused" && record.before.length) {
      return this.#before(record, problem);
    } else if (what === REFUSED) {
      await store.change(record.id, () => ({ state: "help", problem, refused: true }));
    } else if (what === LATER) {
      const tries = (this.#later.get(record.id)?.tries ?? 0) + 1;
      this.#later.set(record.id, { tries, at: now() + Math.max(wait, pause(tries, random())) });
    }
    return what;
  }

  /** The id is on the ledger for what the record said before it was repaired: a request that was long under way. */
  async #before(record, problem) {
    const { store, now } = this.means;
    for (const before of record.before) {
      const outcome = await this.#post({ ...record, ...before });
      if (outcome.what !== RECORDED) continue;
      await store.change(record.id, () => ({ ...before, state: "sent", entry: outcome.entry, problem: null, sent_at: now() }));
      return RECORDED;
    }
    await store.change(record.id, () => ({ state: "help", problem, refused: true }));
    return REFUSED;
  }
}

class NoNetwork extends Error {}
