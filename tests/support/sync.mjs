// The field app's sending against a village that loses, refuses and dies, by a seed; for tests. One seed a line comes in,
// what became of its records goes out.

import { createInterface } from "node:readline";
import { Sync, batchesOf, behind, pause } from "../../static/js/field/sync.js";
import { epcOf } from "../../static/js/field/model.js";

const GTIN = "09506000000017";
const random = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

function story(chance, count) {
  const made = [];
  return Array.from({ length: count }, (_, i) => {
    const uses = made.filter(() => chance() < 0.25).slice(0, 3);
    const lot = `BL26M-${i}`;
    made.push(epcOf(GTIN, lot));
    const draft = { inputs: uses.map((batch) => ({ batch, grams: 1 })), outputs: [{ product: GTIN, grams: 5 }], at: i };
    return {
      id: `r${i}`, by: chance() < 0.9 ? "me" : "other", n: i, draft, lots: [lot], state: "waiting", entry: null, tried: false, problem: null,
      before: [], note: "", claim: { id: `r${i}`, amount: 5 }, device: { key: "k", seq: i + 1, signature: "s" }, clock: { offset: 0, known: true },
    };
  });
}

/** A village that does what servers and networks do. */
function village(chance, faults) {
  const ledger = new Map();
  const order = [];
  let sent = 0;
  const answer = (status, told, headers = {}) => new Response(JSON.stringify(told), { status, headers });
  const ask = async (_path, { body }) => {
    sent += 1;
    const told = JSON.parse(body);
    if (chance() < faults.lostThere) throw new TypeError("lost on the way");
    if (chance() < faults.trouble) return answer(503, { type: "x/problems/unavailable", status: 503 }, { "Retry-After": "1" });
    if (chance() < faults.strange) return new Response("<html>Sign in to the café</html>", { status: chance() < 0.5 ? 200 : 404 });
    if (ledger.has(told.id) && ledger.get(told.id).body !== body) return answer(409, { type: "x/problems/idempotency-key-reused", status: 409 });
    if (!ledger.has(told.id)) {
      if (chance() < faults.refused && !told.again) return answer(409, { type: "x/problems/not-enough-left", status: 409, detail: "…" });
      ledger.set(told.id, { index: order.length, body });
      order.push(told.id);
    }
    if (chance() < faults.lostBack) throw new TypeError("lost on the way back");
    return answer(201, { id: told.id, entry: { index: ledger.get(told.id).index, leaf_hash: "h" } });
  };
  return { ask, ledger, order, sent: () => sent };
}

async function play({ seed, count, faults }) {
  const chance = random(seed);
  const records = story(chance, count);
  const { ask, ledger, order, sent } = village(chance, faults);
  let time = 0;
  let under = 0;
  // A person may take back what she has just saved; half of these were saved as the story begins.
  const undo = 8_000;
  for (const one of records) one.saved_at = chance() < 0.5 ? 0 : -60_000;
  const hurries = chance() < 0.3;
  let hurried = false;
  let early = 0;
  const asked = (path, options) => {
    const { saved_at: saved } = records.find((one) => one.id === JSON.parse(options.body).id);
    if (time < saved + undo && !hurried) early += 1;
    return ask(path, options);
  };
  const store = {
    records: async (by) => records.filter((one) => one.by === by).map((one) => ({ ...one })),
    change: async (id, how) => {
      const record = records.find((one) => one.id === id);
      const changes = record ? how({ ...record }) : null;
      if (changes) Object.assign(record, changes);
      return changes ? { ...record } : null;
    },
  };
  const means = () => ({ store, undo, ask: asked, now: () => time, random: chance, off: () => 0, sending: (id) => { under += id ? 1 : -1; }, resigned: async () => ({}) });
  let sync = new Sync(means());
  let rounds = 0;
  const mine = () => records.filter((one) => one.by === "me");
  for (; rounds < 5000 && mine().some((one) => one.entry === null); rounds += 1) {
    if (hurries && !hurried && time >= 3_000) {
      hurried = true;
      sync.hurry();
    }
    const { again } = await sync.run("me", ["k"]);
    if (under !== 0) throw new Error("still under way");
    time = Math.max(time + 1, again ?? time + 1);
    // The page is closed now and then; a person mends what is stuck.
    if (chance() < 0.1) sync = new Sync(means());
    for (const one of mine().filter((it) => it.state === "help" && chance() < 0.5)) {
      Object.assign(one, { state: "waiting", problem: null, before: [{ claim: one.claim, device: one.device, note: "" }], claim: { ...one.claim, again: true } });
    }
  }
  return {
    rounds, early, hurried, time, sent: sent(), order, mine: mine().map((one) => one.id), untouched: records.every((one) => one.by === "me" || !one.tried),
    same: mine().every((one) => one.entry?.index === ledger.get(one.id)?.index && one.state === "sent"),
    needs: records.map((one) => [one.id, batchesOf(one)]), waits: mine().every((one) => behind(one, mine()) === null),
    pauses: [0, 1, 5, 50].map((tries) => pause(tries, 0.5)),
  };
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await play(JSON.parse(line))));
