// The form of a stage, signed by this phone where its key is enrolled. Without this the custodian signs, and the form
// says so. The server makes the claim from the form, the phone signs it, and the form then goes as it always did.

import { keyOf, sign } from "./device.js";

const form = document.getElementById("record");
const [byCustodian, byPhone, offline] = ["by-custodian", "by-phone", "offline"].map((id) => document.getElementById(id));
const { owner, log, keys } = form?.dataset ?? {};

class NoNetwork extends Error {}

/** Add a hidden field that the server knows not to have been typed. */
function put(name, value) {
  const field = Object.assign(document.createElement("input"), { type: "hidden", name, value });
  field.dataset.signed = "";
  form.append(field);
}

/** What the server would write down of this form; null when it has something to say about it first. */
async function claimed() {
  const body = new FormData(form);
  body.set("claim", "1");
  try {
    const answer = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" }, body });
    return answer.ok ? await answer.json() : null;
  } catch {
    throw new NoNetwork();
  }
}

async function send(key) {
  // A page that was gone back to still has the fields of the last time.
  for (const old of form.querySelectorAll("[data-signed]")) old.remove();
  const told = await claimed();
  if (told === null) {
    // Asked again as a page: the form comes back with what is wrong beside its field, and nothing is written.
    put("claim", "1");
  } else {
    const { claim, device } = await sign(key, log, told.claim, told.note);
    put("device_claim", JSON.stringify(claim));
    // They went with the question, and the claim names them.
    form.elements.photos_kept.value = told.photos_kept;
    form.elements.photos.value = "";
    for (const [name, value] of Object.entries(device)) put(`device_${name}`, value);
  }
  form.submit();
}

/** Say who will sign. */
function say(phone) {
  byCustodian.hidden = phone;
  byPhone.hidden = !phone;
}

async function start() {
  const key = await keyOf(owner);
  if (!key || !keys.split(" ").includes(key.key)) return;
  let busy = false;
  say(true);
  form.addEventListener("submit", async (event) => {
    if (byPhone.hidden) return;
    event.preventDefault();
    if (busy) return;
    busy = true;
    offline.hidden = true;
    try {
      await send(key);
    } catch (error) {
      if (error instanceof NoNetwork) offline.hidden = false;
      // The key cannot sign after all; the next press leaves it to the custodian, and the form says so now.
      else say(false);
    }
    busy = false;
  });
}

if (form) start();
