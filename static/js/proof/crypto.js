// SHA-256, Ed25519 and ECDSA P-256, by the browser's own WebCrypto and nothing else.

import { CannotCheck, fromBase64 } from "./encoding.js";

const subtle = globalThis.crypto?.subtle;
/** @type {Map<string, Promise<CryptoKey>>} */
const imported = new Map();
/** @type {Promise<void> | undefined} */
let probed;

/** @param {Uint8Array} bytes @returns {Promise<Uint8Array>} */
export async function sha256(bytes) {
  // Browsers hide WebCrypto from pages that came without TLS.
  if (!subtle) throw new CannotCheck("no WebCrypto");
  return new Uint8Array(await subtle.digest("SHA-256", bytes));
}

/** Whether this browser can check Ed25519: a signature of RFC 8032 (test 1) that it must accept. */
function probe() {
  probed ??= (async () => {
    if (!subtle) throw new CannotCheck("no WebCrypto");
    const raw = fromBase64("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    const signature = fromBase64("5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc+bRr0lv18FlbviRlUUFDjnoQCw==");
    let known = false;
    try {
      const key = await subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
      known = !(await subtle.verify("Ed25519", key, new Uint8Array(64), new Uint8Array()))
        && await subtle.verify("Ed25519", key, signature, new Uint8Array());
    } catch {
      // Every browser without it names another error.
    }
    if (!known) throw new CannotCheck("no Ed25519");
  })();
  return probed;
}

/**
 * @param {Uint8Array} key 32 bytes
 * @param {Uint8Array} message
 * @param {Uint8Array | null} signature
 * @returns {Promise<boolean>} raises CannotCheck where the browser has no Ed25519
 */
export async function ed25519(key, message, signature) {
  await probe();
  if (key.length !== 32 || signature?.length !== 64) return false;
  return verified(`ed:${key}`, () => subtle.importKey("raw", key, "Ed25519", false, ["verify"]), "Ed25519", message, signature);
}

/**
 * @param {{crv: string, kty: string, x: string, y: string}} jwk
 * @param {Uint8Array} message
 * @param {Uint8Array | null} signature r ‖ s
 * @returns {Promise<boolean>}
 */
export async function p256(jwk, message, signature) {
  if (!subtle) throw new CannotCheck("no WebCrypto");
  if (signature?.length !== 64) return false;
  const kind = { name: "ECDSA", namedCurve: "P-256" };
  const { crv, kty, x, y } = jwk;
  const load = () => subtle.importKey("jwk", { crv, kty, x, y }, kind, false, ["verify"]);
  return verified(`ec:${x}.${y}`, load, { name: "ECDSA", hash: "SHA-256" }, message, signature);
}

async function verified(name, load, algorithm, message, signature) {
  if (!imported.has(name)) imported.set(name, load());
  try {
    return await subtle.verify(algorithm, await imported.get(name), signature, message);
  } catch {
    return false; // Not a point of the curve.
  }
}
