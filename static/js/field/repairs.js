// What a person can do about a record that needs help. Nothing is repaired behind her back.

import { batchesOf } from "./sync.js";

const AMOUNT = ["amount", "drop"];
const DOUBT = ["reason", "amount", "drop"];
const TIME = ["time", "drop"];
const AGAIN = ["resign", "drop"];

/** @type {Record<string, string[]>} the repairs that fit a problem, the likeliest first */
const BY_SLUG = {
  "not-enough-left": AMOUNT, "packed-more-than-there-is": AMOUNT, "more-out-than-in": AMOUNT, "no-output": AMOUNT,
  "no-weight": AMOUNT, "no-units": AMOUNT, "no-input": AMOUNT, "net-weight": AMOUNT, "no-batch": AMOUNT,
  "not-your-batch": AMOUNT, "wrong-input": AMOUNT, "wrong-product": AMOUNT, "in-a-case": AMOUNT,
  "reason-needed": DOUBT,
  "future-time": TIME, "too-old": TIME, "before-its-making": TIME, "bad-offset": TIME, "clock-changed": TIME,
  "untidy-note": ["reason", "drop"], "note-and-salt": AGAIN,
  // A batch that may be released, a product that may come back.
  "on-hold": AGAIN, "unknown-process": AGAIN, "unknown-stage": AGAIN, "unknown-site": AGAIN,
  "unknown-product": ["amount", "resign", "drop"],
  "lot-taken": AGAIN, "device-number-used": AGAIN, "bad-signature": AGAIN,
  "device-refused": AGAIN, "device-revoked": AGAIN, "device-lost": AGAIN, "device-expired": AGAIN,
  "parent-dropped": AMOUNT,
};

/** @param {any} record @returns {string[]} */
export function offers(record) {
  if (record.state !== "help" || record.entry) return [];
  const slug = record.problem?.slug ?? "";
  if (/-(above|below)-bound$/.test(slug)) return AMOUNT;
  return BY_SLUG[slug] ?? ["resign", "amount", "drop"];
}

/** Problems after which a record needs a number, or lot codes, that nobody has used. */
export const needsNumber = (record) => record.problem?.slug === "device-number-used";
export const needsLots = (record) => record.problem?.slug === "lot-taken";

/** What a repair changes in a draft. @param {any} draft @param {string} how @param {any} data */
export function repaired(draft, how, data = {}) {
  if (how === "amount") return { ...draft, inputs: data.inputs ?? draft.inputs, outputs: data.outputs ?? draft.outputs, note: data.note ?? draft.note };
  if (how === "reason") return { ...draft, note: data.note };
  if (how === "time") return { ...draft, at: data.at };
  if (how === "resign") return draft;
  throw new TypeError(`no such repair: ${how}`);
}

/** Records not yet written down that use a batch which this one makes. @param {any} record @param {any[]} records */
export function dependents(record, records) {
  const made = new Set(batchesOf(record).slice(record.draft.inputs.length));
  return records.filter((one) => one.id !== record.id && one.entry === null && one.draft.inputs.some(({ batch }) => made.has(batch)));
}
