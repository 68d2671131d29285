// Asking the log's own server. What it answers is checked by others; here it is only fetched, and bounded.

import { Refused, fromUtf8 } from "./proof/encoding.js";

export const MAX_BYTES = 8 * 1024 * 1024;
const PATIENCE = 15_000;

/** There was no answer: no network, or a server in trouble. Proves nothing either way. */
export class Unreachable extends Error {}

/**
 * @param {string} path on this site
 * @param {{most?: number, patience?: number}} [bounds] bytes, milliseconds
 * @returns {Promise<string>} raises Unreachable, or Refused where the server says that there is no such thing
 */
export async function ask(path, { most = MAX_BYTES, patience = PATIENCE } = {}) {
  let answer;
  let bytes;
  try {
    answer = await fetch(path, { cache: "no-cache", signal: AbortSignal.timeout?.(patience) });
    bytes = answer.ok ? await bounded(answer, most) : null;
  } catch (error) {
    throw error instanceof Refused ? error : new Unreachable(path);
  }
  if (bytes) return fromUtf8(bytes);
  if (answer.status >= 500 || [408, 425, 429].includes(answer.status)) throw new Unreachable(path);
  throw new Refused("server-has-none", { path, status: answer.status });
}

async function bounded(answer, most) {
  const parts = [];
  let length = 0;
  for (const reader = answer.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
    length += value.length;
    if (length > most) {
      await reader.cancel();
      throw new Refused("too-large");
    }
    parts.push(value);
  }
}
