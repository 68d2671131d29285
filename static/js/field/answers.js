// What an answer of the server means for a record.

/** What to do with the record that was answered to. */
export const RECORDED = "recorded";
export const REFUSED = "refused";
/** Nobody is signed in. */
export const SIGNED_OUT = "signed-out";
/** Somebody else is signed in. */
export const OTHER_MEMBER = "other-member";
/** The office has not approved this phone's key. */
export const KEY_WAITS = "key-waits";
/** The server never heard of this phone's key. */
export const KEY_UNKNOWN = "key-unknown";
/** It never came, or the server is in trouble: the same again later. */
export const LATER = "later";

const FINAL = [400, 403, 404, 409, 413, 415, 422];
const BY_SLUG = { "not-your-device": OTHER_MEMBER, "device-pending": KEY_WAITS, "unknown-device": KEY_UNKNOWN };

/**
 * @typedef {{slug: string, detail: string, status: number, field: string | null}} Problem
 * @typedef {{what: string, entry?: {index: number, leaf_hash: string}, warnings?: any[], problem?: Problem, wait?: number}} Outcome
 */

/**
 * Read the answer to a record. An answer that is not our server's (a café's sign-in page, a proxy's error) decides nothing.
 * @param {Response} answer @param {string} id the record's
 * @returns {Promise<Outcome>}
 */
export async function outcomeOf(answer, id) {
  const told = await json(answer);
  if (answer.ok) {
    const { entry } = told ?? {};
    const ours = told?.id === id && Number.isSafeInteger(entry?.index) && typeof entry.leaf_hash === "string";
    return ours ? { what: RECORDED, entry: { index: entry.index, leaf_hash: entry.leaf_hash }, warnings: told.warnings ?? [] } : { what: LATER };
  }
  const problem = problemIn(told, answer.status);
  const wait = Number(answer.headers.get("Retry-After")) * 1000 || 0;
  if (!problem) return { what: LATER, wait };
  if (answer.status === 401) return { what: SIGNED_OUT };
  if (BY_SLUG[problem.slug]) return { what: BY_SLUG[problem.slug], problem };
  return FINAL.includes(answer.status) ? { what: REFUSED, problem } : { what: LATER, wait };
}

/** @param {Response} answer @returns {Promise<Problem>} */
export async function problemOf(answer) {
  return problemIn(await json(answer), answer.status) ?? { slug: `http-${answer.status}`, detail: "", status: answer.status, field: null };
}

function problemIn(told, status) {
  if (typeof told?.type !== "string" || told.status !== status) return null;
  const slug = told.type.slice(told.type.lastIndexOf("/") + 1);
  return { slug, detail: String(told.detail ?? "").slice(0, 500), status, field: typeof told.field === "string" ? told.field : null };
}

async function json(answer) {
  try {
    return await answer.json();
  } catch {
    return null;
  }
}
