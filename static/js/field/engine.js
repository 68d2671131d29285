// The field app's engine: what it knows, and what it can be asked to do. All is kept on this phone first.

import { giveBack, hold, keyOf, settle } from "../device.js";
import { newLot, nameOf, uuid7 } from "./claims.js";
import { FINE } from "./clock.js";
import { askOffice, ensureKey, keepLabel, lastState, signed } from "./keys.js";
import { Link } from "./link.js";
import { SKEW, apply, beginnings, epcOf, findings, nextStages, processOf, stageOf } from "./model.js";
import { Prover } from "./proofs.js";
import { dependents, needsLots, needsNumber, offers, repaired } from "./repairs.js";
import { Sending } from "./sending.js";
import { Store, StoreFull } from "./store.js";
import { behind } from "./sync.js";
import { askToBeWoken, watchVersions } from "./versions.js";

export { StoreFull } from "./store.js";

const SAVING = "soi-field-save";
/** How long a record waits before it is sent, so that its owner may take it back. */
const UNDO = 8_000;
const LOOK_AGAIN = 5 * 60_000;
/** While another page is at it, or the browser in the background, which tells nobody what it learned. */
const BUSY = 2_000;
/** Proven records are shown this long, and of more than so many only the newest. */
const KEPT_FOR = 45 * 86_400_000;
const KEPT_MOST = 150;

/** Nobody has signed in on this phone yet, or its browser keeps no keys. */
export class Unable extends Error {}

let started;

/** The one engine of this page. @returns {Promise<Engine>} */
export function start() {
  started ??= new Engine().begin();
  return started;
}

export class Engine extends EventTarget {
  state = {
    signedIn: true, me: null, online: navigator.onLine, sending: false, pack: null, batches: [], beginnings: [], records: [],
    counts: { waiting: 0, sent: 0, proven: 0, help: 0 }, others: 0, key: "none", clockOff: 0, storage: "ok", update: false,
  };

  #store = new Store();
  #link = new Link(this.#store, document.documentElement.lang || "vi");
  #sender = new Sending({
    store: this.#store, link: this.#link, changed: () => this.#changed(), sending: (id) => { this.#underWay = id; }, undo: UNDO,
  });
  #underWay = null;
  #records = [];
  #photos = new Map();
  #timer = 0;
  #now = null;
  #next = null;
  #drawing = null;
  #stale = false;
  #channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("soi-field") : null;

  async begin() {
    await this.#link.begin().catch(() => { this.state.key = "unable"; });
    await this.#recall();
    await this.#tidyUp().catch(() => {});
    this.#listen();
    await this.#show();
    this.#soon(0);
    return this;
  }

  /** @param {any} batch of `state.batches` @returns {any[]} the stages that can come next, the usual one first */
  nextFor(batch) { return nextStages(this.state.pack, batch); }

  /** @param {any} draft @returns {import("./mass.js").Finding[]} */
  findings(draft) {
    const { clock } = this.#link;
    const late = clock.known !== null && draft.at > Date.now() + SKEW + FINE;
    const future = late ? [{ severity: "refuse", slug: "future-time", params: { when: draft.at } }] : [];
    return [...future, ...findings(this.state.pack, this.state.batches, { ...draft, at: draft.at + clock.offset })];
  }

  /** The repairs that fit a record's problem. @param {any} record @returns {string[]} */
  offers(record) { return offers(record); }

  /**
   * Keep a stage: named, signed, and on the disk when this returns.
   * @param {any} draft see the working paper of the screens: process, version, stage, at, site, inputs, outputs, readings,
   *   photos, place, note, passed, facts, value_dong
   * @returns {Promise<any>} the record as `state.records` has it. Throws StoreFull (nothing is kept), Unable
   */
  async save({ photos: pictures = [], place = null, ...draft }) {
    const { pack, me } = this.state;
    if (!me) throw new Unable("nobody is signed in");
    const stage = stageOf(pack, draft);
    const photos = await Promise.all(pictures.map((blob) => photoOf(blob, place)));
    const id = uuid7(Date.now());
    const made = { id, by: me.id, draft, kind: stage.kind, at: draft.at + this.#link.clock.offset, photos: photos.map((one) => one.sha256) };
    await this.#saving(async () => {
      const record = await this.#signed({ ...made, lots: this.#lots(draft) });
      try {
        await this.#add(record, photos);
      } catch (error) {
        await giveBack(record.device.key, record.device.seq);
        if (error instanceof StoreFull) this.state.storage = "full";
        throw error;
      }
    });
    await Store.persist();
    askToBeWoken().catch(() => {});
    await this.#changed(true);
    this.#soon(UNDO);
    return this.state.records.find((one) => one.id === id);
  }

  /** Take a record back. @param {string} id @returns {Promise<boolean>} false once it was tried to be sent, or another one uses what it made */
  async undo(id) {
    const undone = await this.#saving(async () => {
      const record = await this.#store.record(id);
      if (!record || record.tried || record.by !== this.state.me?.id || dependents(record, await this.#store.records(record.by)).length) return false;
      const { key, seq } = record.device;
      await hold(key, seq, id);
      if (!(await this.#store.remove(id, (one) => !one.tried))) return false;
      await giveBack(key, seq);
      return true;
    });
    await this.#changed(true);
    return undone;
  }

  /**
   * Mend a record that needs help: "amount" {inputs, outputs}, "reason" {note}, "time" {at}, "resign", "drop" {why}.
   * It is signed anew under its own number, which the server did not take, and waits to be sent.
   */
  async repair(id, how, data = {}) {
    await this.#saving(async () => {
      const record = await this.#store.record(id);
      if (record?.state !== "help" || record.entry || record.by !== this.state.me?.id) return;
      const records = await this.#store.records(record.by);
      if (how === "drop") await this.#drop(record, records, data.why ?? "");
      else await this.#mend(record, records, repaired(record.draft, how, data), how);
    });
    await this.#changed(true);
    this.#soon(0);
  }

  /** Send now, whatever was waited for. */
  async send() {
    this.#sender.hurry();
    await this.#round();
  }

  /** Fetch the pack anew. */
  async refresh() {
    const { told, kept } = await this.#link.pack();
    this.#heard(told, kept);
    await this.#changed(true);
  }

  /**
   * Make a key on this phone and ask the office to approve it, now or when the network is back. Throws Unable with the village's
   * `detail` when it takes no request now.
   * @param {string} label
   */
  async enrol(label) {
    const { me, pack } = this.state;
    if (!me) throw new Unable("nobody is signed in");
    await keepLabel(this.#store, me.id, label);
    await ensureKey(this.#store, me.id);
    // Without a network it is asked once there is one.
    const { refused } = await askOffice(this.#store, this.#link, pack, await keyOf(me.id), label).catch(() => ({ refused: "" }));
    await this.#changed(true);
    this.#soon(0);
    if (refused) throw Object.assign(new Unable(refused), { detail: refused });
  }

  /** Keep what is half filled in, so that it outlives the app. @param {any} value null forgets */
  async keepDraft(value) {
    const name = `draft ${this.state.me?.id ?? ""}`;
    try {
      if (value === null) await this.#store.delete("drafts", name);
      else await this.#store.put("drafts", { name, value });
    } catch (error) {
      if (!(error instanceof StoreFull)) throw error;
      this.state.storage = "full";
    }
  }

  /** What was half filled in when the app ended. @returns {Promise<any>} or null */
  async lastDraft() {
    return (await this.#store.get("drafts", `draft ${this.state.me?.id ?? ""}`).catch(() => null))?.value ?? null;
  }

  async #signed(record, number = 0) {
    const { pack } = this.state;
    if (this.state.key === "unable") throw new Unable("this browser keeps no keys");
    const key = await ensureKey(this.#store, record.by);
    const { known } = this.#link.clock;
    return {
      ...record, ...(await signed(key, pack.log, record, number)), clock: { offset: this.#link.clock.offset, known: known !== null },
      state: "waiting", problem: null, tried: false, refused: false, entry: null, before: [], warnings: [], saved_at: Date.now(),
    };
  }

  #lots(draft) {
    const process = processOf(this.state.pack, draft.process, draft.version);
    return draft.outputs.map(({ product }) => {
      const material = this.state.pack.products.find((one) => one.gtin === product)?.material;
      return newLot(draft.at, process.materials.find((one) => one.key === material)?.suffix ?? "");
    });
  }

  /** Where there is no room, what is safe on the server makes some. */
  async #add(record, photos) {
    try {
      await this.#store.add(record, photos);
    } catch (error) {
      if (!(error instanceof StoreFull) || !(await this.#makeRoom())) throw error;
      await this.#store.add(record, photos);
    }
    this.state.storage = await Store.room();
  }

  async #makeRoom() {
    const proven = this.#records.filter((one) => one.state === "proven");
    for (const record of proven) await this.#store.remove(record.id, (one) => one.state === "proven" && this.#allSent(one));
    return proven.length > 0;
  }

  #allSent = (record) => record.photos.every((one) => this.#photos.get(one)?.done ?? true);

  async #mend(record, records, draft, how) {
    const { before, device, claim, note, tried } = record;
    const key = await ensureKey(this.#store, record.by);
    const own = device.key === key.key && !needsNumber(record) ? device.seq : 0;
    const fresh = needsLots(record) || draft.outputs.length !== record.lots.length;
    const at = how === "time" ? draft.at + this.#link.clock.offset : record.at;
    const told = { ...record, draft, at, lots: fresh ? this.#lots(draft) : record.lots };
    const made = await this.#signed(told, own);
    await this.#store.change(record.id, () => ({
      ...made, n: record.n, tried, refused: record.refused, clock: how === "time" ? made.clock : record.clock,
      before: tried ? [{ claim, device, note, draft: record.draft, lots: record.lots, at: record.at }, ...before].slice(0, 5) : before,
    }));
    if (fresh) await this.#rename(record, made, records);
  }

  /** Those that use what a record made, under its new lot codes. */
  async #rename(old, made, records) {
    const names = new Map(old.lots.map((lot, i) => [epcOf(old.draft.outputs[i].product, lot), made.lots[i] && epcOf(made.draft.outputs[i].product, made.lots[i])]));
    for (const one of dependents(old, records)) {
      const inputs = one.draft.inputs.map((input) => ({ ...input, batch: names.get(input.batch) ?? input.batch }));
      const { claim, device, note } = await this.#signed({ ...one, draft: { ...one.draft, inputs } }, one.device.seq);
      await this.#store.change(one.id, ({ draft }) => ({ draft: { ...draft, inputs }, claim, device, note }));
    }
  }

  async #drop(record, records, why) {
    const drop = record.refused ? { id: record.id, why: why.slice(0, 200), by: record.by } : null;
    const { key, seq } = record.device;
    if (!record.tried) await hold(key, seq, record.id);
    if (!(await this.#store.remove(record.id, (one) => one.state === "help", drop))) return;
    if (!record.tried) await giveBack(key, seq);
    const problem = { slug: "parent-dropped", detail: "", status: 0, field: "inputs" };
    for (const one of dependents(record, records)) await this.#store.change(one.id, () => ({ state: "help", problem }));
  }

  /** Numbers are taken, given back and settled by one page at a time. */
  #saving(work) {
    return navigator.locks ? navigator.locks.request(SAVING, work) : work();
  }

  /** One round after another: whoever asks gets one that begins after that. */
  #round() {
    this.#next ??= (this.#now ?? Promise.resolve()).then(() => {
      this.#next = null;
      this.#now = this.#go();
      return this.#now;
    });
    return this.#next;
  }

  async #go() {
    clearTimeout(this.#timer);
    this.state.sending = true;
    let again = LOOK_AGAIN;
    try {
      const round = await this.#sender.round();
      if (!round) again = BUSY;
      else {
        this.#heard(round.told, round.kept);
        if (round.key) this.state.key = round.key;
        if (round.told === "fresh") await this.#prove(round.kept.pack);
        if (round.again) again = Math.max(500, round.again - Date.now());
        else if (round.told === "no-network") again = 20_000 + Math.random() * 20_000;
      }
    } catch (error) {
      // The store is gone, or another app took it: shown as what it is, and tried again.
      console.warn("soi:", error);
      again = 30_000;
    } finally {
      this.state.sending = false;
      await this.#changed(true);
      this.#soon(again);
    }
  }

  #heard(told, kept) {
    const { state } = this;
    state.online = told !== "no-network";
    if (told === "fresh" || told === "signed-out") state.signedIn = told === "fresh";
    if (told === "fresh" && kept) Object.assign(state, { pack: kept.pack, me: kept.pack.me });
    const { known } = this.#link.clock;
    state.clockOff = known === null || Math.abs(known) < FINE ? 0 : Math.round(known / 1000);
  }

  /** Fetch and check the receipts of what was written down. */
  async #prove(pack) {
    const again = ({ state, problem }) => state === "sent" || (state === "help" && problem?.slug.startsWith("receipt-"));
    const prover = new Prover(pack.rotations ?? []);
    for (const record of (await this.#store.records(pack.me.id)).filter((one) => one.entry && again(one))) {
      const { proven, reason } = await prover.prove(record);
      const problem = { slug: `receipt-${reason}`, detail: "", status: 0, field: null };
      if (proven) await this.#store.change(record.id, () => ({ state: "proven", problem: null, proven_at: Date.now() }));
      else if (reason) await this.#store.change(record.id, () => ({ state: "help", problem }));
      else return;
      this.#changed();
    }
  }

  /** What is known before anybody is asked. */
  async #recall() {
    const me = (await this.#store.get("meta", "me").catch(() => null))?.value;
    const kept = me ? await this.#store.get("packs", me) : null;
    if (kept) Object.assign(this.state, { pack: kept.pack, me: kept.pack.me });
    this.#heard(navigator.onLine ? "" : "no-network", null);
    this.state.storage = await Store.room();
  }

  /** Numbers whose record was never kept go back; records proven long ago go. */
  async #tidyUp() {
    const me = this.state.me?.id;
    if (!me) return;
    const records = await this.#store.records(me);
    const key = await keyOf(me);
    const ids = new Set(records.map((one) => one.id));
    // Without locks another page may be between signing and keeping.
    if (key && navigator.locks) await this.#saving(() => settle(key.key, (id) => ids.has(id)));
    const known = this.#photos = await this.#store.photos();
    const proven = records.filter((one) => one.state === "proven").reverse();
    for (const [i, one] of proven.entries()) {
      if (i >= KEPT_MOST || one.proven_at < Date.now() - KEPT_FOR) await this.#store.remove(one.id, this.#allSent);
    }
    for (const [sha256, photo] of known) if (photo.done && photo.kept) await this.#store.changePhoto(sha256, { blob: null });
  }

  #listen() {
    const wake = () => { this.#sender.wake(); this.#soon(0); };
    addEventListener("online", wake);
    addEventListener("offline", () => { this.state.online = false; this.#changed(); });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#soon(200);
      else if (this.state.counts.waiting) askToBeWoken().catch(() => {});
    });
    navigator.serviceWorker?.addEventListener("message", ({ data }) => data === "send" && wake());
    this.#channel?.addEventListener("message", () => this.#show());
    watchVersions(() => { this.state.update = true; this.#changed(); });
  }

  #soon(wait) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#round(), wait);
  }

  /** Read anew what is kept and tell whoever looks on; `all` tells this phone's other pages too. */
  #changed(all = false) {
    if (all) this.#channel?.postMessage("changed");
    return this.#show();
  }

  /** However often it is asked for, one reading at a time, and one more after the last. */
  #show() {
    this.#stale = true;
    this.#drawing ??= (async () => {
      while (this.#stale) {
        this.#stale = false;
        await this.#read().catch(() => {});
      }
      this.#drawing = null;
      this.dispatchEvent(new Event("change"));
    })();
    return this.#drawing;
  }

  async #read() {
    const { state } = this;
    const me = state.me?.id ?? "";
    this.#records = await this.#store.records(me);
    this.#photos = await this.#store.photos();
    state.others = await this.#store.others(me);
    if (state.key !== "unable") state.key = await lastState(this.#store, me);
    state.batches = state.pack ? apply(state.pack, this.#records) : [];
    state.beginnings = state.pack ? beginnings(state.pack) : [];
    state.records = this.#records.map((one) => this.#seen(one)).reverse();
    const counts = { waiting: 0, sent: 0, proven: 0, help: 0 };
    for (const { state: told } of this.#records) counts[told] += 1;
    state.counts = counts;
  }

  #seen(record) {
    const photos = record.photos.map((sha256) => {
      const { size = 0, sent = 0, done = true, problem = null } = this.#photos.get(sha256) ?? {};
      return { sha256, size, sent, done, problem };
    });
    return {
      ...record, draft: { ...record.draft, photos }, photos, state: this.#underWay === record.id ? "sending" : record.state,
      behind: record.entry ? null : behind(record, this.#records)?.id ?? null,
    };
  }
}

async function photoOf(blob, place) {
  const meta = place ? { taken_at: new Date().toISOString(), lat: String(place.lat), lon: String(place.lon) } : {};
  return { sha256: await nameOf(blob), blob, size: blob.size, sent: 0, done: false, problem: null, meta };
}
