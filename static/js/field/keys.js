// This phone's key for one member: made here, asked of the office, used once it is approved.

import { able, enrol, keyOf, makeKey, sign, tidy } from "../device.js";
import { claimOf } from "./claims.js";

const ENDED = ["refused", "revoked", "lost"];

/** @typedef {"none" | "making" | "pending" | "enrolled" | "refused" | "revoked" | "lost" | "unable"} KeyState */

/** What was last known of a member's key. @returns {Promise<KeyState>} */
export async function lastState(store, me) {
  if (!able()) return "unable";
  const key = me ? await keyOf(me) : null;
  if (!key) return "none";
  const known = (await store.get("meta", `key ${me}`))?.value;
  return known?.key === key.key ? known.state : "making";
}

/** Ask the server how a member's key stands; a key that never reached the office is asked for now. @returns {Promise<KeyState>} */
export async function askState(store, link, pack) {
  if (!able()) return "unable";
  const me = pack.me.id;
  const key = await keyOf(me);
  if (!key) return "none";
  if (pack.keys.includes(key.key)) return keep(store, me, key, "enrolled");
  const answer = await link.ask("/api/devices");
  if (!answer.ok) return lastState(store, me);
  const { devices } = await answer.json();
  const status = devices.find((one) => one.key === key.key)?.status ?? "expired";
  if (status === "expired") return (await askOffice(store, link, pack, key)).state;
  return keep(store, me, key, status);
}

/** Make a key unless there is one that may still sign; its state is then "making". @returns {Promise<any>} */
export async function ensureKey(store, me) {
  const key = await keyOf(me);
  if (key && !ENDED.includes(await lastState(store, me))) return key;
  return makeKey(me);
}

/**
 * Ask the office to approve a key.
 * @returns {Promise<{state: KeyState, refused: string}>} `refused`: the village's words, when it takes no request now. Raises what
 *   `ask` raises without a network
 */
export async function askOffice(store, link, pack, key, label = "") {
  const me = pack.me.id;
  const name = label || (await store.get("meta", `label ${me}`))?.value || pack.me.name;
  const answer = await link.post("/api/devices", { ...(await enrol(key, pack.log)), label: name });
  const told = await answer.json().catch(() => ({}));
  const state = await keep(store, me, key, (answer.ok && told.status) || "making");
  return { state, refused: answer.ok ? "" : (told.detail ?? "") };
}

/** What a person called this phone, kept until the office can be asked. */
export const keepLabel = (store, me, label) => store.put("meta", { name: `label ${me}`, value: label });

async function keep(store, me, key, state) {
  await store.put("meta", { name: `key ${me}`, value: { key: key.key, state } });
  return state;
}

/**
 * Sign what a record says. @param {any} key @param {string} log
 * @param {{id: string, draft: any, kind: string, at: number, lots: string[], photos: string[]}} record
 * @param {number} [seq] its number, if it has one
 */
export async function signed(key, log, record, seq = 0) {
  const note = tidy(record.draft.note ?? "");
  const { claim, device } = await sign(key, log, claimOf(record), note, { seq, by: record.id });
  return { claim, device, note };
}
