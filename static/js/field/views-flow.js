// What is being logged, as plain values: which questions a stage asks, what is answered, what comes of it.
// A flow is kept as it grows, so a phone that is switched off goes on where it was.

import { leftOf, text } from "./show.js";

/** What is merely not asked yet. */
const NO_SURPRISE = ["no-output", "no-input", "no-origin", "no-reason", "two-parts", "two-inputs", "reading-missing"];
const FRESH = 2 * 3600_000;
/** Kinds that take from a batch and make nothing. */
const GIVES = ["dispatch", "lose", "case"];
const MOVES = ["commission", "transform", "buy"];

/**
 * @typedef {object} Flow
 * @property {string} process @property {number} version @property {string} stage
 * @property {string | null} batch the batch that she began from
 * @property {Record<string, number>} takes what goes in, by batch, where it is not simply all of `batch`
 * @property {string[]} done questions that are answered
 * @property {{how: string, id: string} | null} repair the record that is mended rather than a new one
 */

/** @returns {Flow} */
export const begin = (process, version, stage, batch) => ({
  process, version, stage, batch, takes: {}, product: null, made: null, parts: [], byproducts: {}, readings: {}, passed: null,
  reason: null, origin: "", value: null, note: "", why: null, photos: [], place: null, at: null, site: null, begun: Date.now(),
  done: [], typed: null, repair: null, chosen: [],
});

export const processOf = (pack, flow) => pack.processes.find((one) => one.key === flow.process && one.version === Number(flow.version));
export const stageOf = (pack, flow) => processOf(pack, flow)?.stages.find((one) => one.key === flow.stage);
export const materialOf = (process, key) => process.materials.find((one) => one.key === key);

/** What a batch is made of, and in what it is counted. */
export function materialOfBatch(pack, batch) {
  const process = processOf(pack, { process: batch.process, version: batch.version });
  return process && materialOf(process, batch.material);
}

const productsOf = (pack, stage, flow, material = stage.output) =>
  pack.products.filter((one) => one.process === flow.process && one.material === material);

/** The flow seen together with the engine's state: what every screen needs. */
export class Work {
  constructor(engine, flow) {
    const { pack, batches } = engine.state;
    this.engine = engine;
    this.flow = flow;
    this.pack = pack;
    this.process = processOf(pack, flow);
    this.stage = stageOf(pack, flow);
    this.batches = batches;
    this.products = productsOf(pack, this.stage, flow);
    this.product = this.products.find((one) => one.gtin === flow.product) ?? (this.products.length === 1 ? this.products[0] : null);
    this.own = batches.find((one) => one.epc === flow.batch);
    this.sites = pack.sites;
  }

  get kind() { return this.stage.kind; }

  /** In what a batch of this flow is counted. */
  unitOf(batch) { return materialOfBatch(this.pack, batch)?.unit ?? "grams"; }

  /** The household's batches that this stage can take; to blend, only those of the same material. */
  get usable() {
    return this.batches.filter((one) => one.process === this.flow.process && this.stage.inputs.includes(one.material) &&
      (one.hold === "none" || this.kind === "lose") && leftOf(one, this.unitOf(one)) > 0 &&
      (this.kind !== "merge" || one.material === this.own?.material));
  }

  /** [{batch, value, unit}]: what goes in. Unless she said otherwise all of the batch that she began from. */
  get takes() {
    const { flow } = this;
    if (flow.repair && flow.given) return flow.given.map((one) => this.#given(one));
    const told = Object.entries(flow.takes).filter(([, value]) => value > 0);
    if (told.length || Object.keys(flow.takes).length) {
      return told.map(([epc, value]) => this.#take(this.batches.find((one) => one.epc === epc), value)).filter((one) => one.batch);
    }
    if (!this.own) return [];
    const left = leftOf(this.own, this.unitOf(this.own));
    if (this.kind === "pack") return [this.#take(this.own, this.#packed(left))];
    if (this.kind === "merge") {
      return [flow.batch, ...flow.chosen].map((epc) => this.batches.find((one) => one.epc === epc)).filter(Boolean)
        .map((batch) => this.#take(batch, leftOf(batch, this.unitOf(batch))));
    }
    return [this.#take(this.own, left)];
  }

  #take(batch, value) { return { batch, value, unit: batch && this.unitOf(batch) }; }

  /** What a record that is mended took: its batch has that much less now, or is gone from the phone. */
  #given({ batch: epc, grams, units }) {
    const known = this.batches.find((one) => one.epc === epc);
    const value = this.flow.takes[epc] ?? grams ?? units ?? 0;
    return { batch: known ?? { epc, lot: epc.split("/").at(-1), material: this.stage.inputs[0], process: this.flow.process, version: this.flow.version }, value, unit: units ? "packs" : "grams" };
  }

  /** Packs need their net weight; a rest too small to keep is what packing loses. */
  #packed(left) {
    const needed = (this.flow.made ?? 0) * (this.product?.net_grams ?? 0);
    const lost = (left - needed) * 10_000 <= left * this.process.max_pack_loss;
    return needed === 0 || needed > left || lost ? left : needed;
  }

  get taken() { return this.takes.reduce((sum, one) => sum + one.value, 0); }

  /** The byproducts that can be written down: those the cooperative has a product for. */
  get byproducts() {
    return (this.stage.byproducts ?? []).filter(({ material }) => productsOf(this.pack, this.stage, this.flow, material).length);
  }

  /** The questions in their order. The last is always "sum". */
  get steps() {
    const { flow, kind, stage } = this;
    if (flow.repair) return this.#repairing();
    const asked = [];
    if (this.products.length > 1) asked.push("product");
    if (MOVES.includes(kind) || kind === "pack") asked.push("made");
    if (kind === "buy") asked.push("origin", "price");
    if (GIVES.includes(kind)) asked.push("take");
    // What is no pack goes to a neighbour, for money or without.
    if (kind === "dispatch" && this.own && this.unitOf(this.own) === "grams") asked.push("price");
    if (kind === "lose") asked.push("reason");
    if (kind === "inspect") asked.push("passed");
    if (kind === "split") asked.push("parts");
    if (kind === "merge") asked.push("which");
    asked.push(...this.byproducts.map(({ material }) => `byproduct:${material}`));
    asked.push(...stage.readings.map(({ type }) => `reading:${type}`));
    if (this.doubts.length) asked.push("why");
    return [...asked, "sum"];
  }

  #repairing() {
    const { how } = this.flow.repair;
    if (how === "reason") return ["why", "sum"];
    if (how === "time") return ["when", "sum"];
    const asked = [...(this.takes.length ? ["take"] : []), ...(this.flow.made === null ? [] : ["made"])];
    return [...asked, ...(this.doubts.length && !this.flow.note ? ["why"] : []), "sum"];
  }

  /** Whether a question needs no asking any more. A doubt that changed is asked about anew. */
  answered(step) {
    if (step === "why" && !this.flow.repair) return Boolean(this.flow.note) && this.flow.why === this.doubtful;
    return this.flow.done.includes(step);
  }

  /** Where to go from `step`: the next question without an answer. */
  after(step) {
    const { steps } = this;
    return steps.slice(steps.indexOf(step) + 1).find((one) => one === "sum" || !this.answered(one)) ?? "sum";
  }

  get first() { return this.steps.find((one) => one === "sum" || !this.answered(one)); }

  /** What was found out about what is written so far, without what is merely not asked yet. */
  get findings() {
    if (this.flow.repair && this.flow.repair.how !== "amount") return [];
    return this.engine.findings(this.draft()).filter((one) => !NO_SURPRISE.includes(one.slug));
  }

  get doubts() { return this.findings.filter((one) => one.severity === "doubt"); }

  get refusals() { return this.findings.filter((one) => one.severity === "refuse"); }

  /** A name for today's doubts, so that an answer to other doubts does not count. */
  get doubtful() { return this.doubts.map((one) => one.slug).sort().join(" "); }

  get site() { return this.flow.site ?? this.own?.site ?? this.sites.find((one) => one.mine)?.gln ?? this.sites[0]?.gln ?? null; }

  /** When it was: now, unless she said so, or began to write long ago. */
  get at() {
    const { at, begun } = this.flow;
    return at ?? (Date.now() - begun < FRESH ? Date.now() : begun);
  }

  #inputs() {
    const looking = ["observe", "inspect"].includes(this.kind);
    return this.takes.map(({ batch, value, unit }) => (looking ? { batch: batch.epc } : { batch: batch.epc, [unit === "packs" ? "units" : "grams"]: value }));
  }

  #outputs() {
    const { flow, kind } = this;
    if (flow.repair) return this.#mended();
    if (kind === "split") return flow.parts.length ? [...flow.parts, this.rest].filter((one) => one > 0).map((grams) => ({ product: this.own?.gtin, grams })) : [];
    if (kind === "merge") return [{ product: this.own?.gtin, grams: flow.made ?? this.taken }];
    if (flow.made === null || !this.product) return [];
    const own = kind === "pack" ? { product: this.product.gtin, units: flow.made } : { product: this.product.gtin, grams: flow.made };
    const beside = this.byproducts.filter(({ material }) => flow.byproducts[material] > 0).map(({ material }) => ({
      product: productsOf(this.pack, this.stage, flow, material)[0].gtin, grams: flow.byproducts[material],
    }));
    return [own, ...beside];
  }

  /** The outputs of a record with its first amount as it is now; of two parts the other one gives way. */
  #mended() {
    const { givenOut: [first, ...others], made } = this.flow;
    if (!first) return [];
    const unit = first.units ? "units" : "grams";
    const rest = this.kind === "split" && others.length === 1 ? [{ ...others[0], grams: this.taken - made }] : others;
    return [{ ...first, [unit]: made }, ...rest];
  }

  /** What stays behind when parts are split off. */
  get rest() { return this.taken - this.flow.parts.reduce((sum, one) => sum + one, 0); }

  /** The whole as the engine keeps it. */
  draft() {
    const { flow, kind, stage } = this;
    const facts = { ...flow.facts };
    if (kind === "lose" && flow.reason) facts.reason = flow.reason;
    if (kind === "buy" && flow.origin) facts.origin = flow.origin;
    return {
      process: flow.process, version: Number(flow.version), stage: flow.stage, at: this.at, site: this.site,
      inputs: this.#inputs(), outputs: this.#outputs(),
      readings: stage.readings.filter(({ type }) => flow.readings[type]).map(({ type, unit }) => ({ type, value: Number(flow.readings[type]), unit })),
      photos: flow.photos, place: flow.place, note: flow.note, passed: kind === "inspect" ? flow.passed ?? true : null, facts, value_dong: flow.value,
    };
  }

  /** What a question of this stage is called aloud, and the name of a recorded sound for it. */
  get ask() { return { words: text(this.stage.ask), sound: `ask-${this.stage.key}` }; }
}

/** What she wrote last time in this stage, in grams or packs: what came out, or for a loss or a dispatch what went in. */
export function lastAmount(records, flow) {
  const last = records.find(({ draft }) => draft.stage === flow.stage && draft.process === flow.process && (draft.outputs[0] ?? draft.inputs[0]));
  const one = last && (last.draft.outputs[0] ?? last.draft.inputs[0]);
  return one ? one.grams ?? one.units ?? null : null;
}

/** A record that needs help, as a flow that asks only what is to be mended. */
export function mending(record, how) {
  const { draft } = record;
  const made = draft.outputs[0];
  return {
    ...begin(draft.process, draft.version, draft.stage, draft.inputs[0]?.batch ?? null),
    product: made?.product ?? null, made: made ? made.grams ?? made.units : null, facts: draft.facts,
    readings: Object.fromEntries((draft.readings ?? []).map(({ type, value }) => [type, String(value)])), passed: draft.passed ?? null,
    note: draft.note ?? "", at: draft.at, site: draft.site, repair: { how, id: record.id }, given: draft.inputs, givenOut: draft.outputs,
  };
}

/** How far along the usual way of its process a batch is. @returns {[number, number]} */
export function way(process, material) {
  const made = process.stages.filter((one) => one.output && !one.optional && !["buy", "split", "merge"].includes(one.kind)).map((one) => one.output);
  const usual = [...new Set(made)];
  const at = usual.indexOf(material);
  if (at >= 0) return [at + 1, usual.length];
  // A material of an optional stage, such as dried starch: as far as what it was made of.
  const from = process.stages.find((one) => one.output === material)?.inputs[0];
  return [Math.max(1, usual.indexOf(from) + 1), usual.length];
}
