// The form of an entry that says how far a livestream's log had grown: docs/formats.md, "A livestream's log".

import { Refused } from "./encoding.js";
import { hasMembers } from "./entry.js";

const SESSION = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const HASH = /^[0-9a-f]{64}$/;

/** Raises Refused. @param {Record<string, any>} entry */
export function checkLivestream({ event, live, chain, ...rest }) {
  const whole = event === null && !("device" in rest) && chain.length === 0
    && hasMembers(live, ["decisions", "head", "length", "session"])
    && [live.session, live.head, live.decisions].every((told) => typeof told === "string")
    && SESSION.test(live.session) && HASH.test(live.head) && HASH.test(live.decisions)
    && Number.isSafeInteger(live.length) && live.length >= 1;
  if (!whole) throw new Refused("bad-live");
}
