// The page /verify: a file, a pasted text or a link of this site is checked here, in the reader's own browser.

import { prove, proveAt, proveFile } from "./prove.js";
import { HEADER } from "./proof/receipt.js";
import { Words, card, element, strand } from "./show.js";
import { accept, forget, remembered } from "./trust.js";

const form = document.getElementById("verify");
const [file, text, own] = ["file", "text", "own"].map((name) => form.elements.namedItem(name));
const result = document.getElementById("result");
const words = await Words.load(form.dataset.words, document.documentElement.lang);
const rotations = form.dataset.rotations.split(" ").filter(Boolean).map(Number);
let running = 0;

const LOTS = [
  /^\/01\/([0-9]{14})\/10\/([^/]+)(?:\/21\/[^/]+)?$/,
  /^\/ledger\/lots\/([0-9]{14})\/([^/]+)\/proof$/,
  /^\/labels\/([0-9]{14})\/([^/]+?)(?:\.(?:svg|png|pdf))?$/,
];

/** What stands at a link of this site. @param {string} told @returns {{path: string, lot?: string, index?: number} | null} */
function addressed(told) {
  const link = linked(told);
  if (link?.origin !== location.origin && link?.origin !== "https://id.gs1.org") return null;
  for (const pattern of LOTS) {
    const [, gtin, lot] = pattern.exec(link.pathname) ?? [];
    if (gtin) return { path: `/ledger/lots/${gtin}/${lot}/proof`, lot: `https://id.gs1.org/01/${gtin}/10/${lot}` };
  }
  const [, index] = /^\/ledger\/(?:entries|lines)\/([0-9]{1,15})(?:\/receipt)?$/.exec(link.pathname) ?? [];
  return index ? { path: `/ledger/entries/${index}/receipt`, index: Number(index) } : null;
}

function linked(told) {
  try {
    return new URL(told, location.origin);
  } catch {
    return null;
  }
}

/** @param {(asked: object) => Promise<import("./prove.js").Proven>} does */
async function check(does) {
  const turn = ++running;
  result.replaceChildren(element("p", words.say("label", "working")));
  result.hidden = false;
  const proven = await does({ own: own.value.trim(), rotations });
  if (turn === running) show(proven);
}

function checkText(told) {
  const link = addressed(told.trim());
  const isDocument = told.startsWith(HEADER) || told.startsWith("{");
  return check((asked) => (link && !isDocument ? proveAt(link.path, { ...asked, ...link }) : prove(told, asked)));
}

function checkFile(chosen) {
  text.value = "";
  return check((asked) => proveFile(chosen, asked));
}

function show(proven) {
  const about = facts(proven);
  const offer = proven.newPolicy ? policyOffer(proven.newPolicy) : null;
  result.replaceChildren(...[card(words, proven), strand(words, proven), about, offer].filter(Boolean));
  result.dataset.verdict = proven.verdict;
  result.firstElementChild.focus();
  showTrust();
}

/** What the document is about, once it is proven. */
function facts({ verdict, found }) {
  if (verdict !== "whole") return null;
  const about = ({ links }) => links.some(({ batch }) => found.batches.includes(batch));
  const records = found.lines ? found.lines.filter(about) : [found];
  const times = records.map((line) => line.record.recordedAt).filter((time) => typeof time === "string").sort();
  const shown = {
    about: found.lot ?? words.say("type", String(found.record.type)),
    index: found.lot ? undefined : found.index,
    entries: found.lot ? found.lines.length : undefined,
    ancestors: found.lot ? found.batches.length - 1 : undefined,
    first: found.lot ? moment(times[0]) : undefined,
    last: moment(times.at(-1)),
    size: found.head.size,
    signer: found.record ? words.say("signer", "device" in found.record ? "device" : "custodian") : undefined,
  };
  const list = words.part("facts");
  for (const row of list.querySelectorAll("[data-fact]")) {
    const value = shown[row.dataset.fact];
    if (value === undefined || value === "") row.remove();
    else row.querySelector("dd").textContent = typeof value === "number" ? words.numbers.format(value) : value;
  }
  return list;
}

function moment(told) {
  const time = Date.parse(told ?? "");
  return Number.isNaN(time) ? "" : words.times.format(time);
}

function policyOffer(policy) {
  const offer = words.part("policy");
  offer.querySelector("pre").textContent = policy;
  offer.querySelector("button").addEventListener("click", () => {
    accept(policy);
    offer.remove();
    showTrust();
  });
  return offer;
}

function showTrust() {
  const known = remembered();
  const place = document.getElementById("known");
  place.hidden = !known;
  if (!known) return;
  place.querySelector("p").textContent = words.say("label", "known", { since: known.since / 1000 });
  place.querySelector("pre").textContent = `${known.keys.join("\n")}\n\n${known.policy}`;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (text.value.trim()) checkText(text.value);
  else file.click();
});
file.addEventListener("change", () => file.files[0] && checkFile(file.files[0]));
for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
document.addEventListener("drop", ({ dataTransfer }) => dataTransfer.files[0] && checkFile(dataTransfer.files[0]));
document.getElementById("forget").addEventListener("click", () => {
  forget();
  showTrust();
});

document.getElementById("without").hidden = true;
form.hidden = false;
showTrust();
const of = new URLSearchParams(location.search).get("of");
if (of) {
  text.value = of;
  checkText(of);
}
navigator.serviceWorker?.register("/verify/sw.js", { scope: "/verify" }).catch(() => {});
