// Lot proofs: the seven steps of docs/formats.md, "Lot proof".

import { Refused, equal, fromBase64, shown } from "./encoding.js";
import { at, hasMembers, isIndex, readEntry } from "./entry.js";
import { canonical, parse } from "./json.js";
import { Keyring } from "./keyring.js";
import { leafHash, rememberingHash, verifyInclusion } from "./merkle.js";
import { openCheckpoint, openNote, parseNote } from "./note.js";
import { checkWitnesses } from "./policy.js";
import { walk } from "./steps.js";

export const FORMAT = "soi-lot-proof/v1";
const MAX_ENTRIES = 5000;
const MAX_PATH = 63;
const LOT = /^https:\/\/id\.gs1\.org\/01\/[0-9]{14}\/10\/(?:[A-Za-z0-9._~-]|%[0-9A-F]{2}){1,20}$/;

/** @typedef {import("./note.js").Verifier} Verifier */
/** @typedef {{origin: string, keys: Verifier[], policy: import("./policy.js").Policy}} Trust what the reader believes before */
/**
 * @typedef {{index: number, bytes: Uint8Array, path: Uint8Array[], record: Record<string, any>,
 *   links: import("./entry.js").Link[], leaf?: Uint8Array}} Line
 */

/**
 * @param {string} text the document
 * @param {Trust} trust
 * @param {string} [wanted] the lot that the reader holds in her hands
 * @returns {Promise<{checks: import("./steps.js").Check[], head?: object, lot?: string, lines?: Line[],
 *   batches?: string[], signers?: Map<number, object>}>} what the steps found, as far as they came
 */
export async function checkLot(text, trust, wanted) {
  const found = {};
  const checks = await walk([
    ["form", async () => {
      Object.assign(found, readLot(text));
      if (wanted !== undefined && found.lot !== wanted) throw new Refused("other-lot", { lot: found.lot, wanted });
      return { detail: { count: found.lines.length } };
    }],
    ["checkpoint", async () => {
      const ring = await ledgerKeys(found.lines, trust);
      found.keys = ring.ledger.filter((key) => !ring.retired.has(key.vkey));
      found.head = await signedHead(found.note, trust.origin, ring);
      return { detail: { origin: trust.origin, size: found.head.size } };
    }],
    ["witnesses", () => checkWitnesses(found, trust.policy)],
    ["inclusion", async () => {
      const hash = rememberingHash();
      await inOrder(found.lines, async (line) => {
        line.leaf = await leafHash(line.bytes);
        await verifyInclusion(line.leaf, line.index, found.head.size, line.path, found.head.root, hash);
      });
      return { detail: { count: found.lines.length, size: found.head.size } };
    }],
    ["signatures", async () => {
      found.signers = await checkSignatures(found.lines, trust);
      const phones = [...found.signers.values()].filter((one) => one.role === "device").length;
      return { detail: { phones, custodian: found.signers.size - phones } };
    }],
    ["chain", async () => {
      found.batches = ancestry(found.lot, found.lines);
      checkChains(found.batches, found.lines);
    }],
    ["ancestry", async () => {
      const there = new Set(found.lines.flatMap((line) => line.links.map((link) => link.batch)));
      for (const batch of found.batches) {
        if (!there.has(batch)) throw new Refused(batch === found.lot ? "lot-missing" : "ancestor-missing", { batch: shown(batch) });
      }
      return { detail: { count: found.batches.length - 1 } };
    }],
  ]);
  return { checks, ...found };
}

/** Read a document's form. Raises Refused. @param {string} text @returns {{lot: string, note: object, lines: Line[], checkpoint: string}} */
export function readLot(text) {
  const told = parse(text);
  if (!hasMembers(told, ["checkpoint", "entries", "format", "lot"]) || told.format !== FORMAT) throw new Refused("not-a-lot-proof");
  const { lot, entries, checkpoint } = told;
  if (typeof checkpoint !== "string" || !Array.isArray(entries) || !entries.length) throw new Refused("not-a-lot-proof");
  if (typeof lot !== "string" || !LOT.test(lot)) throw new Refused("not-a-lot", { lot: shown(lot) });
  if (entries.length > MAX_ENTRIES) throw new Refused("too-many-entries", { count: entries.length });
  const note = parseNote(checkpoint);
  const lines = [];
  for (const one of entries) {
    lines.push(readLine(one));
    const [before, after] = lines.slice(-2);
    if (after && before.index >= after.index) throw new Refused("out-of-order", { index: after.index });
  }
  if (canonical(told) !== text) throw new Refused("not-canonical");
  return { lot, note, lines, checkpoint };
}

function readLine(told) {
  const whole = hasMembers(told, ["entry", "index", "path"]) && isIndex(told.index) && Array.isArray(told.path);
  const bytes = whole ? fromBase64(told.entry) : null;
  const path = whole ? told.path.map(fromBase64) : [];
  if (!bytes || path.length > MAX_PATH || path.some((hash) => hash?.length !== 32)) throw new Refused("bad-entry", { index: shown(told?.index) });
  return { index: told.index, bytes, path, ...at(told.index, () => readEntry(bytes)) };
}

/** Do it for all at once; of those that fail, the first in order speaks, with its index. */
async function inOrder(lines, does) {
  const all = await Promise.allSettled(lines.map(does));
  const bad = all.findIndex((one) => one.status === "rejected");
  if (bad >= 0) at(lines[bad].index, () => { throw all[bad].reason; });
}

/** The ledger's keys that its own rotations among these entries lead to. What is wrong with one leads nowhere. */
async function ledgerKeys(lines, { origin, keys }) {
  const ring = new Keyring(origin, keys);
  for (const { index, record } of lines) {
    if (record.type !== "key" || record.key?.role !== "ledger") continue;
    try {
      await ring.learn(index, record);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }
  return ring;
}

async function signedHead(note, origin, ring) {
  try {
    return await openCheckpoint(note, origin, ring.ledger.filter((key) => !ring.retired.has(key.vkey)));
  } catch (error) {
    const retired = ring.ledger.filter((key) => ring.retired.has(key.vkey));
    if (error.reason === "not-signed" && (await openNote(note, retired).catch(() => [])).length) throw new Refused("retired-key");
    throw error;
  }
}

async function checkSignatures(lines, { origin, keys }) {
  const ring = new Keyring(origin, keys);
  const signers = new Map();
  const used = new Map();
  for (const { index, record } of lines) if (record.type === "key") await named(index, () => ring.learn(index, record));
  await inOrder(lines, async ({ index, record }) => signers.set(index, await ring.check(index, record)));
  for (const [index, { key, seq }] of [...signers].sort(([a], [b]) => a - b)) {
    if (seq === null) continue;
    const number = `${key} ${seq}`;
    if (used.has(number)) throw new Refused("number-twice", { index, seq, first: used.get(number) });
    used.set(number, index);
  }
  return signers;
}

async function named(index, does) {
  try {
    await does();
  } catch (error) {
    at(index, () => { throw error; });
  }
}

/** The lot and its ancestors, as the transformations among these entries tell them. */
function ancestry(lot, lines) {
  const chains = new Map();
  for (const { batch } of lines.flatMap((line) => line.links)) chains.set(batch, []);
  for (const line of lines) for (const { batch } of line.links) chains.get(batch).push(line);
  const found = new Set([lot]);
  // A set grows while it is walked.
  for (const batch of found) {
    for (const { index, record } of chains.get(batch) ?? []) for (const parent of at(index, () => madeOf(record, batch))) found.add(parent);
  }
  return [...found];
}

/** The batches that went into `batch`, if this entry's event is a transformation that made it. */
function madeOf({ event }, batch) {
  if (event?.type !== "TransformationEvent" || !classes(event.outputQuantityList).includes(batch)) return [];
  return classes(event.inputQuantityList);
}

function classes(parts) {
  const names = Array.isArray(parts ?? []) ? (parts ?? []).map((part) => part?.epcClass) : [null];
  if (!names.every((name) => typeof name === "string")) throw new Refused("bad-entry");
  return names;
}

/** Of the lot and its ancestors: other batches that an entry touches have entries elsewhere. */
function checkChains(batches, lines) {
  const heads = new Map(batches.map((batch) => [batch, { seq: -1, leaf: null }]));
  for (const { index, links, leaf } of lines) {
    for (const { batch, seq, prev } of links) {
      const head = heads.get(batch);
      if (!head) continue;
      if (seq !== head.seq + 1) throw new Refused("chain-gap", { index, batch: shown(batch), seq: head.seq + 1 });
      if (prev === null ? head.leaf !== null : !head.leaf || !equal(prev, head.leaf)) throw new Refused("chain-broken", { index, batch: shown(batch) });
      heads.set(batch, { seq, leaf });
    }
  }
}
