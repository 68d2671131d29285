// Strict JSON, and its canonical form (RFC 8785 over text in NFC): what is hashed and signed has one spelling.

import { Refused, equal, fromUtf8, utf8 } from "./encoding.js";

export const MAX_ENTRY_BYTES = 16 * 1024;
const MAX_DEPTH = 32;
const MAX_DIGITS = 40;
/** Values in one document: more than the largest lot proof has, and few enough to be read in a blink. */
const MAX_VALUES = 400_000;
const BLANK = /[ \t\n\r]*/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const LONE_SURROGATE = /\p{Surrogate}/u;
const WORDS = [["true", true], ["false", false], ["null", null]];

/**
 * Read JSON. Refuses what JSON.parse lets pass: a key twice, numbers beyond 2^53, lone surrogates, great depth.
 * Objects have no prototype, so a key may have any name.
 * @param {string} text
 * @returns {any}
 */
export function parse(text) {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.blank();
  if (reader.at !== text.length) reader.refuse();
  return value;
}

/**
 * The canonical text of a value that `parse` gave.
 * @param {any} value
 * @returns {string}
 */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "string") {
    if (value.normalize("NFC") !== value) throw new Refused("not-canonical");
    return JSON.stringify(value);
  }
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.keys(value).sort().map((key) => `${canonical(key)}:${canonical(value[key])}`);
  return `{${members.join(",")}}`;
}

/**
 * Read an entry's bytes, which must be their own canonical form: nothing is repaired.
 * @param {Uint8Array} bytes
 * @returns {Record<string, any>}
 */
export function parseEntry(bytes) {
  if (bytes.length > MAX_ENTRY_BYTES) throw new Refused("entry-too-long");
  const value = parse(fromUtf8(bytes));
  if (!isObject(value)) throw new Refused("not-json");
  if (!equal(utf8(canonical(value)), bytes)) throw new Refused("not-canonical");
  return value;
}

/** @param {any} value @returns {boolean} an object as `parse` makes it, no list */
export const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
    this.values = 0;
  }

  refuse() {
    throw new Refused("not-json", { at: this.at });
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  blank() {
    if (this.text.charCodeAt(this.at) <= 0x20) this.match(BLANK);
  }

  /** Take one character if it comes next after blanks. */
  take(char) {
    this.blank();
    if (this.text[this.at] !== char) return false;
    this.at += 1;
    return true;
  }

  need(char) {
    if (!this.take(char)) this.refuse();
  }

  value(depth) {
    if (depth > MAX_DEPTH) throw new Refused("too-deep");
    this.values += 1;
    if (this.values > MAX_VALUES) throw new Refused("too-many-parts");
    if (this.take("{")) return this.object(depth);
    if (this.take("[")) return this.list(depth);
    if (this.take('"')) return this.string();
    for (const [word, value] of WORDS) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    return this.number();
  }

  object(depth) {
    const found = Object.create(null);
    if (this.take("}")) return found;
    do {
      this.need('"');
      const key = this.string();
      if (key in found) throw new Refused("key-twice", { key });
      this.need(":");
      found[key] = this.value(depth + 1);
    } while (this.take(","));
    this.need("}");
    return found;
  }

  list(depth) {
    const found = [];
    if (this.take("]")) return found;
    do found.push(this.value(depth + 1)); while (this.take(","));
    this.need("]");
    return found;
  }

  string() {
    const start = this.at - 1;
    for (;;) {
      this.match(PLAIN);
      if (this.text[this.at] === '"') break;
      if (!this.match(ESCAPE)) this.refuse();
    }
    this.at += 1;
    const text = JSON.parse(this.text.slice(start, this.at));
    if (LONE_SURROGATE.test(text)) throw new Refused("lone-surrogate");
    return text;
  }

  number() {
    const digits = this.match(NUMBER);
    if (!digits) this.refuse();
    const number = digits.length > MAX_DIGITS ? NaN : Number(digits);
    if (!(Math.abs(number) <= Number.MAX_SAFE_INTEGER)) throw new Refused("number-too-large");
    return number;
  }
}
