// On the page of a scanned pack: this phone fetches the lot's proof and checks it, asking nobody whether it holds.

import { proveAt } from "./prove.js";
import { Words, card, strand } from "./show.js";

const section = document.getElementById("check");
const place = document.getElementById("self-check");

/** Every line that the page shows must be one that the proof holds. */
function shownElsewhere({ lines = [] }) {
  const proven = new Set(lines.map((line) => String(line.index)));
  const links = document.querySelectorAll(".strand a[href^='/ledger/entries/'], .strand a[href^='/ledger/lines/']");
  return [...links].map((link) => link.pathname.split("/")[3]).find((index) => !proven.has(index)) ?? strayPhoto(lines);
}

/** Every photo that the page shows must be one that its own step's entry names; where not, that entry's index. */
function strayPhoto(lines) {
  const named = new Map(lines.map((line) => [String(line.index), line.record.photos ?? []]));
  return [...document.querySelectorAll(".strand [data-photo]")]
    .map(({ dataset, parentElement }) => [dataset.photo, parentElement.closest(".knot").querySelector("a[href^='/ledger/lines/']")])
    .map(([photo, link]) => [photo, link?.pathname.split("/")[3]])
    .find(([photo, index]) => !named.get(index)?.includes(photo))?.[1];
}

/** The entry with which this lot was recalled, where it still is and the page does not say so. */
function hiddenRecall({ lot, lines = [] }) {
  const said = lines.filter(({ record, links }) => record.type === "recall" && links.some((link) => link.batch === lot));
  const last = said.sort((a, b) => a.index - b.index).at(-1);
  const recalled = last?.record.event.persistentDisposition?.set?.includes("recalled");
  return recalled && !document.querySelector(".message.recall") ? last.index : undefined;
}

function compared(proven) {
  if (proven.verdict !== "whole") return proven;
  const hidden = hiddenRecall(proven.found);
  if (hidden !== undefined) return differs(proven, { reason: "recall-hidden", detail: { index: hidden } });
  const other = shownElsewhere(proven.found);
  return other === undefined ? proven : differs(proven, { reason: "page-differs", detail: { index: Number(other) } });
}

function differs(proven, why) {
  return { ...proven, verdict: "cut", checks: [...proven.checks, { step: "page", held: false, ...why }] };
}

/** Where the server's own verdict stands: what this phone found is said there too, and a cut before everything else. */
function atTheTop(words, proven) {
  const top = document.getElementById("verdict");
  if (proven.verdict === "cut") top.before(card(words, proven, "pack"));
  if (proven.verdict === "whole") top.querySelector("a[href='#check']").textContent = words.say("pack", "whole");
}

async function check() {
  const { proof, lot, words: url } = section.dataset;
  const words = await Words.load(url, document.documentElement.lang);
  const began = performance.now();
  const proven = compared(await proveAt(proof, { lot }));
  const seconds = Math.max(0.1, (performance.now() - began) / 1000).toFixed(1);
  const entries = proven.found.lines?.length ?? 0;
  place.replaceChildren(card(words, proven, "pack"));
  const took = place.querySelector("[data-took]");
  took.hidden = proven.verdict !== "whole";
  took.textContent = words.say("took", "pack", { entries, seconds: Number(seconds) });
  const more = document.createElement("details");
  more.append(Object.assign(document.createElement("summary"), { textContent: words.say("label", "steps") }), strand(words, proven));
  more.open = proven.verdict === "cut";
  place.append(more);
  place.dataset.verdict = proven.verdict;
  atTheTop(words, proven);
}

if (section?.dataset.proof && place) {
  place.hidden = false;
  check().catch(() => { place.hidden = true; });
}
