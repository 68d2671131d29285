// The spellings that every ledger format shares: strict base64, plain decimals, UTF-8. Each value has one spelling.

/** Something that does not hold. `reason` is a slug that the page has words for, `detail` what the words name. */
export class Refused extends Error {
  /** @param {string} reason @param {Record<string, unknown>} [detail] */
  constructor(reason, detail = {}) {
    super(`${reason} ${JSON.stringify(detail)}`);
    this.reason = reason;
    this.detail = detail;
  }
}

/** This browser lacks what the check needs: neither held nor failed. */
export class CannotCheck extends Error {}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @param {string} text @returns {Uint8Array} */
export const utf8 = (text) => encoder.encode(text);

/** @param {Uint8Array} bytes @returns {string} */
export function fromUtf8(bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Refused("not-utf8");
  }
}

/** @param {Uint8Array} bytes @returns {string} one character for each byte */
export function binary(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return text;
}

/** @param {Uint8Array} bytes @returns {string} standard padded base64 (RFC 4648 §4) */
export const toBase64 = (bytes) => btoa(binary(bytes));

/** @param {unknown} text @returns {Uint8Array | null} null if it is not the one canonical spelling */
export function fromBase64(text) {
  if (typeof text !== "string" || text.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  // atob lets stray low bits in the last character pass; two spellings of one signature must not.
  return toBase64(bytes) === text ? bytes : null;
}

/** @param {unknown} text base64url without padding @returns {Uint8Array | null} */
export function fromBase64Url(text) {
  if (typeof text !== "string" || !/^[A-Za-z0-9_-]*$/.test(text)) return null;
  return fromBase64(text.replaceAll("-", "+").replaceAll("_", "/") + "=".repeat((4 - (text.length % 4)) % 4));
}

/** @param {Uint8Array} bytes @returns {string} base64url without padding */
export const toBase64Url = (bytes) => toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

/** An ASCII decimal without sign or leading zeroes, at most 2^53 − 1. @param {string} text @returns {number | null} */
export function fromDecimal(text) {
  const number = /^(?:0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(number) ? number : null;
}

/** @param {Uint8Array} bytes @returns {string} */
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {Uint8Array} a @param {Uint8Array} b @returns {boolean} */
export const equal = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** @param {...Uint8Array} parts @returns {Uint8Array} */
export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Hostile text, shortened for a sentence. @param {unknown} text @returns {string} */
export const shown = (text) => (String(text).length > 80 ? `${String(text).slice(0, 80)}…` : String(text));
