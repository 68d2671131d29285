// The RFC 6962 Merkle tree, the reader's half: leaves, inclusion and consistency (RFC 9162 §2.1.3.2, §2.1.4.2).
// Sizes go up to 2^53, so they are divided and never shifted: JavaScript shifts 32 bits.

import { Refused, binary, concat, equal } from "./encoding.js";
import { sha256 } from "./crypto.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
const MAX_PATH = 63;
const half = (number) => Math.floor(number / 2);
const odd = (number) => number % 2 === 1;

/** @typedef {(left: Uint8Array, right: Uint8Array) => Promise<Uint8Array>} NodeHash */

/** SHA256(0x00 ‖ entry). @param {Uint8Array} entry */
export const leafHash = (entry) => sha256(concat(LEAF, entry));

/** SHA256(0x01 ‖ left ‖ right). @type {NodeHash} */
export const nodeHash = (left, right) => sha256(concat(NODE, left, right));

/** A `nodeHash` that remembers: the paths of one document share most of their upper nodes. @returns {NodeHash} */
export function rememberingHash() {
  const known = new Map();
  return (left, right) => {
    const pair = binary(left) + binary(right);
    if (!known.has(pair)) known.set(pair, nodeHash(left, right));
    return known.get(pair);
  };
}

/**
 * Does leaf hash `leaf` stand at `index` in the tree of `size` leaves under `root`? Raises Refused.
 * @param {Uint8Array} leaf @param {number} index @param {number} size @param {Uint8Array[]} path
 * @param {Uint8Array} root @param {NodeHash} [hash]
 */
export async function verifyInclusion(leaf, index, size, path, root, hash = nodeHash) {
  checkNumbers(index, size);
  if (index >= size) throw new Refused("beyond-checkpoint", { index, size });
  checkHashes([leaf, root, ...path]);
  let [fn, sn, value] = [index, size - 1, leaf];
  for (const sibling of path) {
    if (sn === 0) throw new Refused("path-length", { index });
    if (odd(fn) || fn === sn) {
      value = await hash(sibling, value);
      while (!odd(fn) && fn) [fn, sn] = [half(fn), half(sn)];
    } else {
      value = await hash(value, sibling);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  if (sn !== 0) throw new Refused("path-length", { index });
  if (!equal(value, root)) throw new Refused("not-in-tree", { index });
}

/**
 * Does the tree (`size`, `root`) only append to (`old`, `oldRoot`)? Raises Refused.
 * @param {number} old @param {number} size @param {Uint8Array} oldRoot @param {Uint8Array} root @param {Uint8Array[]} path
 */
export async function verifyConsistency(old, size, oldRoot, root, path) {
  checkNumbers(old, size);
  if (old > size) throw new Refused("rewritten", { old, size });
  checkHashes([oldRoot, root, ...path]);
  if (old === size || old === 0) {
    if (path.length || (old === size && !equal(oldRoot, root))) throw new Refused("rewritten", { old, size });
    return;
  }
  // An old tree that is one complete subtree is its own first hash, which the proof leaves out.
  const hashes = isPower(old) ? [oldRoot, ...path] : [...path];
  if (!hashes.length) throw new Refused("rewritten", { old, size });
  let [fn, sn] = [old - 1, size - 1];
  while (odd(fn)) [fn, sn] = [half(fn), half(sn)];
  let [before, after] = [hashes[0], hashes[0]];
  for (const sibling of hashes.slice(1)) {
    if (sn === 0) throw new Refused("rewritten", { old, size });
    if (odd(fn) || fn === sn) {
      before = await nodeHash(sibling, before);
      after = await nodeHash(sibling, after);
      while (!odd(fn) && fn) [fn, sn] = [half(fn), half(sn)];
    } else {
      after = await nodeHash(after, sibling);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  if (sn !== 0 || !equal(before, oldRoot) || !equal(after, root)) throw new Refused("rewritten", { old, size });
}

function isPower(number) {
  while (number > 1 && !odd(number)) number = half(number);
  return number === 1;
}

function checkNumbers(...numbers) {
  if (!numbers.every((number) => Number.isSafeInteger(number) && number >= 0)) throw new Refused("bad-number");
}

function checkHashes(hashes) {
  if (hashes.length > MAX_PATH + 2 || hashes.some((hash) => hash.length !== 32)) throw new Refused("bad-hash");
}
