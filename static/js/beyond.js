// The two steps that need something outside of the document: how new it is, and whether it continues what this phone
// saw before.

import { Unreachable, ask } from "./asking.js";
import { keep, kept, sameHistory } from "./kept.js";
import { openCheckpoint, parseNote } from "./proof/note.js";
import { tried } from "./proof/steps.js";

const RECENT = 2 * 86_400;

/** @typedef {import("./proof/steps.js").Check} Check */

/**
 * After a step that failed nothing more is looked at.
 * @param {{checks: Check[], head?: import("./proof/note.js").Head, keys?: object[], cosigned?: {time: number}[],
 *   checkpoint: string}} found what a check gave
 * @param {import("./trust.js").OwnTrust} trust
 * @returns {Promise<Check[]>}
 */
export async function beyond(found, trust) {
  if (!found.head || found.checks.some((check) => check.held === false)) {
    return ["freshness", "consistency"].map((step) => ({ step, held: null, reason: "not-reached", detail: {} }));
  }
  let newest = null;
  const fresh = await asked("freshness", async () => {
    const time = Math.max(0, ...(found.cosigned ?? []).map((one) => one.time));
    newest = trust.own ? await ownNewest(trust, found.keys) : null;
    return freshness(found.head, newest, time);
  });
  const same = await asked("consistency", () => consistency(found, newest, trust));
  return [fresh, same];
}

async function asked(step, does) {
  let silent = false;
  const check = await tried(step, async () => {
    try {
      return await does();
    } catch (error) {
      silent = error instanceof Unreachable;
      throw error;
    }
  });
  return silent ? { step, held: null, reason: "unasked", detail: {} } : check;
}

/** The log's newest checkpoint, or null without a network. */
async function ownNewest(trust, keys = []) {
  try {
    const note = await ask("/ledger/checkpoint");
    return { ...(await openCheckpoint(parseNote(note), trust.origin, [...keys, ...trust.keys])), note };
  } catch (error) {
    if (error instanceof Unreachable) return null;
    throw error;
  }
}

function freshness(head, newest, time) {
  const recent = time > Date.now() / 1000 - RECENT;
  if (recent) return { reason: "witnessed-lately", detail: { time } };
  if (newest?.size === head.size) return { reason: "newest" };
  if (newest && newest.size > head.size) return { held: null, reason: "older", detail: { more: newest.size - head.size } };
  return time ? { held: null, reason: "witnessed-once", detail: { time } } : { held: null, reason: "offline" };
}

async function consistency(found, newest, trust) {
  const { head, checkpoint: note } = found;
  const before = kept(trust.origin);
  if (before && !trust.own && before.size !== head.size) return { held: null, reason: "other-site" };
  if (before) await sameHistory(before, head, [before.note, note]);
  if (newest) await sameHistory(head, newest, [note, newest.note]);
  if (newest && before) await sameHistory(before, newest, [before.note, newest.note]);
  keep(head, note);
  if (newest) keep(newest, newest.note);
  return before ? { reason: "continues", detail: { old: before.size } } : { held: null, reason: "first-kept", detail: { size: head.size } };
}
