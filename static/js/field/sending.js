// One round of sending, by a page or in the background: who is signed in, her records, her photos, what she dropped.

import { keyOf } from "../device.js";
import { SIGNED_OUT } from "./answers.js";
import { askState, signed } from "./keys.js";
import { sendPhoto } from "./photos.js";
import { Sync } from "./sync.js";

const LOCK = "soi-field-send";
const LEASE = 90_000;
const HEARD = 60 * 60_000;

/** Run `work` unless another page is at it. Where the browser has no locks, a lease keeps pages apart. */
export async function alone(store, work) {
  if (navigator.locks) return navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => (lock ? work() : null));
  const holder = crypto.randomUUID();
  if (!(await store.lease(LOCK, holder, Date.now(), Date.now() + LEASE))) return null;
  try {
    return await work();
  } finally {
    await store.lease(LOCK, holder, Date.now(), 0);
  }
}

/** A record's time told otherwise, signed anew under its own number. */
export const resigner = (store) => async (record, at) => {
  const key = await keyOf(record.by);
  const { pack } = await store.get("packs", record.by);
  const told = { ...record, at };
  return { at, ...(await signed(key, pack.log, told, key.key === record.device.key ? record.device.seq : 0)) };
};

export class Sending {
  /** @param {{store: import("./store.js").Store, link: import("./link.js").Link, sending?: (id: string | null) => void,
   *   changed?: () => void, undo?: number}} means `undo`: how long a new record may be taken back, ms */
  constructor({ store, link, sending = () => {}, changed = () => {}, undo = 0 }) {
    Object.assign(this, { store, link, changed });
    this.sync = new Sync({
      store, ask: link.ask, now: () => Date.now(), random: Math.random, off: () => link.clock.known,
      sending: (id) => { sending(id); changed(); }, resigned: resigner(store), undo,
    });
    this.#photoPause = 0;
  }

  #photoPause;

  /** The network is back, or a person asks: nothing waits for its turn. */
  wake() {
    this.sync.wake();
    this.#photoPause = 0;
  }

  /** A person asks: nothing is held back for her to undo either. */
  hurry() {
    this.wake();
    this.sync.hurry();
  }

  /** @returns {Promise<{told: string, kept: any, key: string, again: number | null} | null>} null: another page is at it */
  round() {
    return alone(this.store, () => this.#round());
  }

  async #round() {
    let { told, kept } = await this.link.pack();
    if (told !== "fresh") return { told, kept, key: "", again: null };
    const { me, keys } = kept.pack;
    let key = await this.#key(kept.pack);
    await this.#ended(me.id, key);
    // One that was approved just now is not in the pack yet.
    const own = key === "enrolled" ? [(await keyOf(me.id)).key] : [];
    const run = await this.sync.run(me.id, [...keys, ...own]);
    if (run.stopped === SIGNED_OUT) return { told: "signed-out", kept, key, again: null };
    if (run.stopped === "no-network") return { told: "no-network", kept, key, again: run.again };
    if (run.recorded || run.stopped) ({ told, kept } = await this.link.pack());
    if (run.stopped) key = await this.#key(kept.pack);
    const photos = await this.#photos(me.id);
    await this.#drops(me.id);
    await this.#tell(me.id);
    const times = [run.again, photos].filter(Boolean);
    return { told, kept, key, again: times.length ? Math.min(...times) : null };
  }

  #key(pack) {
    return askState(this.store, this.link, pack).catch(() => "");
  }

  /** Records that wait under a key which signs no more: only she can have them signed anew. */
  async #ended(by, state) {
    if (!["refused", "revoked", "lost"].includes(state)) return;
    const key = await keyOf(by);
    const problem = { slug: `device-${state}`, detail: "", status: 0, field: "device.key" };
    for (const record of await this.store.records(by)) {
      if (record.state === "waiting" && record.device.key === key.key) await this.store.change(record.id, () => ({ state: "help", problem }));
    }
  }

  /** Photos of records that were written down. @returns {Promise<number | null>} when to go on with those that wait */
  async #photos(by) {
    const { store, link, changed } = this;
    if (Date.now() < this.#photoPause) return this.#photoPause;
    const known = await store.photos();
    const wanted = (await store.records(by)).filter((one) => one.entry !== null).flatMap((one) => one.photos);
    for (const sha256 of new Set(wanted)) {
      const one = known.get(sha256);
      if (!one?.kept || one.done || one.problem) continue;
      const photo = await store.photo(sha256);
      const keep = async (changes) => {
        await store.changePhoto(sha256, changes);
        changed();
      };
      // One answer that is lost says little: it goes on at once from where the server has it.
      const how = await sendPhoto(photo, link.ask, keep).catch(() => sendPhoto(photo, link.ask, keep)).catch(() => "later");
      if (how === "done" || how === "refused") continue;
      this.#photoPause = Date.now() + 20_000 + Math.random() * 20_000;
      return this.#photoPause;
    }
    return null;
  }

  /** Tell the office which refused records were given up. */
  async #drops(by) {
    for (const { id, why, by: whose } of await this.store.all("drops")) {
      if (whose !== by) continue;
      const answer = await this.link.post("/api/field/drops", { id, why }).catch(() => null);
      // 409: it was written down after all, and is in the pack like any other.
      if (answer && (answer.ok || (answer.status >= 400 && answer.status < 500 && answer.status !== 401 && answer.status !== 429))) await this.store.delete("drops", id);
    }
  }

  /** Let the office know that this phone is there, and how much it still keeps. */
  async #tell(by) {
    const key = await keyOf(by);
    const waiting = (await this.store.records(by)).filter((one) => one.entry === null);
    const last = (await this.store.get("meta", `heard ${by}`))?.value;
    if (!key || (last && last.waiting === waiting.length && Math.abs(Date.now() - last.at) < HEARD)) return;
    const oldest = waiting.length ? new Date(Math.min(...waiting.map((one) => one.at))).toISOString() : null;
    const answer = await this.link.post("/api/field/heard", { key: key.key, waiting: waiting.length, oldest }).catch(() => null);
    if (answer?.ok) await this.store.put("meta", { name: `heard ${by}`, value: { waiting: waiting.length, at: Date.now() } });
  }
}
