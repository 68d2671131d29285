// Receipts (c2sp.org/tlog-proof): `extra` carries the entry's own bytes, which the proof itself then authenticates.

import { Refused, fromBase64, fromDecimal } from "./encoding.js";
import { at, readEntry } from "./entry.js";
import { leafHash, verifyInclusion } from "./merkle.js";
import { openCheckpoint, parseNote } from "./note.js";
import { checkWitnesses } from "./policy.js";
import { walk } from "./steps.js";

export const HEADER = "c2sp.org/tlog-proof@v1";
const MAX_PATH = 63;
const MAX_EXTRA = 64 * 1024;

/**
 * Check a receipt. Who signed its entry, and what stands before it, a receipt alone does not show.
 * @param {string} text
 * @param {import("./lot.js").Trust} trust
 * @returns {Promise<{checks: import("./steps.js").Check[], head?: object, index?: number, record?: Record<string, any>}>}
 */
export async function checkReceipt(text, trust) {
  const found = {};
  const alone = async () => ({ held: null, reason: "receipt-alone" });
  const checks = await walk([
    ["form", async () => {
      Object.assign(found, parseReceipt(text));
      if (!found.extra) throw new Refused("no-entry");
      Object.assign(found, at(found.index, () => readEntry(found.extra)), { note: parseNote(found.checkpoint) });
      return { detail: { count: 1 } };
    }],
    ["checkpoint", async () => {
      found.head = await openCheckpoint(found.note, trust.origin, trust.keys);
      return { detail: { origin: trust.origin, size: found.head.size } };
    }],
    ["witnesses", () => checkWitnesses(found, trust.policy)],
    ["inclusion", async () => {
      const { index, path, head } = found;
      await verifyInclusion(await leafHash(found.extra), index, head.size, path, head.root);
      return { detail: { count: 1, size: head.size } };
    }],
    ["signatures", alone],
    ["chain", alone],
    ["ancestry", alone],
  ]);
  return { checks, ...found };
}

/**
 * Read a receipt's form. Raises Refused.
 * @param {string} text
 * @returns {{index: number, path: Uint8Array[], checkpoint: string, extra: Uint8Array | null}}
 */
export function parseReceipt(text) {
  const blank = text.indexOf("\n\n");
  const lines = blank < 0 ? [] : text.slice(0, blank).split("\n", MAX_PATH + 4);
  if (lines.shift() !== HEADER) throw new Refused("bad-receipt");
  let extra = null;
  if (lines[0]?.startsWith("extra ")) {
    extra = fromBase64(lines.shift().slice("extra ".length));
    if (!extra?.length || extra.length > MAX_EXTRA) throw new Refused("bad-receipt");
  }
  const number = lines.shift() ?? "";
  const index = number.startsWith("index ") ? fromDecimal(number.slice("index ".length)) : null;
  const path = lines.map(fromBase64);
  if (index === null || path.length > MAX_PATH || path.some((hash) => hash?.length !== 32)) throw new Refused("bad-receipt");
  return { index, path, checkpoint: text.slice(blank + 2), extra };
}
