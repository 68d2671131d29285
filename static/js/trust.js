// Whose keys this phone believes. The first that it sees it remembers (trust on first use); after that only the log's
// own rotation entries, signed by a key that it knows, bring a new one.

import { Unreachable, ask } from "./asking.js";
import { recall, remember } from "./memory.js";
import { Refused } from "./proof/encoding.js";
import { Keyring } from "./proof/keyring.js";
import { ED25519, parseVkey } from "./proof/note.js";
import { parsePolicy } from "./proof/policy.js";

const NAME = "trust";
const MOST_KEYS = 200;

/** @typedef {import("./proof/lot.js").Trust & {own: boolean}} OwnTrust `own`: it is this site's log, so its server can be asked */
/** @typedef {{keys: string[], policy: string, since: number}} Remembered */
/** @typedef {{step: string, held: boolean | null, reason: string, detail: Record<string, any>}} Check */

/**
 * @param {() => Promise<{index: number, record: Record<string, any>}[]>} rotations the log's key entries, asked for only if its keys changed
 * @returns {Promise<{trust: OwnTrust | null, check: Check, newPolicy: string}>}
 */
export async function load(rotations) {
  const known = remembered();
  const [keys, policy] = await Promise.all([fetched("/ledger/keys"), fetched("/ledger/policy")]);
  const now = { keys: vkeys(keys ?? ""), policy: policy ?? "" };
  const complete = keys !== null && policy !== null;
  if (!known) {
    if (!complete) return { trust: null, check: told(null, "no-keys"), newPolicy: "" };
    const trust = await trusting(now.keys, now.policy, true);
    const kept = remember(NAME, { ...now, since: Date.now() });
    return { trust, check: told(true, kept ? "first-seen" : "not-kept"), newPolicy: "" };
  }
  const check = complete ? await compared(known, now.keys, rotations) : told(true, "remembered", known);
  // Where nobody was asked for, any policy asks for more.
  if (complete && (await parsePolicy(known.policy)).quorum === "none") {
    await parsePolicy(now.policy);
    accept(now.policy);
  }
  const { keys: held, policy: asked } = remembered();
  const newPolicy = complete && rules(now.policy) !== rules(asked) ? now.policy : "";
  return { trust: await trusting(held, asked, true), check, newPolicy };
}

/** The reader's own word: keys and a policy that she pasted. An empty policy asks for no witness. Raises Refused. */
export async function pasted(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line && !line.startsWith("#"));
  const bare = lines.filter((line) => !/\s/.test(line));
  const policy = lines.filter((line) => /\s/.test(line));
  if (!policy.some((line) => line.startsWith("quorum"))) policy.push("quorum none");
  const trust = await trusting(bare, `${policy.join("\n")}\n`, false);
  trust.own = remembered()?.keys.some((vkey) => vkey.startsWith(`${trust.origin}+`)) ?? false;
  return { trust, check: told(true, "pasted"), newPolicy: "" };
}

/** What is remembered, or null. @returns {Remembered | null} */
export function remembered() {
  const known = recall(NAME);
  const whole = Array.isArray(known?.keys) && known.keys.length && known.keys.every((key) => typeof key === "string");
  return whole && typeof known.policy === "string" ? known : null;
}

/** Take the log's new policy for one's own. @param {string} policy */
export function accept(policy) {
  remember(NAME, { ...remembered(), policy });
}

/** Forget keys and policy. */
export const forget = () => remember(NAME, null);

async function compared(known, keys, rotations) {
  const fresh = keys.filter((vkey) => !known.keys.includes(vkey));
  // Old keys are published for ever: one that vanished is as bad as one that nobody announced.
  if (known.keys.some((vkey) => !keys.includes(vkey))) return told(false, "keys-changed", known);
  if (!fresh.length) return told(true, "remembered", known);
  try {
    const ring = new Keyring(origin(known.keys), await Promise.all(known.keys.map(parseVkey)));
    for (const { index, record } of await rotations()) {
      if (record.type === "key" && record.key?.role === "ledger") await ring.learn(index, record);
    }
    const led = ring.ledger.map((key) => key.vkey);
    if (!fresh.every((vkey) => led.includes(vkey))) return told(false, "keys-changed", known);
    remember(NAME, { ...known, keys: [...fresh, ...known.keys] });
    return told(true, "keys-rotated", known);
  } catch (error) {
    if (error instanceof Unreachable) return told(null, "keys-unasked", known);
    if (error instanceof Refused) return told(false, "keys-changed", known);
    throw error;
  }
}

async function trusting(keys, policyText, own) {
  const policy = await parsePolicy(policyText);
  const all = await Promise.all([...new Set(keys)].slice(0, MOST_KEYS).map(parseVkey));
  // The site's own policy names no key that its list of keys does not: it would be a way around the rotations.
  const log = [...all, ...(own ? [] : policy.logs)].filter((key) => key.type === ED25519);
  if (!log.length) throw new Refused("no-keys");
  return { origin: log[0].name, keys: log, policy, own };
}

async function fetched(path) {
  try {
    return await ask(path);
  } catch (error) {
    if (error instanceof Unreachable || error instanceof Refused) return null;
    throw error;
  }
}

const vkeys = (text) => text.split("\n").filter(Boolean).slice(0, MOST_KEYS);
const origin = (keys) => keys[0].split("+", 1)[0];
const rules = (policy) => policy.split("\n").filter((line) => line.trim() && !/^\s*(#|log\s)/.test(line)).join("\n");
const told = (held, reason, detail = {}) => ({ step: "keys", held, reason, detail: detail.since ? { since: detail.since / 1000 } : {} });
