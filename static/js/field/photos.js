// Photos go apart from the records that name them: by the hash of their bytes, in parts, going on where they broke off.

import { utf8, toBase64 } from "../proof/encoding.js";
import { problemOf } from "./answers.js";

/** Bytes in one request: a few seconds on a bad line. */
const PART = 96 * 1024;
const TYPE = "application/offset+octet-stream";
/** How often the server may correct where we are before a photo is left for later. */
const CORRECTIONS = 5;
/** The photo was erased, and is not to come back. */
const GONE = 410;

/**
 * Send a photo as far as it goes.
 * @param {{blob: Blob, sha256: string, sent: number, meta?: Record<string, string>}} photo
 * @param {(path: string, options: object) => Promise<Response>} ask
 * @param {(changes: {sent?: number, done?: boolean, problem?: any}) => Promise<void>} keep called as it goes
 * @returns {Promise<"done" | "refused" | "signed-out" | "later">} raises what `ask` raises without a network
 */
export async function sendPhoto(photo, ask, keep) {
  const path = `/api/photos/${photo.sha256}`;
  const { size } = photo.blob;
  const asked = await ask(path, { method: "HEAD" });
  if (asked.status === 401) return "signed-out";
  if (asked.status === GONE) return refused(asked, keep);
  if (asked.status !== 404 && !asked.ok) return "later";
  let at = asked.ok ? offset(asked, size) : 0;
  if (at === null) return "later";
  // All bytes may be there without the photo being kept, if the server ended in between: then an empty part ends it.
  let whole = at === size && asked.headers.get("Upload-Length") === String(size);
  for (let corrections = 0; !whole;) {
    await keep({ sent: at });
    const answer = await ask(path, {
      method: "PATCH",
      headers: { "Content-Type": TYPE, "Upload-Offset": String(at), "Upload-Length": String(size), ...metadata(photo.meta) },
      body: photo.blob.slice(at, at + PART),
    });
    if (answer.status === 401) return "signed-out";
    if ([403, GONE, 413, 422].includes(answer.status)) return refused(answer, keep);
    const told = offset(answer, size);
    const corrected = answer.status === 409 && told !== null && (corrections += 1) <= CORRECTIONS;
    if (!corrected && (!answer.ok || told === null || told < at || (told === at && at < size))) return "later";
    at = told;
    whole = answer.ok && at === size;
  }
  await keep({ sent: size, done: true, problem: null });
  return "done";
}

async function refused(answer, keep) {
  await keep({ problem: await problemOf(answer) });
  return "refused";
}

function offset(answer, size) {
  const told = answer.headers.get("Upload-Offset") ?? "";
  return /^\d{1,12}$/.test(told) && Number(told) <= size ? Number(told) : null;
}

function metadata(meta = {}) {
  const parts = Object.entries(meta).map(([name, value]) => `${name} ${toBase64(utf8(value))}`);
  return parts.length ? { "Upload-Metadata": parts.join(",") } : {};
}
