// This phone's own key: made here, never leaves here. It signs what its owner writes into the ledger, and counts.
// Formats: docs/formats.md, "What a phone signs" and "Keys on the log".

import { toBase64, toBase64Url, utf8 } from "./proof/encoding.js";
import { canonical } from "./proof/json.js";

const DATABASE = "soi-device";
const KEYS = "keys";
const NUMBERS = "numbers";
const ENROL = "soi/device/enrol/v1\n";
const EVENT = "soi/device/event/v1\n";
const ED25519 = { name: "Ed25519" };
const P256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/**
 * A key of this phone. Several members may share a phone: each has a key of her own.
 * @typedef {object} DeviceKey
 * @property {string} owner whose key it is, by member id
 * @property {string} key its JWK thumbprint (RFC 7638)
 * @property {Record<string, string>} jwk the public key, required members only
 * @property {CryptoKey} secret cannot be exported
 *
 * @typedef {object} Signed what goes to the server
 * @property {Record<string, any>} claim what was signed
 * @property {{key: string, seq: number, signature: string, salt?: string}} device
 */

/** @returns {boolean} false where a browser keeps no keys at all */
export const able = () => Boolean(globalThis.crypto?.subtle && globalThis.indexedDB);

/** @param {string} owner @returns {Promise<DeviceKey | null>} */
export async function keyOf(owner) {
  return (await inStore("readonly", [KEYS], (stores) => stores[KEYS].get(owner))) ?? null;
}

/**
 * Make a key and keep it in this browser; an older one of the same owner goes.
 * @param {string} owner
 * @returns {Promise<DeviceKey>}
 */
export async function makeKey(owner) {
  const pair = await newPair();
  const jwk = publicMembers(await crypto.subtle.exportKey("jwk", pair.publicKey));
  const made = { owner, key: await thumbprint(jwk), jwk, secret: pair.privateKey };
  await inStore("readwrite", [KEYS, NUMBERS], (stores) => {
    stores[KEYS].put(made);
    return stores[NUMBERS].put({ key: made.key, last: 0 });
  });
  // So that a browser short of space does not throw the key away; it may say no.
  await navigator.storage?.persist?.();
  return made;
}

/**
 * What the office is asked to approve.
 * @param {DeviceKey} key
 * @param {string} log the log's origin
 * @returns {Promise<{jwk: Record<string, string>, proof: string}>}
 */
export async function enrol(key, log) {
  return { jwk: key.jwk, proof: await signBytes(key, ENROL, { jwk: key.jwk, log }) };
}

/**
 * Sign one event. Its number is a free one, else the next; it is not given again unless its owner gives it back.
 * @param {DeviceKey} key
 * @param {string} log the log's origin
 * @param {Record<string, any>} claim the event in public names, without its note
 * @param {string} [note] stays off the ledger: only a salted commitment to it is signed
 * @param {{seq?: number, by?: string}} [number] `seq`: the number that this event has already, when it is signed anew;
 *   `by`: the record that will own the number, which is given back if nothing comes of it (see `settle`)
 * @returns {Promise<Signed>}
 */
export async function sign(key, log, claim, note = "", { seq: own = 0, by = "" } = {}) {
  const salted = note ? await commit(note) : null;
  const whole = normal(salted ? { ...claim, commitments: { note: salted.commitment } } : claim);
  const seq = own || (await takeNumber(key.key, by));
  const signature = await signBytes(key, EVENT, { claim: whole, key: key.key, log, seq });
  return { claim: whole, device: { key: key.key, seq, signature, ...(salted && { salt: salted.salt }) } };
}

/**
 * Say that a number is about to be given back by the record that owns it, so that it is not lost if this page ends now.
 * @param {string} key @param {number} seq @param {string} by
 */
export const hold = (key, seq, by) => change(key, (row) => ({ ...row, held: { ...row.held, [seq]: by } }));

/**
 * Give a number back for the next event. Only for one under which nothing was ever sent anywhere.
 * @param {string} key @param {number} seq
 */
export const giveBack = (key, seq) => change(key, (row) => {
  const { [seq]: _own, ...held } = row.held;
  return { ...row, held, free: [...new Set([...row.free, seq])].sort((a, b) => a - b) };
});

/**
 * Give back the numbers whose record came to nothing, as when a page ended between signing and keeping.
 * To be called while nobody else signs. @param {string} key @param {(by: string) => boolean} kept whether a record is there
 */
export const settle = (key, kept) => change(key, (row) => {
  const lost = Object.entries(row.held).filter(([, by]) => !kept(by)).map(([seq]) => Number(seq));
  return { ...row, held: {}, free: [...new Set([...row.free, ...lost])].sort((a, b) => a - b) };
});

/**
 * A commitment to a note, which must be as `tidy` gives it.
 * @param {string} note
 * @returns {Promise<{salt: string, commitment: string}>} both in base64
 */
export async function commit(note) {
  const salt = crypto.getRandomValues(new Uint8Array(32));
  const hmac = await crypto.subtle.importKey("raw", salt, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const tag = await crypto.subtle.sign("HMAC", hmac, utf8(note));
  return { salt: toBase64(salt), commitment: toBase64(new Uint8Array(tag)) };
}

/** A note as the server keeps it: NFC, no blanks to spare. @param {string} text @returns {string} */
export function tidy(text) {
  const lines = text.replace(/\r\n?|[\u0085\u2028\u2029]/g, "\n").replace(/[\u00ad\u200b\u2060\ufeff]/g, "")
    .normalize("NFC").replace(/[^\S\n]+/g, " ").split("\n");
  return lines.map((line) => line.trim()).join("\n").replace(/\n{3,}/g, "\n\n").trim();
}

/**
 * Twelve digits of a thumbprint that two people can compare aloud: `482 913 027 556`.
 * @param {string} key
 * @returns {string}
 */
export function fingerprint(key) {
  const bytes = atob(key.slice(0, 12).replaceAll("-", "+").replaceAll("_", "/"));
  let number = 0n;
  for (let i = 0; i < 8; i += 1) number = (number << 8n) | BigInt(bytes.charCodeAt(i));
  return String(number % 10n ** 12n).padStart(12, "0").replace(/(\d{3})(?=\d)/g, "$1 ");
}

/** The name of a public key (RFC 7638). @param {Record<string, string>} jwk @returns {Promise<string>} */
export async function thumbprint(jwk) {
  return toBase64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(canonical(jwk)))));
}

/** Ed25519, or ECDSA on P-256 where the browser has no Ed25519. */
async function newPair() {
  try {
    return await crypto.subtle.generateKey(ED25519, false, ["sign", "verify"]);
  } catch {
    return crypto.subtle.generateKey(P256, false, ["sign", "verify"]);
  }
}

function publicMembers({ crv, kty, x, y }) {
  return kty === "EC" ? { crv, kty, x, y } : { crv, kty, x };
}

async function signBytes(key, prefix, value) {
  const how = key.jwk.kty === "EC" ? P256 : ED25519;
  return toBase64(new Uint8Array(await crypto.subtle.sign(how, key.secret, utf8(prefix + canonical(value)))));
}

/** The same value with all its text in NFC, without members that are undefined. */
function normal(value) {
  if (typeof value === "string") return value.normalize("NFC");
  if (Array.isArray(value)) return value.map(normal);
  if (value === null || typeof value !== "object") return value;
  const members = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(members.map(([name, one]) => [name.normalize("NFC"), normal(one)]));
}

/**
 * A number for a key: the smallest that was given back, else the next; kept before it is given. The transaction alone
 * keeps two tabs apart; where the browser has locks, tabs wait for each other outside of it, so that the numbers leave
 * in the order in which they were asked for.
 */
async function takeNumber(key, by) {
  let taken;
  const take = () => change(key, ({ last, free: [first = last + 1, ...free], held, ...row }) => {
    taken = first;
    return { ...row, last: Math.max(last, first), free, held: by ? { ...held, [first]: by } : held };
  });
  await (navigator.locks ? navigator.locks.request(`soi-device-${key}`, take) : take());
  return taken;
}

/** Change the row of a key's numbers in one transaction. Rows of older versions know of no free numbers. */
const change = (key, how) => inStore("readwrite", [NUMBERS], (stores) => {
  stores[NUMBERS].get(key).onsuccess = ({ target }) => {
    if (target.result) stores[NUMBERS].put(how({ free: [], held: {}, ...target.result }));
  };
});

/** Run `work` in one transaction; the result of the request that it returned, once all of it is kept. */
async function inStore(mode, names, work) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(names, mode, { durability: "strict" });
      const stores = Object.fromEntries(names.map((name) => [name, transaction.objectStore(name)]));
      const request = work(stores);
      transaction.oncomplete = () => resolve(request?.result);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

function open() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open(DATABASE, 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore(KEYS, { keyPath: "owner" });
      asked.result.createObjectStore(NUMBERS, { keyPath: "key" });
    };
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}
