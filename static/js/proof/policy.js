// Which logs and witnesses a reader asks for (c2sp.org/tlog-policy). Read strictly: a policy misread is a promise broken.

import { Refused, fromDecimal, hex } from "./encoding.js";
import { COSIGNATURE, ED25519, openNote, parseVkey } from "./note.js";

const NONE = "none";
const MAX_POLICY = 64 * 1024;
const MOST = 100;
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/;

/** @typedef {import("./note.js").Verifier} Verifier */
/**
 * @typedef {{logs: Verifier[], witnesses: Map<string, Verifier>,
 *   groups: Map<string, {threshold: number, members: string[]}>, quorum: string}} Policy
 */

/** Raises Refused, with the line at fault. @param {string} text @returns {Promise<Policy>} */
export async function parsePolicy(text) {
  if (text.length > MAX_POLICY || CONTROL.test(text) || !text.endsWith("\n")) throw new Refused("bad-policy", { line: 0 });
  const reading = new Reading();
  for (const [i, line] of text.slice(0, -1).split("\n").entries()) {
    const [word, ...rest] = line.split(/[ \t]+/).filter(Boolean);
    reading.line = i + 1;
    if (word && !word.startsWith("#")) await reading.read(word, rest);
  }
  if (!reading.quorum) throw new Refused("bad-policy", { line: 0 });
  const { logs, witnesses, groups, quorum } = reading;
  return { logs, witnesses, groups, quorum };
}

/** Whether the quorum has witnessed what these keys cosigned. @param {Policy} policy @param {Verifier[]} cosigners */
export function satisfied(policy, cosigners) {
  const keys = new Set(cosigners.map((one) => hex(one.key)));
  const witnessed = new Set([NONE]);
  for (const [name, one] of policy.witnesses) if (keys.has(hex(one.key))) witnessed.add(name);
  for (const [name, { threshold, members }] of policy.groups) {
    if (members.filter((member) => witnessed.has(member)).length >= threshold) witnessed.add(name);
  }
  return witnessed.has(policy.quorum);
}

/** Each known witness's line verifies, and there are as many as the policy asks. Leaves `cosigned` in `found`.
 * @param {{note: import("./note.js").Note, cosigned?: import("./note.js").Signature[]}} found @param {Policy} policy */
export async function checkWitnesses(found, policy) {
  found.cosigned = await openNote(found.note, [...policy.witnesses.values()]);
  const names = [...new Set(found.cosigned.map((one) => one.verifier.name))];
  const count = names.length;
  if (!satisfied(policy, found.cosigned.map((one) => one.verifier))) throw new Refused("too-few-witnesses", { count });
  if (!count && policy.quorum === NONE) return { held: null, reason: "no-witness-asked" };
  return { detail: { count, names: names.join(", ") } };
}

class Reading {
  constructor() {
    this.line = 0;
    this.logs = [];
    this.witnesses = new Map();
    this.groups = new Map();
    this.quorum = "";
    this.members = new Set();
  }

  async read(word, rest) {
    if (word === "log" && (rest.length === 1 || rest.length === 2)) this.logs.push(await this.key(rest[0], ED25519, this.logs));
    else if (word === "witness" && (rest.length === 2 || rest.length === 3)) await this.witness(...rest);
    else if (word === "group" && rest.length >= 3) this.group(...rest);
    else if (word === "quorum" && rest.length === 1 && !this.quorum && this.knows(rest[0])) [this.quorum] = rest;
    else this.refuse();
    if (Math.max(this.logs.length, this.witnesses.size, this.groups.size) > MOST) this.refuse();
  }

  refuse() {
    throw new Refused("bad-policy", { line: this.line });
  }

  knows(name) {
    return name === NONE || this.witnesses.has(name) || this.groups.has(name);
  }

  async key(vkey, type, others) {
    const key = await parseVkey(vkey).catch(() => this.refuse());
    if (key.type !== type || others.some((one) => hex(one.key) === hex(key.key))) this.refuse();
    return key;
  }

  async witness(name, vkey) {
    if (this.knows(name)) this.refuse();
    this.witnesses.set(name, await this.key(vkey, COSIGNATURE, [...this.witnesses.values()]));
  }

  group(name, asked, ...members) {
    for (const member of members) {
      if (member === NONE || !this.knows(member) || this.members.has(member)) this.refuse();
      this.members.add(member);
    }
    const threshold = { all: members.length, any: 1 }[asked] ?? fromDecimal(asked);
    if (this.knows(name) || !(threshold >= 1 && threshold <= members.length)) this.refuse();
    this.groups.set(name, { threshold, members });
  }
}
