// An entry's form, as far as every reader needs it: docs/formats.md, "Entry".

import { Refused, fromBase64 } from "./encoding.js";
import { isObject, parseEntry } from "./json.js";

/** @typedef {{batch: string, seq: number, prev: Uint8Array | null}} Link an entry's place in the chain of a batch */

/** @param {unknown} value @returns {boolean} */
export const isIndex = (value) => Number.isSafeInteger(value) && value >= 0;

/** Run `does`, and let a refusal name entry `index`. @template T @param {number} index @param {() => T} does @returns {T} */
export function at(index, does) {
  try {
    return does();
  } catch (error) {
    throw error instanceof Refused ? new Refused(error.reason, { index, ...error.detail }) : error;
  }
}

/** Whether it is an object with exactly these members, given in order. @param {any} value @param {string[]} names */
export const hasMembers = (value, names) => isObject(value) && Object.keys(value).sort().join() === names.join();

/** What an entry's bytes say. Raises Refused. @param {Uint8Array} bytes @returns {{record: Record<string, any>, links: Link[]}} */
export function readEntry(bytes) {
  const record = parseEntry(bytes);
  const { v, type, event, chain, commitments, recordedAt } = record;
  const whole = v === 1 && typeof type === "string" && typeof recordedAt === "string"
    && (event === null || isObject(event)) && isObject(commitments) && Array.isArray(chain);
  if (!whole) throw new Refused("bad-entry");
  const links = chain.map(readLink);
  if (new Set(links.map((link) => link.batch)).size !== links.length) throw new Refused("bad-entry");
  return { record, links };
}

function readLink(told) {
  const whole = hasMembers(told, ["batch", "prev", "seq"]) && typeof told.batch === "string" && isIndex(told.seq);
  const prev = whole && told.prev !== null ? fromBase64(told.prev) : null;
  if (!whole || (told.seq === 0) !== (told.prev === null) || (prev?.length ?? 32) !== 32 || (told.prev !== null && !prev)) {
    throw new Refused("bad-entry");
  }
  return { batch: told.batch, seq: told.seq, prev };
}
