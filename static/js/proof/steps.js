// Steps of a check: each held, failed with a reason, or is not known.

import { CannotCheck, Refused } from "./encoding.js";

/** @typedef {{step: string, held: boolean | null, reason: string, detail: Record<string, any>}} Check */
/** @typedef {{held?: boolean | null, reason?: string, detail?: Record<string, any>} | void} Outcome */
/** @typedef {"whole" | "cut" | "unknown"} Verdict */

/** Without these nothing is proven. */
const NEEDED = ["form", "checkpoint", "inclusion"];

/**
 * Go the steps in order. After one that failed, or that this browser cannot check, nothing more is looked at.
 * @param {[string, () => Promise<Outcome>][]} steps
 * @returns {Promise<Check[]>}
 */
export async function walk(steps) {
  const checks = [];
  let stopped = false;
  for (const [step, does] of steps) {
    const check = stopped ? { step, held: null, reason: "not-reached", detail: {} } : await tried(step, does);
    stopped ||= check.held === false || check.reason === "no-crypto";
    checks.push(check);
  }
  return checks;
}

/** @param {string} step @param {() => Promise<Outcome>} does @returns {Promise<Check>} */
export async function tried(step, does) {
  try {
    return { step, held: true, reason: "", detail: {}, ...(await does()) };
  } catch (error) {
    if (error instanceof CannotCheck) return { step, held: null, reason: "no-crypto", detail: {} };
    if (error instanceof Refused) return { step, held: false, reason: error.reason, detail: error.detail };
    // Hostile bytes of a shape that nobody thought of: it is not what it should be.
    return { step, held: false, reason: "malformed", detail: {} };
  }
}

/** @param {Check[]} checks @returns {Verdict} */
export function verdict(checks) {
  if (checks.some((check) => check.held === false)) return "cut";
  const held = new Set(checks.filter((check) => check.held).map((check) => check.step));
  return NEEDED.every((step) => held.has(step)) ? "whole" : "unknown";
}
