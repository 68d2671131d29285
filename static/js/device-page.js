// A member's page about her phones: shows how this one stands, and makes its key. Without it the page says so.

import { able, enrol, fingerprint, keyOf, makeKey } from "./device.js";

const here = document.getElementById("here");
const trouble = document.getElementById("trouble");
const { owner, log } = here.dataset;

/** Show the one part of the page that fits. */
function show(part, key = "") {
  for (const one of here.querySelectorAll("[data-show]")) one.hidden = one.dataset.show !== part;
  for (const one of here.querySelectorAll("[data-fingerprint]")) one.textContent = key && fingerprint(key);
}

function tell(text) {
  trouble.textContent = text;
  trouble.hidden = false;
}

/** Ask the office for a key; the server's own words when it says no. */
async function ask(key, label) {
  const answer = await fetch("/api/devices", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Accept-Language": document.documentElement.lang },
    body: JSON.stringify({ ...(await enrol(key, log)), label }),
  });
  if (answer.ok) location.reload();
  else tell((await answer.json()).detail);
}

async function make(event) {
  event.preventDefault();
  const button = event.target.querySelector("button");
  button.disabled = true;
  trouble.hidden = true;
  try {
    const kept = await keyOf(owner);
    // A key whose request never arrived is asked for again, rather than a new one made.
    const unknown = kept && !rowOf(kept.key);
    await ask(unknown ? kept : await makeKey(owner), event.target.querySelector("input").value);
  } catch (error) {
    if (error instanceof TypeError) tell(here.querySelector("[data-say=offline]").textContent);
    else show("unable");
  }
  button.disabled = false;
}

const rowOf = (key) => document.querySelector(`[data-key="${CSS.escape(key)}"]`);

async function start() {
  if (!able()) return show("unable");
  const kept = await keyOf(owner);
  const row = kept && rowOf(kept.key);
  if (!row) return show("none");
  row.querySelector("[data-here]").hidden = false;
  const { state } = row.dataset;
  return show(["pending", "enrolled"].includes(state) ? state : "ended", kept.key);
}

for (const form of here.querySelectorAll("form")) form.addEventListener("submit", make);
start().catch(() => show("unable"));
