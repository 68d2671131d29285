// From a document to a verdict: whose keys, the steps that the document proves itself, and the two beyond it.

import { MAX_BYTES, Unreachable, ask } from "./asking.js";
import { beyond } from "./beyond.js";
import { CannotCheck, Refused, fromUtf8 } from "./proof/encoding.js";
import { readEntry } from "./proof/entry.js";
import { checkLot, readLot } from "./proof/lot.js";
import { HEADER, checkReceipt, parseReceipt } from "./proof/receipt.js";
import { verdict } from "./proof/steps.js";
import { load, pasted } from "./trust.js";

const STEPS = ["form", "checkpoint", "witnesses", "inclusion", "signatures", "chain", "ancestry", "freshness", "consistency"];

/**
 * @typedef {{verdict: import("./proof/steps.js").Verdict, checks: import("./proof/steps.js").Check[],
 *   newPolicy: string, found: Record<string, any>}} Proven
 */

/**
 * Never raises, whatever the document says.
 * @param {string} text a receipt or a lot proof
 * @param {{lot?: string, index?: number, own?: string, rotations?: number[]}} asked what it should be about; the reader's
 *   own keys; and where the log's rotations stand, if the page knows
 * @returns {Promise<Proven>}
 */
export async function prove(text, { lot, index, own = "", rotations = [] } = {}) {
  const isReceipt = text.startsWith(HEADER);
  if (text.length > MAX_BYTES) return refused(new Refused("too-large"));
  let trusted;
  try {
    trusted = own ? await pasted(own) : await load(() => (isReceipt ? receipts(rotations) : readLot(text).lines));
  } catch (error) {
    return done([{ step: "keys", ...outcome(error) }, ...unreached()]);
  }
  const { trust, check, newPolicy } = trusted;
  if (!trust) return done([check, ...unreached()]);
  const found = isReceipt ? await checkReceipt(text, trust) : await checkLot(text, trust, lot);
  if (index !== undefined && found.index !== undefined && found.index !== index) {
    found.checks[0] = { step: "form", held: false, reason: "other-entry", detail: { index: found.index, wanted: index } };
  }
  return done([check, ...found.checks, ...(await beyond(found, trust))], newPolicy, found);
}

/** Fetch a document of this site and check it. */
export async function proveAt(path, asked) {
  return ask(path).then((text) => prove(text, asked), refused);
}

/** Check a file, which may be anything. @param {File} file */
export async function proveFile(file, asked) {
  if (file.size > MAX_BYTES) return refused(new Refused("too-large"));
  try {
    return await prove(fromUtf8(new Uint8Array(await file.arrayBuffer())), asked);
  } catch (error) {
    return refused(error);
  }
}

const refused = (error) => done([{ step: "form", ...outcome(error) }, ...unreached().slice(1)]);
const done = (checks, newPolicy = "", found = {}) => ({ verdict: verdict(checks), checks, newPolicy, found });
const unreached = () => STEPS.map((step) => ({ step, held: null, reason: "not-reached", detail: {} }));

function outcome(error) {
  if (error instanceof Refused) return { held: false, reason: error.reason, detail: error.detail };
  if (error instanceof Unreachable) return { held: null, reason: "unasked", detail: {} };
  if (error instanceof CannotCheck) return { held: null, reason: "no-crypto", detail: {} };
  return { held: false, reason: "malformed", detail: {} };
}

/** The entries in which the log changed its keys: the old key's own signature is what makes them count. */
export async function receipts(indexes) {
  return Promise.all(indexes.map(async (index) => {
    const { extra } = parseReceipt(await ask(`/ledger/entries/${index}/receipt`));
    if (!extra) throw new Refused("no-entry");
    return { index, ...readEntry(extra) };
  }));
}
