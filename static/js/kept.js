// The largest checkpoint that this phone verified, kept for each log. A newer one must continue it: who once scanned a
// pack can catch a history that was written anew.

import { ask } from "./asking.js";
import { recall, remember } from "./memory.js";
import { Refused, fromBase64 } from "./proof/encoding.js";
import { verifyConsistency } from "./proof/merkle.js";
import { parseHead } from "./proof/note.js";

/** @typedef {import("./proof/note.js").Head} Head */

/** @param {string} origin @returns {(Head & {note: string}) | null} */
export function kept(origin) {
  const note = recall(`kept.${origin}`);
  try {
    const head = parseHead(note.slice(0, note.lastIndexOf("\n\n") + 1));
    return head.origin === origin ? { ...head, note } : null;
  } catch {
    return null;
  }
}

/** Keep a checkpoint that was verified; a smaller one than is kept already is not. @param {Head} head @param {string} note */
export function keep(head, note) {
  if (head.size > (kept(head.origin)?.size ?? 0)) remember(`kept.${head.origin}`, note);
}

/**
 * Do two heads of one log belong to one history? Raises Refused with both, or Unreachable where the log cannot be asked.
 * @param {Head} one @param {Head} other @param {string[]} notes both as they were signed, for whoever is to be shown
 */
export async function sameHistory(one, other, notes) {
  const [old, now] = one.size <= other.size ? [one, other] : [other, one];
  try {
    const path = old.size === now.size || old.size === 0 ? [] : await proof(old.size, now.size);
    await verifyConsistency(old.size, now.size, old.root, now.root, path);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw new Refused(error.reason === "server-has-none" ? "unproven" : "rewritten", { old: old.size, size: now.size, evidence: notes });
  }
}

async function proof(old, size) {
  const lines = (await ask(`/ledger/consistency/${old}/${size}`)).split("\n");
  const path = lines.slice(0, -1).map(fromBase64);
  if (lines.at(-1) !== "" || path.includes(null)) throw new Refused("bad-hash");
  return path;
}
