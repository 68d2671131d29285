// Whose signature counts, and where: keys as the log's own entries enrol and end them. A key is judged by the
// position of entries, not by a clock. The rules: docs/formats.md, "Keys on the log".

import { checkClaim } from "./claim.js";
import { RECEIVED, checkForeign } from "./foreign.js";
import { ed25519, p256, sha256 } from "./crypto.js";
import { Refused, fromBase64, fromBase64Url, hex, shown, toBase64Url, utf8 } from "./encoding.js";
import { canonical, isObject } from "./json.js";
import { checkLivestream } from "./livestream.js";
import { ED25519, parseVkey } from "./note.js";

const CUSTODY = "soi/custodian/event/v1\n";
const DEVICE_EVENT = "soi/device/event/v1\n";
const DEVICE_ENROL = "soi/device/enrol/v1\n";
const ROTATE = "soi/key/rotate/v1\n";
const P = 2n ** 255n - 19n;
/** Ed25519 points of small order (y, sign bit cleared): under such a key, signatures hold for many messages. */
const SMALL_ORDER = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
]);

/** @typedef {{role: "custodian" | "device", key: string, seq: number | null}} SignedBy */
/** @typedef {{verify: (message: Uint8Array, signature: Uint8Array | null) => Promise<boolean>, first: number, ended: number}} Span */

export class Keyring {
  /** @param {string} origin @param {import("./note.js").Verifier[]} trusted the log's keys to begin with */
  constructor(origin, trusted = []) {
    this.origin = origin;
    /** The ledger's keys that were trusted or that rotations lead to. */
    this.ledger = trusted.filter((key) => key.type === ED25519 && key.name === origin);
    /** @type {Map<string, number>} vkeys of the ledger that entries retired, and where */
    this.retired = new Map();
    /** @type {Map<string, Span>} by key ID */
    this.custodians = new Map();
    /** @type {Map<string, string>} vkey → key ID */
    this.custodianIds = new Map();
    /** @type {Map<string, Span>} by thumbprint */
    this.devices = new Map();
  }

  /** Take in the key entry `index`; entries come in the log's order. Raises Refused. */
  async learn(index, entry) {
    const told = entry.key;
    if (!isObject(told)) throw new Refused("bad-key-entry");
    switch (`${told.role} ${told.status}`) {
      case "custodian enrolled": return this.enrolCustodian(index, told);
      case "ledger enrolled": return this.enrolLedger(told);
      case "ledger retired": return void this.retired.set((await parseVkey(text(told.vkey))).vkey, index);
      case "device enrolled": return this.enrolDevice(index, told);
      case "device revoked":
      case "device lost": return this.endDevice(index, told.key);
      default: throw new Refused("bad-key-entry");
    }
  }

  /** Who signed entry `index`. Raises Refused when nobody rightly did. @returns {Promise<SignedBy>} */
  async check(index, entry) {
    if (("custodian" in entry) === ("device" in entry)) throw new Refused("nobody-signed");
    if (entry.type === "claim") await checkForeign(entry);
    if (entry.type === "live") checkLivestream(entry);
    return "device" in entry ? this.byDevice(index, entry) : this.byCustodian(index, entry);
  }

  async byCustodian(index, entry) {
    const { key, sig } = entry.custodian;
    const span = this.custodians.get(key);
    if (!span || !covers(span, index)) throw new Refused("unknown-custodian", { key: shown(key) });
    if (!(await span.verify(utf8(CUSTODY + canonical(entry.event)), fromBase64(sig)))) throw new Refused("bad-custodian-signature");
    if (entry.type === "claim" && !(await span.verify(utf8(RECEIVED + canonical(entry.claim)), fromBase64(entry.received)))) {
      throw new Refused("bad-custodian-signature");
    }
    return { role: "custodian", key, seq: null };
  }

  async byDevice(index, entry) {
    const { claim, key, seq, sig } = entry.device;
    if (!Number.isSafeInteger(seq) || seq < 1) throw new Refused("bad-device-number");
    const span = this.devices.get(key);
    if (!span || index <= span.first) throw new Refused("unknown-device", { key: shown(key) });
    if (!covers(span, index)) throw new Refused("revoked-device", { key: shown(key), ended: span.ended });
    if (!isObject(claim)) throw new Refused("unfit-claim", { member: "event" });
    const message = utf8(DEVICE_EVENT + canonical({ claim, key, log: this.origin, seq }));
    if (!(await span.verify(message, fromBase64(sig)))) throw new Refused("bad-device-signature");
    checkClaim(claim, entry);
    return { role: "device", key, seq };
  }

  async enrolCustodian(index, told) {
    const key = await parseVkey(text(told.vkey));
    if (index === 0) {
      if ("replaces" in told) throw new Refused("bad-key-entry");
    } else {
      const old = this.custodianIds.get(text(told.replaces));
      if (old === undefined) throw new Refused("unknown-custodian", { key: shown(told.replaces) });
      await this.checkRotation(told, "custodian");
      this.custodians.get(old).ended = index;
    }
    this.custodianIds.set(told.vkey, key.id);
    this.custodians.set(key.id, { verify: (...signed) => ed25519(key.key, ...signed), first: index, ended: Infinity });
  }

  async enrolLedger(told) {
    const key = await parseVkey(text(told.vkey));
    await this.checkRotation(told, "ledger");
    if (key.name !== this.origin) throw new Refused("bad-key-entry");
    const known = new Set(this.ledger.map((one) => one.vkey));
    if (known.has(told.replaces) && !known.has(key.vkey)) this.ledger.push(key);
  }

  async checkRotation({ vkey, replaces, sigs }, role) {
    const signers = [await parseVkey(text(replaces)), await parseVkey(text(vkey))];
    if (!Array.isArray(sigs) || sigs.length !== 2 || signers.some((one) => one.type !== ED25519)) throw new Refused("bad-rotation");
    const message = utf8(ROTATE + canonical({ log: this.origin, replaces, role, vkey }));
    for (const [i, signer] of signers.entries()) {
      if (!(await ed25519(signer.key, message, fromBase64(sigs[i])))) throw new Refused("bad-rotation");
    }
  }

  async enrolDevice(index, { key, jwk, proof }) {
    const verify = deviceKey(jwk);
    if (key !== (await thumbprint(jwk)) || this.devices.has(key)) throw new Refused("bad-key-entry");
    const message = utf8(DEVICE_ENROL + canonical({ jwk, log: this.origin }));
    if (!(await verify(message, fromBase64(proof)))) throw new Refused("bad-key-entry");
    this.devices.set(key, { verify, first: index, ended: Infinity });
  }

  endDevice(index, key) {
    const span = this.devices.get(key);
    if (!span || span.ended !== Infinity) throw new Refused("bad-key-entry");
    span.ended = index;
  }
}

/** A key's name: the JWK thumbprint (RFC 7638) in base64url. */
export const thumbprint = async (jwk) => toBase64Url(await sha256(utf8(canonical(jwk))));

const covers = (span, index) => span.first <= index && index < span.ended;

function text(value) {
  if (typeof value !== "string") throw new Refused("bad-key-entry");
  return value;
}

/** How to verify with a JWK of exactly its required members. Raises Refused. */
function deviceKey(jwk) {
  const members = isObject(jwk) ? Object.keys(jwk).sort().join() : "";
  if (members === "crv,kty,x" && jwk.kty === "OKP" && jwk.crv === "Ed25519") {
    const raw = coordinate(jwk.x);
    const y = Uint8Array.from(raw);
    y[31] &= 0x7f;
    if (SMALL_ORDER.has(hex(y)) || BigInt(`0x${hex(y.reverse())}`) >= P) throw new Refused("bad-key-entry");
    return (message, signature) => ed25519(raw, message, signature);
  }
  if (members === "crv,kty,x,y" && jwk.kty === "EC" && jwk.crv === "P-256") {
    coordinate(jwk.x);
    coordinate(jwk.y);
    return (message, signature) => p256(jwk, message, signature);
  }
  throw new Refused("bad-key-entry");
}

function coordinate(spelled) {
  const raw = fromBase64Url(spelled);
  if (raw?.length !== 32) throw new Refused("bad-key-entry");
  return raw;
}
