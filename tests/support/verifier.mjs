// The browser's verifier, asked over stdin: one JSON request a line, one answer a line. Bytes go as base64.
import { createInterface } from "node:readline";

const here = (name) => import(new URL(`../../static/js/proof/${name}.js`, import.meta.url));
const { CannotCheck, Refused, fromBase64, fromUtf8, toBase64, utf8 } = await here("encoding");
const { checkClaim } = await here("claim");
const { ed25519, p256 } = await here("crypto");
const { canonical, parse, parseEntry } = await here("json");
const { thumbprint } = await here("keyring");
const { checkLot } = await here("lot");
const { checkLivestream } = await here("livestream");
const { checkLivestreamLog } = await here("livestream-log");
const { leafHash, verifyConsistency, verifyInclusion } = await here("merkle");
const { openCheckpoint, openNote, parseNote, parseVkey } = await here("note");
const { parsePolicy, satisfied } = await here("policy");
const { checkReceipt } = await here("receipt");
const { verdict } = await here("steps");

const all = (spelled) => spelled.map(fromBase64);
const trusting = async ({ vkeys, policy, origin }) => ({
  origin, keys: await Promise.all(vkeys.map(parseVkey)), policy: await parsePolicy(policy),
});
const judged = ({ checks }) => ({ verdict: verdict(checks), checks });

const replies = {
  canonical: ({ json }) => ({ written: toBase64(utf8(canonical(parse(fromUtf8(fromBase64(json)))))) }),
  entry: ({ body }) => ({ entry: parseEntry(fromBase64(body)) }),
  claim: ({ claim, entry }) => checkClaim(claim, entry),
  leaf: async ({ entry }) => ({ hash: toBase64(await leafHash(fromBase64(entry))) }),
  inclusion: async ({ leaf, index, size, path, root }) =>
    verifyInclusion(fromBase64(leaf), index, size, all(path), fromBase64(root)),
  consistency: async ({ old, size, oldRoot, root, path }) =>
    verifyConsistency(old, size, fromBase64(oldRoot), fromBase64(root), all(path)),
  base64: ({ text }) => ({ known: fromBase64(text) !== null }),
  vkey: async ({ vkey }) => ({ id: (await parseVkey(vkey)).id }),
  note: async ({ note, vkeys }) => {
    const signed = await openNote(parseNote(fromUtf8(fromBase64(note))), await Promise.all(vkeys.map(parseVkey)));
    return { signed: signed.map((line) => [line.verifier.vkey, line.time]) };
  },
  checkpoint: async ({ note, origin, vkeys }) => {
    const head = await openCheckpoint(parseNote(note), origin, await Promise.all(vkeys.map(parseVkey)));
    return { size: head.size, root: toBase64(head.root) };
  },
  policy: async ({ policy, cosigners }) =>
    ({ satisfied: satisfied(await parsePolicy(policy), await Promise.all(cosigners.map(parseVkey))) }),
  ed25519: async ({ key, message, signature }) =>
    ({ holds: await ed25519(fromBase64(key), fromBase64(message), fromBase64(signature)) }),
  p256: async ({ jwk, message, signature }) => ({ holds: await p256(jwk, fromBase64(message), fromBase64(signature)) }),
  thumbprint: async ({ jwk }) => ({ key: await thumbprint(jwk) }),
  lot: async ({ document, wanted, ...trust }) => judged(await checkLot(fromUtf8(fromBase64(document)), await trusting(trust), wanted)),
  live: ({ entry }) => checkLivestream(entry),
  livestream: async ({ document, entries }) =>
    checkLivestreamLog(fromUtf8(fromBase64(document)), async (index) => entries[index] ?? null),
  receipt: async ({ document, ...trust }) => judged(await checkReceipt(fromUtf8(fromBase64(document)), await trusting(trust))),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { ask, ...more } = JSON.parse(line);
  let answer;
  try {
    answer = (await replies[ask](more)) ?? {};
  } catch (error) {
    if (error instanceof Refused) answer = { error: error.reason, detail: error.detail };
    else if (error instanceof CannotCheck) answer = { error: "cannot-check" };
    else answer = { error: "crashed", detail: String(error.stack) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
