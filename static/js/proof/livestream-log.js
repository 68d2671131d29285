// A livestream's public log: is every event what its hash says, does each follow the one before, and does the ledger
// name the same? Rules: docs/formats.md, "A livestream's log".

import { sha256 } from "./crypto.js";
import { Refused, hex, utf8 } from "./encoding.js";
import { canonical, isObject } from "./json.js";
import { checkLivestream } from "./livestream.js";

const FORMAT = "soi-live-order/v1";
const EVENT = "author,comment,doubted,kind,platform,prev,receivedAt,saidAt,seq,session,source,text,v,version";

/**
 * @typedef {{fault?: "chain" | "anchor" | "decisions", seq?: number, entry?: number, events: number, anchors: number,
 *   unasked: boolean}} Found
 */

/**
 * @param {string} text the document
 * @param {(entry: number) => Promise<Record<string, any> | null>} anchored the ledger's entry of that index, proven;
 *   null when it could not be asked
 * @returns {Promise<Found>} raises CannotCheck where the browser cannot hash
 */
export async function checkLivestreamLog(text, anchored) {
  const told = read(text);
  const found = { events: told?.events?.length ?? 0, anchors: told?.anchors?.length ?? 0, unasked: false };
  const heads = new Map();
  const broken = told ? await brokenEvent(told, heads) : 1;
  if (broken) return { ...found, fault: "chain", seq: broken };
  let longest = 0;
  for (const anchor of told.anchors) {
    const { entry, length, head, decisions, at } = anchor;
    if (!(length > longest) || heads.get(length) !== head) return { ...found, fault: "anchor", entry };
    const covered = told.decisions.filter((each) => each.at <= at);
    if (await digest(covered.map((each) => `${canonical(each)}\n`).join("")) !== decisions) return { ...found, fault: "decisions", entry };
    const record = await anchored(entry);
    if (record === null) found.unasked = true;
    else if (!names(record, { session: told.session, length, head, decisions })) return { ...found, fault: "anchor", entry };
    longest = length;
  }
  return found;
}

/** The document, in so far as it has the form of one. */
function read(text) {
  let told;
  try {
    told = JSON.parse(text);
  } catch {
    return null;
  }
  const whole = isObject(told) && told.format === FORMAT
    && [told.events, told.decisions, told.anchors].every((list) => Array.isArray(list) && list.every(isObject));
  return whole ? told : null;
}

/** The number of the first event that does not hold, or 0. Fills `heads` with the hash of each by its number. */
async function brokenEvent({ session, events, length, head }, heads) {
  let last = 0;
  for (const { hash, ...event } of events) {
    const { seq, prev } = event;
    const follows = Number.isSafeInteger(seq) && seq >= 1 && (!heads.size || seq === last + 1) && prev === (heads.get(last) ?? null);
    const formed = Object.keys(event).sort().join() === EVENT && event.v === 1 && event.session === session;
    if (!follows || !formed || await digest(canonical(event)) !== hash) return Number.isSafeInteger(seq) && seq >= 1 ? seq : last + 1;
    heads.set(seq, hash);
    last = seq;
  }
  return length === last && head === (heads.get(last) ?? null) ? 0 : last + 1;
}

/** Whether an entry of the ledger says just this of the log. */
function names(record, said) {
  try {
    checkLivestream(record);
  } catch (error) {
    if (error instanceof Refused || error instanceof TypeError) return false;
    throw error;
  }
  return record.type === "live" && canonical(record.live) === canonical(said);
}

const digest = async (text) => hex(await sha256(utf8(text)));
