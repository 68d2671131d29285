// What a phone knows of its household's batches: the last pack, and what was logged since. Pure.

import { basisPoints, carryOrigins, judge, pro } from "./mass.js";

/** Kinds of stages that leave their inputs as they are, that may be done with a batch on hold, and that are beside the usual way. */
const STAYING = ["observe", "inspect", "case", "uncase"];
const STOPPED = ["observe", "inspect", "lose"];
const RARE = ["buy", "split", "merge", "lose", "case", "uncase"];
const BEGINNING = ["commission", "buy"];
/** How far a clock may run ahead of the server's, in milliseconds: batches/stages/checks.py, SKEW. */
export const SKEW = 10 * 60_000;
const CLASS = "https://id.gs1.org/01/";

/** A batch's name. Lot codes that phones make need no escaping. @param {string} gtin @param {string} lot */
export const epcOf = (gtin, lot) => `${CLASS}${gtin}/10/${lot}`;

/** A process of the pack in that version, or else its newest. @returns {any} */
export function processOf(pack, key, version) {
  const known = pack?.processes.filter((one) => one.key === key) ?? [];
  return known.find((one) => one.version === version) ?? known.find((one) => one.newest) ?? known[0] ?? null;
}

/** @returns {any} the stage of a draft or record's draft, or null */
export const stageOf = (pack, draft) => processOf(pack, draft.process, draft.version)?.stages.find((one) => one.key === draft.stage) ?? null;

/** Whether the pack already shows what a record did. */
export const reflected = (pack, record) => record.entry !== null && record.entry.index < (pack?.size ?? 0);

/**
 * Open batches, newest first: the pack's, with what the records not yet in it took, made and found.
 * @param {any} pack @param {any[]} records of one member, in the order in which they were made
 */
export function apply(pack, records) {
  const batches = new Map((pack?.batches ?? []).map((one) => [one.epc, { ...one, made_at: Date.parse(one.made_at), pending: false }]));
  for (const record of records) if (!reflected(pack, record)) applyOne(pack, batches, record);
  return [...batches.values()].filter((one) => (one.left_units ?? one.left_grams) > 0).sort((a, b) => b.made_at - a.made_at);
}

function applyOne(pack, batches, { draft, lots, at }) {
  const stage = stageOf(pack, draft);
  if (!stage) return;
  const process = processOf(pack, draft.process, draft.version);
  const portions = portionsOf(batches, draft.inputs);
  const moisture = moistureOf(draft.readings);
  if (!STAYING.includes(stage.kind)) for (const one of draft.inputs) take(batches, one);
  for (const { batch: epc } of ["observe", "inspect"].includes(stage.kind) ? draft.inputs : []) {
    const held = stage.kind === "inspect" && failed(stage, draft) ? { hold: "held" } : {};
    change(batches, epc, { ...held, ...(moisture !== null && { moisture }) });
  }
  const made = draft.outputs.map((one) => ({ ...one, net: netOf(pack, one.product) }));
  const weights = made.map((one) => one.units ? one.units * (one.net ?? 0) : one.grams);
  const whole = weights.reduce((sum, one) => sum + one, 0);
  const origins = stage.kind === "buy" ? {} : carryOrigins(portions);
  made.forEach((one, i) => {
    const before = weights.slice(0, i).reduce((sum, weight) => sum + weight, 0);
    const shared = Object.entries(origins).map(([key, grams]) => [key, pro(grams, before + weights[i], whole) - pro(grams, before, whole)]);
    const epc = epcOf(one.product, lots[i]);
    batches.set(epc, {
      epc, gtin: one.product, lot: lots[i], process: process.key, version: process.version, material: materialOf(pack, one.product),
      made_grams: weights[i], left_grams: weights[i], made_units: one.units ?? null, left_units: one.units ?? null,
      made_at: at, hold: "none", site: draft.site, household: "", origins: Object.fromEntries(shared), moisture, pending: true,
    });
  });
}

function take(batches, { batch: epc, grams, units }) {
  const batch = batches.get(epc);
  if (!batch) return;
  const weight = grams ?? (batch.made_units ? pro(batch.made_grams, units ?? 0, batch.made_units) : 0);
  const left = { left_grams: Math.max(0, batch.left_grams - weight) };
  if (batch.left_units !== null) left.left_units = Math.max(0, batch.left_units - (units ?? 0));
  change(batches, epc, left);
}

function change(batches, epc, changes) {
  const batch = batches.get(epc);
  if (batch) batches.set(epc, { ...batch, ...changes, pending: true });
}

function moistureOf(readings) {
  const read = (readings ?? []).find((one) => one.type === "Moisture");
  return read ? basisPoints(read.value) : null;
}

const overLimit = (stage, readings) => (readings ?? []).some(({ type, value }) => {
  const need = stage.readings.find((one) => one.type === type);
  return need && need.limit !== null && value > need.limit;
});
const failed = (stage, draft) => draft.passed === false || overLimit(stage, draft.readings);
const productOf = (pack, gtin) => pack?.products.find((one) => one.gtin === gtin) ?? null;
const netOf = (pack, gtin) => productOf(pack, gtin)?.net_grams ?? null;
const materialOf = (pack, gtin) => productOf(pack, gtin)?.material ?? "";

/** What of each batch a draft takes, with the ancestors behind that part; batches that are unknown here are left out. */
function portionsOf(batches, inputs) {
  return inputs.flatMap(({ batch: epc, grams, units }) => {
    const batch = batches.get(epc);
    if (!batch) return [];
    const weight = grams ?? (batch.made_units && units ? pro(batch.made_grams, units, batch.made_units) : 0);
    const origins = Object.entries(batch.origins ?? {}).filter(([key]) => key !== batch.material);
    return [{
      material: batch.material, grams: weight, moisture: batch.moisture ?? null,
      origins: Object.fromEntries(origins.map(([key, behind]) => [key, pro(behind, weight, batch.made_grams || 1)])),
    }];
  });
}

/** The stages that can come next for a batch: the usual way first, what is rare last. @returns {any[]} */
export function nextStages(pack, batch) {
  const process = processOf(pack, batch.process, batch.version);
  const rank = (stage) => [RARE.includes(stage.kind), stage.optional, stage.kind === "inspect"].map(Number).join("");
  const fitting = (process?.stages ?? []).filter((stage) => stage.inputs.includes(batch.material)
    // A case is opened by the number on it, which no phone has.
    && stage.kind !== "uncase" && (batch.hold === "none" || STOPPED.includes(stage.kind)));
  return fitting.map((stage, i) => [rank(stage) + String(i).padStart(3, "0"), stage]).sort(([a], [b]) => (a < b ? -1 : 1)).map(([, stage]) => stage);
}

/** What can begin a story: harvests and purchases whose material has a product. @returns {{process: any, stage: any}[]} */
export function beginnings(pack) {
  const has = (process, stage) => pack.products.some((one) => one.process === process.key && one.material === stage.output);
  return (pack?.processes ?? []).filter((one) => one.newest)
    .flatMap((process) => process.stages.filter((stage) => BEGINNING.includes(stage.kind) && has(process, stage)).map((stage) => ({ process, stage })));
}

/**
 * What speaks against a draft: impossible, or doubtful and in need of a reason. Of what may have changed elsewhere since
 * the pack was fetched (how much is left, when a batch was made) a phone can only doubt: the server decides.
 * @param {any} pack @param {any[]} batches as `apply` gives them @param {any} draft
 * @returns {import("./mass.js").Finding[]}
 */
export function findings(pack, batches, draft) {
  const process = processOf(pack, draft.process, draft.version);
  const stage = stageOf(pack, draft);
  if (!stage) return [{ severity: "refuse", slug: "unknown-stage", params: { stage: draft.stage } }];
  const known = new Map(batches.map((one) => [one.epc, one]));
  const unknown = draft.inputs.some((one) => !known.has(one.batch));
  const byproducts = {};
  const main = [];
  for (const one of draft.outputs) {
    const material = materialOf(pack, one.product);
    if (stage.byproducts.some((other) => other.material === material)) byproducts[material] = (byproducts[material] ?? 0) + (one.grams ?? 0);
    else main.push(one);
  }
  const weights = main.filter((one) => one.grams !== undefined && one.grams !== null).map((one) => one.grams);
  const [first] = main;
  // Of a batch that this phone does not know, it cannot say what may come out.
  const judged = unknown ? [] : judge(process, stage, portionsOf(known, draft.inputs), {
    grams: weights.length ? weights.reduce((sum, one) => sum + one, 0) : null,
    units: first?.units ?? null, net: first ? netOf(pack, first.product) : null,
    readings: draft.readings ?? [], byproducts, parts: ["split", "merge"].includes(stage.kind) ? main.length : null,
  });
  const all = [...factsOf(stage, draft), ...draft.inputs.flatMap((one) => input(stage, draft, known.get(one.batch), one)), ...judged];
  return [...all.filter((one) => one.severity === "refuse"), ...all.filter((one) => one.severity === "doubt")];
}

function factsOf(stage, draft) {
  const facts = draft.facts ?? {};
  if (stage.kind === "buy" && !facts.origin) return [{ severity: "refuse", slug: "no-origin", params: {} }];
  const lost = stage.kind === "lose" && !stage.reasons.some((one) => one.key === facts.reason);
  return lost ? [{ severity: "refuse", slug: "no-reason", params: {} }] : [];
}

function input(stage, draft, batch, { grams, units }) {
  const found = [];
  if (!batch) return found;
  const { lot } = batch;
  if (batch.hold !== "none" && !STOPPED.includes(stage.kind)) found.push({ severity: "refuse", slug: "on-hold", params: { lot } });
  if (draft.at < batch.made_at - SKEW) found.push({ severity: "doubt", slug: "before-its-making", params: { lot, made: batch.made_at } });
  const [asked, left] = batch.left_units === null ? [grams, batch.left_grams] : [units, batch.left_units];
  if (!["observe", "inspect"].includes(stage.kind) && asked > left) {
    found.push({ severity: "doubt", slug: "not-enough-left", params: { lot, left, asked, unit: batch.left_units === null ? "grams" : "packs" } });
  }
  return found;
}
