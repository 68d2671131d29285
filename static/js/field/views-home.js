// The house: batches as pictures, each with its one next step; what else can be done; where a new batch begins.

import { amount, capital, choice, h, kilograms, leftOf, miniStrand, number, picture, say, text, textBeside } from "./show.js";
import { materialOf, processOf, stageOf, way } from "./views-flow.js";

const OTHER = ["split", "merge", "lose"];
const READ = 4;
const NEVER = ["uncase"];

/** The address under which a stage of a batch is logged. */
export const startOf = (batch, stage) => `#/new/${batch.process}/${batch.version}/${stage.key}/${encodeURIComponent(batch.epc)}`;

const held = (batch) => Boolean(batch.hold) && batch.hold !== "none";
const steps = (app, batch) => app.engine.nextFor(batch).filter((one) => ![...OTHER, ...NEVER].includes(one.kind));

export function home(app) {
  const { state } = app.engine;
  if (!state.pack) return stranger(app);
  const mine = state.batches.filter((one) => leftOf(one, unitOf(state.pack, one)) > 0);
  const begins = state.beginnings.filter(({ stage }) => stage.kind === "commission");
  return {
    place: "home", title: say("home"), sound: "home", spoken: mine.slice(0, READ).map((one) => aloud(app, one)).join(". "), body: [
      undo(app), half(app), signIn(app), unsigned(app),
      mine.length ? h("ul", { class: "lots", "aria-label": say("mine") }, mine.map((one) => lot(app, one))) : h("p", { class: "empty" }, picture("house", 96), say("nothing")),
      h("h2", {}, say("begin")),
      h("ul", { class: "tiles" }, begins.map(({ process, stage }) => h("li", {},
        h("a", { class: "tile", href: `#/new/${process.key}/${process.version}/${stage.key}`, "data-key": `begin-${process.key}` },
          picture(stage.picture, 72), h("b", {}, textBeside(stage.name)), h("small", {}, text(process.name)))))),
    ],
  };
}

/** One batch: its picture, the kilograms, how far it is, and the one big next step. */
function lot(app, batch) {
  const { pack } = app.engine.state;
  const process = processOf(pack, batch);
  const material = materialOf(process, batch.material);
  const [next] = steps(app, batch);
  return h("li", { class: "lot" },
    h("a", { class: "lot-head", href: `#/batch/${encodeURIComponent(batch.epc)}`, "data-key": batch.epc },
      picture(material.picture, 88),
      h("span", { class: "lot-words" }, figure(batch, material.unit), h("span", {}, textBeside(material.name)),
        h("small", { class: "lot-code" }, batch.lot, batch.pending ? ` · ${say("in-phone")}` : ""))),
    h("div", { class: "lot-way" }, miniStrand(...way(process, batch.material))),
    held(batch)
      ? h("p", { class: "held" }, say(batch.hold === "recalled" ? "recalled" : "on-hold"))
      : next && h("a", { class: "button next", href: startOf(batch, next), "data-key": `next-${batch.epc}` }, picture(next.picture, 48), h("span", {}, textBeside(next.name))));
}

/** A batch and its next step in one sentence, for the loudspeaker. */
function aloud(app, batch) {
  const material = materialOf(processOf(app.engine.state.pack, batch), batch.material);
  const [next] = held(batch) ? [] : steps(app, batch);
  return [`${amount(leftOf(batch, material.unit), material.unit)} ${text(material.name)}`, next && text(next.name)].filter(Boolean).join(", ");
}

const figure = (batch, unit) => h("b", { class: "kilos" },
  unit === "packs" ? number(batch.left_units) : kilograms(batch.left_grams), " ", h("small", {}, unit === "packs" ? say("packs") : "kg"));

const unitOf = (pack, batch) => materialOf(processOf(pack, batch), batch.material).unit;

/** What was kept a moment ago and is not yet on its way can be taken back. */
export function undo(app) {
  const record = app.engine.state.records.find((one) => one.id === app.latest && one.state === "waiting" && !one.tried);
  if (!record) return null;
  const stage = stageOf(app.engine.state.pack, record.draft);
  return h("div", { class: "undo" }, picture(stage?.picture ?? "proof", 48),
    h("p", {}, h("small", {}, say("just-kept")), h("b", {}, recordWords(app, record))),
    h("button", { type: "button", class: "quiet", "data-key": "undo", onclick: () => app.undo(record.id) }, say("undo")));
}

/** A record in a few words: `Phơi miến: 165 kg`. */
export function recordWords(app, record) {
  const { pack } = app.engine.state;
  const stage = pack && stageOf(pack, record.draft);
  const one = record.draft.outputs[0] ?? record.draft.inputs[0] ?? {};
  const what = one.units ? amount(one.units, "packs") : one.grams ? amount(one.grams) : "";
  return [stage ? text(stage.name) : record.draft.stage, what].filter(Boolean).join(": ");
}

function half(app) {
  const stage = app.flow && stageOf(app.engine.state.pack, app.flow);
  if (!stage) return null;
  return h("section", { class: "card half" },
    h("div", { class: "half-words" }, picture(stage.picture, 56), h("p", {}, h("small", {}, say("half")), h("b", {}, text(stage.name)))),
    h("div", { class: "pair" }, h("button", { type: "button", class: "quiet", "data-key": "throw", onclick: () => app.drop() }, say("throw")),
      h("a", { class: "button", href: "#/log/on", "data-key": "go-on" }, say("go-on"))));
}

function signIn(app) {
  if (app.engine.state.signedIn) return null;
  return h("div", { class: "card doubt" }, h("p", {}, say("sign-in-again")), h("a", { class: "button wide", href: "/sign-in?next=/field" }, say("sign-in")));
}

/** Without a key that the office knows, nothing of what is logged can leave the phone. */
function unsigned(app) {
  const { key, signedIn } = app.engine.state;
  if (!signedIn || ["enrolled", "making"].includes(key)) return null;
  return h("div", { class: "card doubt" }, h("p", {}, say(key === "pending" ? "key-waits" : `key-${key}`)), h("a", { class: "button quiet wide", href: "#/phone" }, say("key-look")));
}

/** A phone on which nobody was yet. */
function stranger(app) {
  const { online, signedIn } = app.engine.state;
  const first = online && !signedIn;
  // Nothing is known yet, and nobody has said no: the first answer is on its way.
  if (online && signedIn) return { title: say("home"), body: [h("p", { class: "opening" }, say("opening"))] };
  return {
    title: say("home"), body: [h("div", { class: "empty" }, picture(first ? "people" : "phone-offline", 120), h("p", {}, say(first ? "sign-in-first" : "first-offline")))],
    act: first ? { words: say("sign-in"), href: "/sign-in?next=/field" } : { words: say("try-again"), go: () => app.engine.refresh() },
  };
}

/** A batch by itself, with everything that can be done with it. */
export function batch(app, epc) {
  const { pack, batches } = app.engine.state;
  const one = batches.find((it) => it.epc === epc);
  if (!one) return { title: say("mine"), back: true, body: [h("p", { class: "empty" }, say("no-batch"))] };
  const process = processOf(pack, one);
  const material = materialOf(process, one.material);
  const row = (stage) => choice({ words: textBeside(stage.name)[0], drawn: stage.picture, voice: app.voice, sound: `stage-${stage.key}`, href: startOf(one, stage) });
  const [next, ...more] = steps(app, one);
  const besides = [...more, ...app.engine.nextFor(one).filter((stage) => OTHER.includes(stage.kind))];
  return {
    title: capital(text(material.name)), sound: `material-${material.key}`, back: true, body: [
      h("div", { class: "one" }, picture(material.picture, 120), h("p", {}, figure(one, material.unit), h("small", { class: "lot-code" }, one.lot)),
        miniStrand(...way(process, one.material))),
      held(one) ? h("p", { class: "held" }, say(one.hold === "recalled" ? "recalled" : "on-hold")) : null,
      next ? h("ul", { class: "choices first", "aria-label": say("next-step") }, row(next)) : null,
      besides.length ? h("h2", {}, say("more-steps")) : null,
      h("ul", { class: "choices" }, besides.map(row)),
    ],
  };
}

/** The kinds of work that no batch asks for by itself. */
export function more(app) {
  const { pack } = app.engine.state;
  if (!pack) return stranger(app);
  const kinds = [...OTHER, "buy"].filter((kind) => pack.processes.some((one) => one.newest && one.stages.some((stage) => stage.kind === kind)));
  return {
    place: "more", title: say("more"), sound: "more", body: [
      kinds.length ? null : h("p", { class: "empty" }, say("more-none")),
      h("ul", { class: "choices large" }, kinds.map((kind) => choice({ words: say(`kind-${kind}`), drawn: kind, voice: app.voice, sound: `kind-${kind}`, href: `#/pick/${kind}` }))),
      h("p", {}, h("a", { href: "/batches", class: "button quiet wide" }, say("other-pages"))),
    ],
  };
}

/** Which batch, or for a purchase of what. */
export function pick(app, kind) {
  const { pack, batches } = app.engine.state;
  if (!pack) return stranger(app);
  const rows = kind === "buy"
    ? pack.processes.filter((one) => one.newest).flatMap((process) => process.stages.filter((one) => one.kind === "buy").map((stage) => choice({
      words: text(stage.name), more: text(process.name), drawn: stage.picture, voice: app.voice, sound: `stage-${stage.key}`, href: `#/new/${process.key}/${process.version}/${stage.key}`,
    })))
    : batches.filter((one) => !held(one) && leftOf(one, unitOf(pack, one)) > 0).flatMap((one) => {
      const process = processOf(pack, one);
      const stage = process.stages.find((it) => it.kind === kind && it.inputs.includes(one.material));
      const material = materialOf(process, one.material);
      return stage ? [choice({ words: `${amount(leftOf(one, material.unit), material.unit)} ${text(material.name)}`, more: one.lot, drawn: material.picture, voice: app.voice, href: startOf(one, stage) })] : [];
    });
  return {
    title: kind === "buy" ? say("kind-buy") : say("pick"), sound: kind === "buy" ? "kind-buy" : "pick", back: true,
    body: [rows.length ? h("ul", { class: "choices" }, rows) : h("p", { class: "empty" }, say("pick-none"))],
  };
}
