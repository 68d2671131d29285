// Is what the server said true? The receipt of a record is fetched and checked here, against the log's keys and the
// checkpoint that this phone kept before: only then is the record proven.

import { Unreachable, ask } from "../asking.js";
import { beyond } from "../beyond.js";
import { checkClaim } from "../proof/claim.js";
import { Refused, toBase64 } from "../proof/encoding.js";
import { canonical } from "../proof/json.js";
import { leafHash } from "../proof/merkle.js";
import { checkReceipt } from "../proof/receipt.js";
import { verdict } from "../proof/steps.js";
import { receipts } from "../prove.js";
import { load } from "../trust.js";

/** Proves record after record. Keys, and checkpoints that were found to continue the kept one, are asked for once. */
export class Prover {
  #continued = new Set();
  #trusted = null;

  /** @param {number[]} rotations where the log changed its keys */
  constructor(rotations) {
    this.rotations = rotations;
  }

  /**
   * @param {any} record with its entry
   * @returns {Promise<{proven: boolean, reason: string}>} not proven with an empty reason: nothing was found out
   */
  async prove(record) {
    try {
      return await this.#prove(record);
    } catch (error) {
      if (error instanceof Unreachable) return { proven: false, reason: "" };
      return { proven: false, reason: error instanceof Refused ? error.reason : "malformed" };
    }
  }

  async #prove(record) {
    this.#trusted ??= load(() => receipts(this.rotations));
    const { trust, check } = await this.#trusted;
    if (check.held === false) return { proven: false, reason: check.reason };
    if (!trust) return { proven: false, reason: "" };
    const found = await checkReceipt(await ask(`/ledger/entries/${record.entry.index}/receipt`), trust);
    const checks = [check, ...found.checks];
    if (found.head && !this.#continued.has(found.checkpoint)) checks.push(...(await beyond(found, trust)));
    const failed = checks.find((one) => one.held === false);
    if (failed) return { proven: false, reason: failed.reason };
    if (verdict(checks) !== "whole") return { proven: false, reason: "" };
    this.#continued.add(found.checkpoint);
    if (found.index !== record.entry.index) throw new Refused("other-entry");
    await checkHolds(record, found);
    return { proven: true, reason: "" };
  }
}

/** The entry is the one that was promised, holds this very claim under this phone's signature, and its event says so. */
async function checkHolds(record, { extra, record: entry }) {
  if (toBase64(await leafHash(extra)) !== record.entry.leaf_hash) throw new Refused("other-leaf");
  const { key, seq, signature } = record.device;
  const signed = entry.device ?? {};
  const same = signed.key === key && signed.seq === seq && signed.sig === signature;
  if (!same || canonical(signed.claim) !== canonical(record.claim)) throw new Refused("other-claim");
  checkClaim(signed.claim, entry);
}
