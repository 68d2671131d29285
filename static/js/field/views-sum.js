// The last screen of a flow: everything once more as pictures, photos from the camera, and the one button that keeps it.

import * as camera from "./camera.js";
import { StoreFull, Unable } from "./engine.js";
import { amount, capital, choice, h, icon, kg, number, picture, say, text, unitOf, units, when } from "./show.js";
import { findingWords, trouble } from "./views-ask.js";
import { materialOf, materialOfBatch } from "./views-flow.js";

/** What was answered, for one last look. */
export function summary(app, work) {
  const { flow } = work;
  const alert = h("div", {});
  const button = { words: say(flow.repair ? "mend-save" : "save"), go: () => keep(app, work, alert) };
  const wrong = work.refusals.map((one) => findingWords(work, one));
  if (wrong.length) alert.append(trouble(wrong));
  return {
    title: say("sum"), sound: "sum", spoken: spoken(work), act: button,
    body: [alert, h("ul", { class: "rows" }, rows(work)), flow.repair ? null : photos(app, work), h("ul", { class: "rows" }, tail(work))],
  };
}

/** The photo's place is asked about once, before the first. */
export function askPlace(app) {
  const answer = (given) => {
    camera.setConsent(given);
    history.back();
  };
  return {
    title: say("ask-place"), sound: "ask-place", spoken: say("place-why"),
    body: [h("p", {}, say("place-why")), h("ul", { class: "choices large" },
      choice({ words: say("place-yes"), drawn: "good", voice: app.voice, sound: "place-yes", go: () => answer("yes") }),
      choice({ words: say("place-no"), drawn: "poor", voice: app.voice, sound: "place-no", go: () => answer("no") }))],
  };
}

async function keep(app, work, alert) {
  try {
    if (work.flow.repair) await app.mend(work);
    else await app.save(work);
  } catch (error) {
    alert.replaceChildren(trouble([say(reasonOf(error, work))]));
    alert.scrollIntoView({ block: "nearest" });
  }
}

function reasonOf(error, work) {
  if (error instanceof StoreFull) return "store-full";
  if (error instanceof Unable) return "key-unable";
  return work.flow.repair ? "mend-failed" : "not-kept";
}

/** One line: a drawing, what it is, its value large, and the way to change it. */
function row(drawn, name, value, step) {
  return h("li", {}, picture(drawn, 48), h("span", { class: "row-words" }, h("small", {}, name), h("b", {}, value)),
    step && h("a", { href: `#/log/${step}`, class: "change", "aria-label": `${say("change")}: ${name}` }, say("change")));
}

function rows(work) {
  const { flow, kind, stage, process } = work;
  const only = flow.repair?.how;
  const found = [];
  const looking = ["observe", "inspect"].includes(kind);
  for (const { batch, value, unit } of work.takes) {
    const material = materialOfBatch(work.pack, batch);
    const named = { lose: "sum-lost", dispatch: "sum-sent", case: "sum-cased" }[kind] ?? "sum-takes";
    const words = looking ? capital(text(material.name)) : `${amount(value, unit)} ${text(material.name)}`;
    const change = { merge: "which", split: null }[kind];
    const step = looking || only === "reason" || only === "time" ? null : change === undefined ? (work.usable.length > 1 && !only ? "takes" : "take") : change;
    found.push(row(material.picture, looking ? batch.lot : say(named), words, step));
  }
  if (only === "reason" || only === "time") return found;
  found.push(...made(work));
  if (kind === "inspect" && !only) found.push(row(flow.passed === false ? "poor" : "good", say("sum-result"), say(flow.passed === false ? "failed" : "passed"), "passed"));
  if (!only) {
    for (const need of stage.readings) {
      const value = flow.readings[need.type];
      if (value) found.push(row("scales", capital(text(need.name)), `${number(Number(value))}\u00a0${unitOf(need.unit)}`, `reading:${need.type}`));
    }
    if (kind === "lose") {
      const reason = stage.reasons.find((one) => one.key === flow.reason);
      if (reason) found.push(row(reason.picture, say("sum-reason"), text(reason.name), "reason"));
    }
    if (kind === "buy") {
      found.push(row("buy", say("sum-origin"), flow.origin, "origin"));
    }
    if (flow.value) found.push(row("money", say("sum-price"), `${number(flow.value)}\u00a0đ`, "price"));
  }
  for (const { material } of work.byproducts.filter((one) => flow.byproducts[one.material] > 0)) {
    found.push(row(materialOf(process, material).picture, capital(text(materialOf(process, material).name)), kg(flow.byproducts[material]), `byproduct:${material}`));
  }
  return found;
}

function made(work) {
  const { flow, kind, stage, process, product } = work;
  if (flow.repair) {
    const drawn = stage.output ? materialOf(process, stage.output).picture : stage.picture;
    return flow.made === null ? [] : [row(drawn, say("sum-makes"), flow.givenOut[0].units ? units(flow.made) : kg(flow.made), "made")];
  }
  if (kind === "split") return [row("split", say("sum-makes"), [...flow.parts, work.rest].map(kg).join(" + "), "parts")];
  if (kind === "merge") return [row("merge", say("sum-makes"), kg(flow.made ?? work.taken), "made")];
  if (flow.made === null || !stage.output) return [];
  const material = materialOf(process, stage.output);
  const shown = kind === "pack" ? `${units(flow.made)}${product?.net_grams ? ` × ${kg(product.net_grams)}` : ""}` : `${kg(flow.made)} ${text(material.name)}`;
  return [row(material.picture, say("sum-makes"), shown, "made")];
}

function tail(work) {
  const { flow } = work;
  const site = work.sites.find((one) => one.gln === work.site);
  const fixed = flow.repair;
  return [
    flow.note || !fixed ? row("pencil", say("sum-note"), flow.note || say("sum-none"), fixed ? null : flow.why === null ? "note" : "why") : null,
    row("clock", say("sum-when"), flow.at === null && Date.now() - work.at < 60_000 ? say("now") : when(work.at), fixed && fixed.how !== "time" ? null : "when"),
    site && row("house", say("sum-site"), site.name, fixed || work.sites.length < 2 ? null : "site"),
  ];
}

const spoken = (work) => [text(work.stage.name), ...rows(work).slice(0, 3).filter(Boolean).map((one) => one.querySelector("b").textContent)].join(". ");

function photos(app, work) {
  const { flow } = work;
  const told = h("p", { class: "hint", role: "status" });
  const list = h("ul", { class: "photos" });
  const add = h("button", { type: "button", class: "photo-add", onclick: () => take(app, work, told, show) }, picture("camera", 48), h("span", {}));
  const show = () => {
    list.replaceChildren(...flow.photos.map((photo, index) => shown(photo, index, () => {
      flow.photos = flow.photos.filter((one) => one !== photo);
      app.keep();
      show();
      add.focus();
    })));
    add.lastChild.textContent = say(flow.photos.length ? "photo-more" : "photo");
    add.hidden = flow.photos.length >= camera.MOST;
  };
  show();
  return h("div", { class: "photo-part" }, list, add, told);
}

function shown(photo, index, drop) {
  const canvas = h("canvas", { width: 96, height: 96, role: "img", "aria-label": say("photo-of", { number: index + 1 }) });
  createImageBitmap(photo).then((bitmap) => {
    const side = Math.min(bitmap.width, bitmap.height);
    canvas.getContext("2d").drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, 96, 96);
    bitmap.close();
  }).catch(() => {});
  return h("li", {}, canvas, h("button", { type: "button", class: "drop", "aria-label": say("photo-drop", { number: index + 1 }), onclick: drop }, icon("cross")));
}

async function take(app, work, told, show) {
  const { flow } = work;
  if (camera.consent() === null) return app.go("#/place");
  // A small phone may end the browser while its camera is open: what is answered so far is kept first.
  await app.keep();
  const file = await camera.shoot();
  if (!file) return undefined;
  told.textContent = say("photo-wait");
  try {
    flow.photos = [...flow.photos, await camera.shrink(file)];
    told.textContent = "";
  } catch {
    told.textContent = say("photo-bad");
  }
  await app.keep();
  show();
  flow.place ??= await camera.place();
  return undefined;
}
