// npm's bwip-js in its strict mode gs1dlqrcode: does it take an address for a GS1 Digital Link? One JSON line each.
// Usage: node bwip.mjs <folder with node_modules>
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const bwip = createRequire(join(process.argv[2], "here"))("bwip-js/node");

function judged(uri) {
  try {
    // The address is read and checked before; one mask instead of the best of eight makes the symbol quickly.
    bwip.raw({ bcid: "gs1dlqrcode", text: uri, mask: 1 });
    return "";
  } catch (error) {
    return String(error.message ?? error);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { uris } = JSON.parse(line);
  process.stdout.write(JSON.stringify({ refusals: uris.map(judged) }) + "\n");
}
