// Node's WebCrypto and npm's canonicalize, asked over stdin: one JSON request a line, one answer a line.
// Usage: node node.mjs <folder with node_modules>
import { webcrypto } from "node:crypto";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { subtle } = webcrypto;
const bytes = (text) => Buffer.from(text, "base64");
const text = (data) => Buffer.from(data).toString("base64");
const P256 = { name: "ECDSA", namedCurve: "P-256" };
const algorithm = (jwk) => (jwk.kty === "EC" ? { name: "ECDSA", hash: "SHA-256" } : { name: "Ed25519" });

let canonicalize;
try {
  const file = join(process.argv[2], "node_modules", "canonicalize", "lib", "canonicalize.js");
  canonicalize = (await import(pathToFileURL(file))).default;
} catch {
  canonicalize = null;
}

const replies = {
  has: async () => ({ canonicalize: canonicalize !== null, ed25519: await knowsEd25519() }),

  canonicalize: async ({ json }) => ({ written: text(canonicalize(JSON.parse(bytes(json).toString("utf8")))) }),

  number: async ({ bits }) => ({ written: JSON.stringify(bytes(bits).readDoubleBE()) }),

  verify: async ({ jwk, message, sig }) => {
    const imported = algorithm(jwk).name === "ECDSA" ? P256 : algorithm(jwk);
    const key = await subtle.importKey("jwk", jwk, imported, false, ["verify"]);
    return { holds: await subtle.verify(algorithm(jwk), key, bytes(sig), bytes(message)) };
  },

  // A new key, as a phone makes one: it cannot leave; only what it signs can.
  signed: async ({ kind, message }) => {
    const made = kind === "P-256" ? P256 : { name: "Ed25519" };
    const pair = await subtle.generateKey(made, false, ["sign", "verify"]);
    const { crv, kty, x, y } = await subtle.exportKey("jwk", pair.publicKey);
    const jwk = y === undefined ? { crv, kty, x } : { crv, kty, x, y };
    return { jwk, sig: text(await subtle.sign(algorithm(jwk), pair.privateKey, bytes(message))) };
  },
};

async function knowsEd25519() {
  try {
    await subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
    return true;
  } catch {
    return false;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  let said;
  try {
    const asked = JSON.parse(line);
    said = await replies[asked.ask](asked);
  } catch (error) {
    said = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(said) + "\n");
}
