// Is what is said to have come out possible for what went in? The rules of batches/mass.py, as far as a phone knows the
// figures; the server has the last word. Grams are whole numbers, shares basis points; sums are BigInt, as grams times
// basis points pass 2^53.

const WHOLE = 10_000n;
const DRY_MATTER_TOLERANCE = 500n;
const MISSING = 200n;
const BESIDE = "?";
const WEIGHS = ["transform", "pack", "split", "merge", "lose"];

/**
 * @typedef {{severity: "refuse" | "doubt", slug: string, params: Record<string, number | string>}} Finding
 * @typedef {{material: string, grams: number, origins: Record<string, number>, moisture: number | null}} Portion
 * @typedef {{type: string, value: number, unit: string}} Reading
 */

/**
 * All findings about one recording, the impossible ones first.
 * @param {any} process @param {any} stage as the pack has them
 * @param {Portion[]} inputs
 * @param {{grams?: number | null, units?: number | null, net?: number | null, readings?: Reading[],
 *   byproducts?: Record<string, number>, parts?: number | null}} [made] `grams`: of all outputs but by-products
 * @returns {Finding[]}
 */
export function judge(process, stage, inputs, { grams = null, units = null, net = null, readings = [], byproducts = {}, parts = null } = {}) {
  const found = [...judgeInputs(stage, inputs), ...judgeByproducts(stage, inputs, byproducts), ...judgeReadings(stage, readings)];
  const taken = sum(inputs.map((one) => one.grams));
  if (stage.kind === "pack") found.push(...judgePacking(process, stage, taken, units, net));
  else if (["split", "merge"].includes(stage.kind)) found.push(...judgeRegrouping(stage, inputs, grams, parts));
  else if (stage.output !== null && !(grams > 0)) found.push(refuse("no-output", { stage: stage.key }));
  else if (stage.output !== null) {
    found.push(...judgeAmount(stage, grams));
    if (!found.some((one) => one.severity === "refuse")) {
      found.push(...judgeYield(stage, inputs, grams));
      found.push(...judgeTogether(stage, taken, grams + sum(Object.values(byproducts))));
      found.push(...judgeOverall(process, stage, inputs, grams));
      found.push(...judgeDryMatter(stage, inputs, grams, readings));
    }
  }
  return [...found.filter((one) => one.severity === "refuse"), ...found.filter((one) => one.severity === "doubt")];
}

/** The ancestors behind what comes out, summed over the portions. @param {Portion[]} inputs @returns {Record<string, number>} */
export function carryOrigins(inputs) {
  const carried = {};
  const known = inputs.flatMap((one) => [...Object.keys(one.origins), one.material]).map((key) => key.split(BESIDE, 1)[0]);
  for (const origin of [...new Set(known)].sort()) {
    for (const portion of inputs) {
      for (const [material, grams] of Object.entries(behind(portion, origin))) {
        const key = material === origin ? origin : `${origin}${BESIDE}${material}`;
        carried[key] = (carried[key] ?? 0) + grams;
      }
    }
  }
  return carried;
}

/** `grams * taken / whole`, rounded down, exactly. @param {number} grams @param {number} taken @param {number} whole */
export const pro = (grams, taken, whole) => Number(BigInt(grams) * BigInt(taken) / BigInt(whole));

/** Per cent in basis points, cut as the server cuts them. @param {number} percent */
export const basisPoints = (percent) => roundHalfEven(Math.round(percent * 1000) / 10);

const refuse = (slug, params) => ({ severity: "refuse", slug, params });
const doubt = (slug, params) => ({ severity: "doubt", slug, params });
const sum = (numbers) => numbers.reduce((whole, one) => whole + one, 0);
const total = (parts, bound) => parts.reduce((whole, [grams, bounds]) => whole + BigInt(grams) * BigInt(bound(bounds)), 0n);
const usualMin = (bounds) => bounds.usual[0];
const usualMax = (bounds) => bounds.usual[1];
const hardMax = (bounds) => bounds.hard_max;
const hardMin = (bounds) => bounds.hard_min ?? 0;

function roundHalfEven(value) {
  const down = Math.floor(value);
  if (value - down !== 0.5) return Math.round(value);
  return down % 2 === 0 ? down : down + 1;
}

function behind(portion, origin) {
  if (portion.material === origin) return { [origin]: portion.grams };
  const start = origin + BESIDE;
  const found = Object.entries(portion.origins)
    .filter(([key]) => key === origin || key.startsWith(start))
    .map(([key, grams]) => [key === origin ? origin : key.slice(start.length), grams]);
  return found.length ? Object.fromEntries(found) : { [portion.material]: portion.grams };
}

function judgeInputs(stage, inputs) {
  const found = inputs.filter((one) => !stage.inputs.includes(one.material))
    .map((one) => refuse("wrong-input", { material: one.material, stage: stage.key }));
  const empty = !inputs.length || (WEIGHS.includes(stage.kind) && inputs.some((one) => one.grams <= 0));
  if (stage.inputs.length && stage.kind !== "uncase" && empty) found.push(refuse("no-input", { stage: stage.key }));
  return found;
}

function judgeByproducts(stage, inputs, byproducts) {
  const taken = sum(inputs.map((one) => one.grams));
  return Object.entries(byproducts).flatMap(([material, grams]) => {
    const bounds = stage.byproducts.find((one) => one.material === material);
    if (!bounds) return [refuse("wrong-output", { material, stage: stage.key })];
    if (grams <= 0) return [refuse("no-output", { stage: stage.key })];
    return taken > 0 ? within("byproduct", [[taken, bounds]], grams, { material }) : [];
  });
}

function judgeTogether(stage, taken, out) {
  const bounds = [...Object.values(stage.yields), ...stage.byproducts];
  if (!stage.byproducts.length || bounds.some((one) => BigInt(one.hard_max) > WHOLE) || out <= taken) return [];
  return [refuse("more-out-than-in", { out, in: taken })];
}

function judgeRegrouping(stage, inputs, out, parts) {
  const splits = stage.kind === "split";
  const wrong = [
    [splits && inputs.length !== 1, "one-input"],
    [splits && parts !== null && parts < 2, "two-parts"],
    [!splits && inputs.length < 2, "two-inputs"],
    [!splits && parts !== null && parts !== 1, "one-part"],
    [new Set(inputs.map((one) => one.material)).size > 1, "one-material"],
    [!(out > 0), "no-output"],
  ];
  const found = wrong.filter(([is]) => is).map(([, slug]) => refuse(slug, { stage: stage.key }));
  const taken = sum(inputs.map((one) => one.grams));
  if (found.length) return found;
  if (out > taken) return [refuse("more-out-than-in", { out, in: taken })];
  return missing("gone-missing", taken - out, taken, MISSING);
}

function missing(slug, lost, taken, most) {
  if (BigInt(lost) * WHOLE <= BigInt(taken) * most) return [];
  return [doubt(slug, { lost, in: taken, share: Number(BigInt(lost) * WHOLE / BigInt(taken)), most: Number(most) })];
}

function judgeAmount(stage, grams) {
  const [low, high] = stage.usual_grams ?? [grams, grams];
  return low <= grams && grams <= high ? [] : [doubt("unusual-amount", { grams, low, high })];
}

function judgeYield(stage, inputs, out) {
  if (!Object.keys(stage.yields).length) return [];
  return within("yield", inputs.map((one) => [one.grams, stage.yields[one.material]]), out, {});
}

function judgeOverall(process, stage, inputs, out) {
  return process.overall.flatMap((rule) => {
    // The stage's own yield already speaks where the origin itself went in.
    const direct = inputs.every((one) => one.material === rule.origin);
    if (rule.material !== stage.output || direct) return [];
    const all = {};
    for (const portion of inputs) {
      for (const [material, grams] of Object.entries(behind(portion, rule.origin))) all[material] = (all[material] ?? 0) + grams;
    }
    if (!(all[rule.origin] > 0)) return [];
    const weighed = Object.entries(all).map(([material, grams]) =>
      [grams, material === rule.origin ? rule : between(process, rule.material, material)]);
    // Where nothing leads from what is unknown to what came out, the phone leaves it to the server.
    if (weighed.some(([, bounds]) => bounds === null)) return [];
    if (weighed.length === 1) return within("overall", weighed, out, { origin: rule.origin });
    return blend(weighed, rule.origin, all[rule.origin], out);
  });
}

/** How much of `material` can come of `origin`, over all ways that lead there; null if none does. */
function between(process, material, origin) {
  const told = process.overall.find((one) => one.material === material && one.origin === origin);
  if (told) return told;
  if (material === origin) return { usual: [10_000, 10_000], hard_max: 10_000, hard_min: 0 };
  const ways = [];
  for (const stage of process.stages.filter((one) => one.output === material && one.kind === "transform")) {
    for (const [key, last] of Object.entries(stage.yields)) {
      const first = between(process, key, origin);
      if (first) ways.push(chained(first, last));
    }
  }
  if (!ways.length) return null;
  return {
    usual: [Math.min(...ways.map(usualMin)), Math.max(...ways.map(usualMax))],
    hard_max: Math.max(...ways.map(hardMax)),
    hard_min: Math.min(...ways.map(hardMin)),
  };
}

const chained = (first, last) => ({
  usual: [Math.floor(usualMin(first) * usualMin(last) / 10_000), Math.ceil(usualMax(first) * usualMax(last) / 10_000)],
  hard_max: Math.ceil(first.hard_max * last.hard_max / 10_000),
  hard_min: Math.floor(hardMin(first) * hardMin(last) / 10_000),
});

function blend(weighed, origin, known, out) {
  const scaled = BigInt(out) * WHOLE;
  const [low, high, most, least] = [usualMin, usualMax, hardMax, hardMin].map((bound) => total(weighed, bound));
  const facts = { origin, in: known, rest: sum(weighed.map(([grams]) => grams)) - known, out };
  const range = (floor, ceiling) => ({ ...facts, floor: Number(floor / WHOLE), ceiling: Number(ceiling / WHOLE) });
  if (scaled > most) return [refuse("blend-above-bound", range(least, most))];
  if (scaled < least) return [refuse("blend-below-bound", range(least, most))];
  return low <= scaled && scaled <= high ? [] : [doubt("blend-unusual", range(low, high))];
}

function within(name, weighed, out, params) {
  const taken = BigInt(sum(weighed.map(([grams]) => grams)));
  const scaled = BigInt(out) * WHOLE;
  const [low, high, most, least] = [usualMin, usualMax, hardMax, hardMin].map((bound) => total(weighed, bound));
  const facts = (from, to) => ({
    ...params, out, in: Number(taken), share: Number(scaled / taken), low: Number(from / taken), high: Number(to / taken),
  });
  if (scaled > most) return [refuse(`${name}-above-bound`, facts(least, most))];
  if (scaled < least) return [refuse(`${name}-below-bound`, facts(least, most))];
  return low <= scaled && scaled <= high ? [] : [doubt(`${name}-unusual`, facts(low, high))];
}

function judgeDryMatter(stage, inputs, out, readings) {
  const read = readings.find((one) => one.type === "Moisture");
  if (!stage.keeps_dry_matter || !read || inputs.some((one) => one.moisture === null)) return [];
  const before = inputs.reduce((whole, one) => whole + BigInt(one.grams) * (WHOLE - BigInt(one.moisture)), 0n);
  const after = BigInt(out) * (WHOLE - BigInt(basisPoints(read.value)));
  const [low, high] = [before * (WHOLE - DRY_MATTER_TOLERANCE), before * (WHOLE + DRY_MATTER_TOLERANCE)];
  if (low <= after * WHOLE && after * WHOLE <= high) return [];
  return [doubt("dry-matter-changed", { before: Number(before / WHOLE), after: Number(after / WHOLE) })];
}

function judgePacking(process, stage, taken, units, net) {
  if (!(units > 0)) return [refuse("no-output", { stage: stage.key })];
  if (!(net > 0)) return [refuse("net-weight-unknown", {})];
  const packed = units * net;
  if (packed > taken) return [refuse("packed-more-than-there-is", { packed, in: taken, units, net })];
  return missing("pack-loss", taken - packed, taken, BigInt(process.max_pack_loss));
}

function judgeReadings(stage, readings) {
  const found = stage.readings.filter((need) => need.required && !readings.some((one) => one.type === need.type))
    .map((need) => refuse("reading-missing", { type: need.type }));
  for (const { type, value, unit } of readings) {
    const asked = stage.readings.find((need) => need.type === type);
    const facts = { type, value: String(value) };
    if (!Number.isFinite(value)) found.push(refuse("reading-impossible", { ...facts, low: "", high: "" }));
    else if (!asked) continue;
    else if (unit !== asked.unit) found.push(refuse("reading-unit", { type, unit: asked.unit, found: unit }));
    else if (value < asked.low || value > asked.high) found.push(refuse("reading-impossible", bounded(facts, asked.low, asked.high)));
    else if (asked.limit !== null && value > asked.limit) found.push(doubt("reading-over-limit", { ...facts, limit: String(asked.limit) }));
    else if (asked.usual && (value < asked.usual[0] || value > asked.usual[1])) found.push(doubt("reading-unusual", bounded(facts, ...asked.usual)));
  }
  return found;
}

const bounded = (facts, low, high) => ({ ...facts, low: String(low), high: String(high) });
