// The form of an entry that tells what somebody else claims: docs/formats.md, "What others claim".

import { sha256 } from "./crypto.js";
import { Refused, hex, utf8 } from "./encoding.js";
import { canonical, isObject } from "./json.js";

export const RECEIVED = "soi/custodian/claim/v1\n";

/** Raises Refused. @param {Record<string, any>} entry */
export async function checkForeign({ event, claim, received, ...rest }) {
  const members = isObject(claim) ? Object.keys(claim).filter((name) => name !== "event").sort().join() : "";
  const whole = event === null && !("device" in rest) && members === "by,sha256,size" && typeof received === "string"
    && typeof claim.by === "string" && claim.by !== "" && [...claim.by].length <= 120
    && typeof claim.sha256 === "string" && /^[0-9a-f]{64}$/.test(claim.sha256)
    && Number.isSafeInteger(claim.size) && claim.size >= 2;
  if (!whole) throw new Refused("bad-claim");
  if (!("event" in claim)) return;
  const bytes = utf8(isObject(claim.event) ? canonical(claim.event) : "");
  if (bytes.length !== claim.size || hex(await sha256(bytes)) !== claim.sha256) throw new Refused("bad-claim");
}
