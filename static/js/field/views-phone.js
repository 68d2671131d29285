// This phone: who uses it, its key and the digits to compare, its voice, its room and its clock.

import { fingerprint, keyOf } from "../device.js";
import * as camera from "./camera.js";
import { h, number, picture, say, soundTongues } from "./show.js";

const ASKABLE = ["none", "refused", "revoked", "lost"];
const GOOD = ["enrolled"];

export function phone(app) {
  const { state } = app.engine;
  const { me } = state;
  return {
    place: "phone", title: say("phone"), sound: "phone", body: [
      me ? h("p", { class: "lead" }, say("of", { name: me.name, household: me.household?.name ?? "" })) : null,
      state.signedIn ? null : part("people", say("sign-in"), "doubt", h("p", {}, say(state.pack ? "sign-in-again" : "sign-in-first")),
        h("a", { class: "button wide", href: "/sign-in?next=/field" }, say("sign-in"))),
      state.update ? part("good", say("update-name"), "doubt", h("p", {}, say("update"))) : null,
      state.others ? part("people", say("others"), "doubt", h("p", {}, say("others-more", { count: number(state.others) }))) : null,
      me ? keyPart(app) : null,
      state.clockOff ? part("clock", say("clock"), "doubt", h("p", {}, say(state.clockOff > 0 ? "clock-fast" : "clock-slow", { time: span(Math.abs(state.clockOff)) })))
        : part("clock", say("clock"), "fine", h("p", {}, say("clock-fine"))),
      part("stock", say("storage"), { ok: "fine", low: "doubt", full: "bad" }[state.storage], h("p", {}, say(`storage-${state.storage}`))),
      voicePart(app),
      placePart(app),
    ],
  };
}

/** One thing about the phone; `how` it is shows by shape and colour. */
function part(drawn, name, how, ...more) {
  return h("section", { class: `part ${how}` }, picture(drawn, 56), h("div", {}, h("h2", {}, name), more));
}

function keyPart(app) {
  const { key, me } = app.engine.state;
  const digits = h("p", { class: "digits" });
  if (["pending", "enrolled"].includes(key)) {
    keyOf(me.id).then((own) => own && digits.replaceChildren(h("small", {}, say("key-digits")), h("b", {}, fingerprint(own.key)))).catch(() => {});
  }
  const label = h("input", { id: "label", maxlength: 60, value: say("key-name", { name: me.name }), autocomplete: "off" });
  const ask = async (event) => {
    event.preventDefault();
    const button = event.target.querySelector("button");
    button.disabled = true;
    try {
      await app.engine.enrol(label.value.trim() || say("key-name", { name: me.name }));
      if (ASKABLE.includes(app.engine.state.key)) app.say(say("key-failed"));
    } catch (error) {
      app.say(error.detail ?? say("key-failed"));
    }
    button.disabled = false;
  };
  const form = ASKABLE.includes(key) ? h("form", { onsubmit: ask }, h("div", { class: "field" }, h("label", { for: "label" }, say("key-label")), label),
    h("button", { class: "wide", "data-key": "enrol" }, say("key-ask"))) : null;
  return part("seal", say("key"), GOOD.includes(key) ? "fine" : key === "unable" || ASKABLE.includes(key) ? "bad" : "doubt", h("p", {}, say(`key-${key}`)), digits, form);
}

function voicePart(app) {
  const { voice } = app;
  const turn = () => { voice.on = !voice.on; app.redraw(); };
  const tongues = [...new Set(["vi", ...given(app.engine.state.pack), ...soundTongues()])];
  const choose = tongues.length > 1 ? h("div", { class: "field" }, h("label", { for: "tongue" }, say("tongue")),
    h("select", { id: "tongue", onchange: (event) => { voice.tongue = event.target.value; app.redraw(); } },
      tongues.map((tag) => h("option", { value: tag, selected: voice.tongue === tag }, say(`tongue-${tag}`))))) : null;
  return part("voice", say("voice"), "plain", h("p", {}, say(voice.on ? (voice.able ? "voice-on" : "voice-none") : "voice-off")),
    h("button", { type: "button", class: "quiet wide", "data-key": "voice", onclick: turn }, say(voice.on ? "voice-turn-off" : "voice-turn-on")), choose);
}

function placePart(app) {
  const now = camera.consent();
  const turn = (answer) => { camera.setConsent(answer); app.redraw(); };
  return part("camera", say("place"), "plain", h("p", {}, say(`place-is-${now ?? "unasked"}`)),
    now ? h("button", { type: "button", class: "quiet wide", "data-key": "place", onclick: () => turn(now === "yes" ? "no" : "yes") }, say(now === "yes" ? "place-no" : "place-yes")) : null);
}

/** The languages in which the process files give words, besides Vietnamese and English. */
function given(pack) {
  const named = (pack?.processes ?? []).flatMap((one) => [one.name, ...one.materials.map((it) => it.name), ...one.stages.flatMap((it) => [it.name, it.ask])]);
  return named.flatMap((one) => Object.keys(one)).filter((tag) => !["vi", "en"].includes(tag));
}

function span(seconds) {
  if (seconds >= 172_800) return say("days", { count: number(Math.round(seconds / 86_400)) });
  if (seconds >= 7200) return say("hours", { count: number(Math.round(seconds / 3600)) });
  return say("minutes", { count: number(Math.max(1, Math.round(seconds / 60))) });
}
