// C2SP signed notes (c2sp.org/signed-note), checkpoints (tlog-checkpoint) and cosignatures (tlog-cosignature, type 0x04).

import { Refused, concat, fromBase64, fromDecimal, hex, shown, utf8 } from "./encoding.js";
import { ed25519, sha256 } from "./crypto.js";

export const ED25519 = 0x01;
export const COSIGNATURE = 0x04;
const MAX_NOTE = 256 * 1024;
const MAX_SIGNATURES = 100;
const MAX_NAME = 255;
const MAX_CHECKPOINT = 512;
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;
const LONE_SURROGATE = /\p{Surrogate}/u;
const NO_NAME = /[+\u0000-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** @typedef {{name: string, type: number, key: Uint8Array, id: string, vkey: string}} Verifier */
/** @typedef {{name: string, id: string, payload: Uint8Array}} Line */
/** @typedef {{text: string, lines: Line[]}} Note */
/** @typedef {{verifier: Verifier, time: number | null}} Signature a line that verified; time in Unix seconds */
/** @typedef {{origin: string, size: number, root: Uint8Array, text: string}} Head */

/** @param {string} name @returns {boolean} */
export const isName = (name) => name.length > 0 && [...name].length <= MAX_NAME && !NO_NAME.test(name) && !LONE_SURROGATE.test(name);

/** Read `name+hexid+base64(type ‖ key)`. Raises Refused. @param {string} vkey @returns {Promise<Verifier>} */
export async function parseVkey(vkey) {
  const [, name, id, spelled] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/s.exec(vkey) ?? [];
  const material = fromBase64(spelled);
  if (!name || !isName(name) || !material?.length) throw new Refused("bad-vkey", { vkey: shown(vkey) });
  const digest = await sha256(concat(utf8(`${name}\n`), material));
  if (hex(digest.subarray(0, 4)) !== id) throw new Refused("bad-vkey", { vkey: shown(vkey) });
  const [type, key] = [material[0], material.subarray(1)];
  if ((type !== ED25519 && type !== COSIGNATURE) || key.length !== 32) throw new Refused("unknown-key-type", { name });
  return { name, type, key, id, vkey };
}

/** Read a note's form; nothing in it is to be trusted yet. Raises Refused. @param {string} data @returns {Note} */
export function parseNote(data) {
  if (data.length > MAX_NOTE || CONTROL.test(data) || LONE_SURROGATE.test(data)) throw new Refused("bad-note");
  const blank = data.lastIndexOf("\n\n");
  if (blank < 0 || !data.endsWith("\n") || blank + 2 === data.length) throw new Refused("bad-note");
  const lines = data.slice(blank + 2, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) throw new Refused("bad-note");
  return { text: data.slice(0, blank + 1), lines: lines.map(parseLine) };
}

function parseLine(line) {
  const [dash, name, spelled, ...more] = line.split(" ");
  const payload = fromBase64(spelled);
  if (dash !== "—" || more.length || !isName(name ?? "") || !payload || payload.length < 5) throw new Refused("bad-note");
  return { name, id: hex(payload.subarray(0, 4)), payload: payload.subarray(4) };
}

/**
 * The lines of known keys, each verified: an unknown key's line is ignored, a known key's bad line fails the note.
 * @param {Note} note @param {Verifier[]} verifiers @returns {Promise<Signature[]>}
 */
export async function openNote(note, verifiers) {
  const good = [];
  for (const line of note.lines) {
    const known = verifiers.filter((one) => one.name === line.name && one.id === line.id);
    if (new Set(known.map((one) => one.vkey)).size > 1) throw new Refused("keys-alike", { name: line.name });
    if (known.length) good.push({ verifier: known[0], time: await verifyLine(known[0], note.text, line) });
  }
  return good;
}

async function verifyLine(verifier, text, line) {
  let [message, signature, time] = [text, line.payload, null];
  if (verifier.type === COSIGNATURE) {
    if (signature.length !== 72) throw new Refused("bad-line", { name: line.name });
    const seconds = new DataView(signature.buffer, signature.byteOffset, 8).getBigUint64(0);
    message = `cosignature/v1\ntime ${seconds}\n${text}`;
    [signature, time] = [signature.subarray(8), Number(seconds)];
  }
  if (!(await ed25519(verifier.key, utf8(message), signature))) throw new Refused("bad-line", { name: line.name });
  return time;
}

/** Read a checkpoint's three lines. Raises Refused. @param {string} text @returns {Head} */
export function parseHead(text) {
  const lines = text.length <= MAX_CHECKPOINT ? text.split("\n") : [];
  const size = fromDecimal(lines[1] ?? "");
  const root = fromBase64(lines[2]);
  if (lines.length !== 4 || lines[3] || !isName(lines[0]) || size === null || root?.length !== 32) {
    throw new Refused("bad-checkpoint");
  }
  return { origin: lines[0], size, root, text };
}

/**
 * The head that the log's own key signed. Raises Refused.
 * @param {Note} note @param {string} origin @param {Verifier[]} keys the log's
 * @returns {Promise<Head & {signatures: Signature[]}>}
 */
export async function openCheckpoint(note, origin, keys) {
  const head = parseHead(note.text);
  if (head.origin !== origin) throw new Refused("other-log", { origin: shown(head.origin), wanted: origin });
  const own = keys.filter((key) => key.type === ED25519 && key.name === origin);
  const signatures = await openNote(note, own);
  if (!signatures.length) throw new Refused("not-signed", { origin });
  return { ...head, signatures };
}
