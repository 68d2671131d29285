// On the public page of a livestream: this browser computes every hash of its log anew, and asks the ledger whether
// it names the same last one. Rules: docs/formats.md, "A livestream's log".

import { ask } from "./asking.js";
import { checkLivestreamLog } from "./proof/livestream-log.js";
import { CannotCheck } from "./proof/encoding.js";
import { proveAt } from "./prove.js";
import { element } from "./show.js";

/** A long evening has tens of thousands of comments. */
const BOUNDS = { most: 64 * 1024 * 1024, patience: 120_000 };
const section = document.getElementById("check");
const [button, place] = [section.querySelector("button"), section.querySelector("[role=status]")];
const rotations = section.dataset.rotations.split(" ").filter(Boolean).map(Number);
const numbers = new Intl.NumberFormat(document.documentElement.lang);

/** @param {string} name @param {Record<string, number>} [detail] @param {string} [kind] */
function say(name, detail = {}, kind = "info") {
  const told = section.querySelector(`[data-said="${name}"]`).textContent;
  const box = element("div", "", `message ${kind}`);
  box.append(element("p", told.replace(/%\((\w+)\)s/g, (_, key) => numbers.format(detail[key] ?? 0))));
  place.replaceChildren(box);
  place.dataset.said = name;
}

/** What the ledger's own entry says, once its receipt holds; null when it could not be asked. */
async function anchored(index) {
  const { verdict, checks, found } = await proveAt(`/ledger/entries/${index}/receipt`, { index, rotations });
  if (verdict === "cut") return {};
  const inTree = checks.some(({ step, held }) => step === "inclusion" && held === true);
  return inTree && found.record ? found.record : null;
}

async function check() {
  say("working");
  let text;
  try {
    text = await ask(section.dataset.order, BOUNDS);
  } catch {
    return say("failed", {}, "warning");
  }
  try {
    const found = await checkLivestreamLog(text, anchored);
    if (found.fault) return say(found.fault, found, "recall");
    say(found.unasked ? "unasked" : found.anchors ? "whole" : "loose", found, found.unasked || !found.anchors ? "info" : "done");
  } catch (error) {
    if (!(error instanceof CannotCheck)) throw error;
    say("no-crypto", {}, "warning");
  }
}

button.hidden = false;
button.addEventListener("click", check);
