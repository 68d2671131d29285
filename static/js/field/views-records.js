// What this phone has logged: where each record is on its way, and how one that is stuck is mended.

import { choice, h, number, picture, say, sayFinding, when } from "./show.js";
import { recordWords } from "./views-home.js";
import { stageOf } from "./views-flow.js";

const DRAWN = { amount: "scales", reason: "pencil", time: "clock", resign: "phone-offline", drop: "bin" };
const DROPS = [["drop-mistake", "pencil"], ["drop-twice", "pair"], ["drop-never", "poor"]];

/** Why a record needs help: the server's own sentence, or ours where the phone found it out. */
export function problemWords({ problem }) {
  if (problem?.detail) return problem.detail;
  const slug = problem?.slug ?? "";
  const kind = ["receipt", "device"].find((one) => slug.startsWith(`${one}-`));
  return sayFinding(kind ?? slug);
}

/** The state by shape, word and colour. */
export const badge = (state) => h("span", { class: `state ${state}` }, say(`state-${state}`));

export function records(app) {
  const { records: all, counts, online } = app.engine.state;
  const waiting = counts.waiting > 0 && online;
  return {
    place: "records", title: say("records"), sound: "records", body: [
      waiting ? h("button", { type: "button", class: "quiet wide", "data-key": "send", onclick: () => app.engine.send() }, say("send-now")) : null,
      all.length ? null : h("p", { class: "empty" }, picture("proof", 96), say("records-none")),
      h("ul", { class: "records" }, [...all].sort(helpFirst).map((one) => line(app, one))),
    ],
  };
}

const helpFirst = (a, b) => (b.state === "help") - (a.state === "help");

function line(app, record) {
  const stage = app.engine.state.pack && stageOf(app.engine.state.pack, record.draft);
  return h("li", {}, h("a", { href: `#/record/${record.id}`, class: `record ${record.state}`, "data-key": record.id },
    picture(stage?.picture ?? "proof", 56),
    h("span", { class: "record-words" }, h("b", {}, recordWords(app, record)), h("small", {}, when(record.at)), badge(record.state),
      record.state === "help" ? h("span", { class: "problem" }, problemWords(record)) : null,
      record.behind && record.state === "waiting" ? h("small", {}, say("behind")) : null,
      travelling(record))));
}

function travelling(record) {
  const photos = record.draft.photos ?? [];
  const done = photos.filter((one) => one.done).length;
  const stuck = photos.find((one) => one.problem);
  if (stuck) return h("span", { class: "problem" }, stuck.problem.detail || say("photo-stuck"));
  return done < photos.length ? h("small", {}, say("photos-left", { done, all: photos.length })) : null;
}

export function record(app, id) {
  const one = app.engine.state.records.find((it) => it.id === id);
  if (!one) return { title: say("records"), back: true, body: [h("p", { class: "empty" }, say("no-record"))] };
  const stage = app.engine.state.pack && stageOf(app.engine.state.pack, one.draft);
  const stuck = one.state === "help";
  const offers = stuck ? app.engine.offers(one) : [];
  return {
    title: recordWords(app, one), back: true, spoken: stuck ? problemWords(one) : say(`state-${one.state}`), body: [
      h("div", { class: "one" }, picture(stage?.picture ?? "proof", 120), h("p", {}, badge(one.state)),
        h("p", { class: "lot-code" }, [when(one.at), ...(one.lots ?? [])].join(" · "))),
      one.entry ? h("p", {}, h("a", { class: "proof", href: `/ledger/lines/${one.entry.index}` }, say("entry", { index: number(one.entry.index) }))) : null,
      travelling(one) && h("p", {}, travelling(one)),
      stuck ? h("p", { class: "trouble" }, problemWords(one)) : null,
      offers.length ? h("h2", {}, say("mend")) : null,
      h("ul", { class: "choices" }, offers.map((how) => choice({
        words: say(`mend-${how}`), drawn: DRAWN[how] ?? "help", voice: app.voice, sound: `mend-${how}`, go: () => app.startMending(one, how),
      }))),
      stuck ? h("p", { class: "hint" }, say("ask-office", { code: one.id.slice(-6).toUpperCase() })) : null,
      one.state === "waiting" && !one.tried ? h("button", { type: "button", class: "quiet wide", onclick: () => app.undo(one.id) }, say("undo")) : null,
    ],
  };
}

/** A record is given up only with a reason, which the phone remembers. */
export function drop(app, id) {
  const rows = DROPS.map(([name, drawn]) => choice({ words: say(name), drawn, voice: app.voice, sound: name, go: () => app.dropRecord(id, say(name)) }));
  return { title: say("ask-drop"), sound: "ask-drop", spoken: say("drop-sure"), back: true, body: [h("p", { class: "doubt" }, say("drop-sure")), h("ul", { class: "choices" }, rows)] };
}
