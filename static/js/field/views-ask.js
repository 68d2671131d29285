// The questions of a flow, one a screen. Each gives {sound, title, body, act}; the answer goes on to the next question.

import { grouped, pad, typedOf, valueOf } from "./pad.js";
import {
  amount, capital, choice, h, kg, kilograms, leftOf, number, picture, say, sayFinding, text, unitOf, units, when,
} from "./show.js";
import { lastAmount, materialOf, materialOfBatch } from "./views-flow.js";

const WEIGHTS = ["grams", "in", "out", "before", "after", "packed", "lost", "net"];
const SHARES = ["low", "high", "share", "most"];

/** Which screen asks `step`, such as "made" or "reading:Moisture". */
export function question(app, work, step) {
  const [name, of] = step.split(/:(.*)/);
  return (SCREENS[name] ?? SCREENS.made)(app, work, of, step);
}

/** A finding in words, its figures as people read them. */
export function findingWords(work, { slug, params }) {
  const shown = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, figure(work, slug, name, value, params)]));
  return sayFinding(slug, shown);
}

function figure(work, slug, name, value, params) {
  if (["material", "origin"].includes(name)) return text(materialOf(work.process, value)?.name ?? { vi: value });
  if (name === "made" || name === "when") return when(value);
  if (slug === "not-enough-left" && name !== "lot") return amount(value, params.unit);
  if (name === "type") return text(work.stage.readings.find((one) => one.type === value)?.name ?? { vi: value });
  if (typeof value === "string") return /^-?\d+(\.\d+)?$/.test(value) ? number(Number(value)) : value;
  if (WEIGHTS.includes(name) || slug === "unusual-amount") return kg(value);
  return SHARES.includes(name) ? `${number(Math.round(value / 10) / 10)}\u00a0%` : number(value);
}

/** What stands in the way, said where it can be put right. */
export const trouble = (sentences) => h("div", { class: "trouble", role: "alert" }, sentences.map((one) => h("p", {}, one)));

const isReading = ({ slug }) => slug.startsWith("reading-");
const usedIn = (material) => (material ? text(material.name) : "");

/** A screen with a number pad, which says each number back and refuses what cannot be. */
function numbers(app, work, step, o) {
  const alert = h("div", {});
  const { flow } = work;
  const tell = (sentences, more = []) => {
    alert.replaceChildren(trouble(sentences), ...more);
    // The sentence and the whole pad below it fit a small phone.
    alert.scrollIntoView({ block: "start" });
    if (app.voice.on) app.voice.say(null, sentences.join(" "));
  };
  const done = (typed) => {
    const value = valueOf(typed, o.places);
    if (Number.isNaN(value) || (o.positive && value <= 0)) return tell([say("need-number")]);
    const wrong = o.answer(value);
    if (wrong?.length) {
      app.keep();
      return tell(wrong, o.mend ? [o.mend] : []);
    }
    return app.answered(step);
  };
  const started = flow.typed?.step === step ? flow.typed.text : o.typed;
  const offers = o.offers.map((one) => ({ words: one.words, go: one.go ?? (() => done(typedOf(one.value, o.places))) }));
  const { board, keys } = pad({
    label: o.label, unit: o.unit, places: o.places, negative: o.negative, typed: started, offers, done,
    typing: (typed) => {
      alert.replaceChildren();
      app.typed(step, typed);
      app.sayBack(typed && `${grouped(typed)} ${o.unit}`);
    },
  });
  return { title: o.label, sound: o.sound, body: [o.above, alert, board], keys, full: true };
}

/** The line above a pad that tells what goes in. */
function takenLine(work) {
  const [first, ...others] = work.takes;
  if (!first || work.flow.repair) return null;
  const material = materialOfBatch(work.pack, first.batch);
  const left = leftOf(first.batch, first.unit);
  const all = others.length || first.value === left;
  const shown = { amount: `${amount(work.taken, first.unit)} ${usedIn(material)}`, rest: amount(left - first.value, first.unit) };
  return h("p", { class: "taken" }, picture(material.picture, 40), h("span", {}, say(all ? "takes-all" : "takes-some", shown)),
    h("a", { href: `#/log/${work.usable.length > 1 ? "takes" : "take"}`, class: "change" }, say("change")));
}

/** Findings that refuse a number of kilograms or packs. */
const refusing = (work) => work.refusals.filter((one) => !isReading(one)).map((one) => findingWords(work, one));

const SCREENS = {
  made(app, work, _, step) {
    const { flow, kind } = work;
    const merged = kind === "merge";
    const packs = kind === "pack" || flow.givenOut?.[0]?.units;
    const shown = (value) => (packs ? units(value) : kg(value));
    const last = lastAmount(app.engine.state.records, flow);
    const offers = last && !flow.repair && !merged ? [{ words: say("last-time", { amount: shown(last) }), value: last }] : [];
    if (merged) offers.push({ words: shown(work.taken), value: work.taken });
    if (!merged && !work.product && !flow.repair) return { title: work.ask.words, body: [trouble([say("no-product")])] };
    return numbers(app, work, step, {
      label: merged ? say("ask-merged") : work.ask.words, sound: work.ask.sound, unit: packs ? say("packs") : "kg", places: packs ? 0 : 3,
      typed: typedOf(flow.made, packs ? 0 : 3), above: merged ? null : takenLine(work), positive: true, offers,
      mend: work.takes.length ? h("a", { href: "#/log/take", class: "button quiet" }, say("fix-taken")) : null,
      answer: (value) => {
        flow.made = value;
        return refusing(work);
      },
    });
  },

  take(app, work, epc, step) {
    const { flow } = work;
    const target = epc ? decodeURIComponent(epc) : work.takes[0]?.batch.epc ?? flow.batch;
    const batch = work.batches.find((one) => one.epc === target) ?? work.takes.find((one) => one.batch.epc === target)?.batch;
    const unit = work.takes.find((one) => one.batch.epc === target)?.unit ?? work.unitOf(batch);
    const places = unit === "packs" ? 0 : 3;
    const left = flow.repair ? null : leftOf(batch, unit);
    const put = (value) => {
      if (!flow.repair && !Object.keys(flow.takes).length && epc) for (const one of work.takes) flow.takes[one.batch.epc] = one.value;
      flow.takes[target] = value;
    };
    const offers = left ? [{ words: say("all", { amount: amount(left, unit) }), value: left }] : [];
    if (epc && work.takes.length > 1) {
      offers.push({ words: say("take-none"), go: () => { put(0); app.answered(step); } });
    }
    const asked = { lose: say("ask-lost"), dispatch: work.ask.words, case: work.ask.words }[work.kind] ?? say("ask-take");
    const material = materialOfBatch(work.pack, batch);
    return numbers(app, work, step, {
      label: asked, sound: ["dispatch", "case"].includes(work.kind) ? work.ask.sound : "ask-take", unit: unitOf(unit), places, positive: true, offers,
      typed: flow.takes[target] ? typedOf(flow.takes[target], places) : flow.repair ? typedOf(work.takes[0].value, places) : "",
      above: h("p", { class: "taken" }, picture(material.picture, 40),
        h("span", {}, capital(usedIn(material)), left === null ? null : `, ${say("left", { amount: amount(left, unit) })}`)),
      answer: (value) => {
        if (left !== null && value > left) return [say("more-than-left", { amount: amount(left, unit) })];
        put(value);
        return flow.made === null || flow.repair ? [] : refusing(work);
      },
    });
  },

  takes(app, work) {
    const { flow } = work;
    const rows = work.usable.map((batch) => {
      const one = work.takes.find(({ batch: { epc } }) => epc === batch.epc);
      const unit = work.unitOf(batch);
      const material = materialOfBatch(work.pack, batch);
      return choice({
        words: `${capital(usedIn(material))} ${batch.lot}`, drawn: material.picture, pressed: Boolean(one),
        more: `${one ? amount(one.value, unit) : say("not-taken")}, ${say("left", { amount: amount(leftOf(batch, unit), unit) })}`,
        go: () => app.go(`#/log/take:${encodeURIComponent(batch.epc)}`),
      });
    });
    return {
      title: say("ask-takes"), sound: "ask-takes", body: [h("ul", { class: "choices" }, rows)],
      act: { words: say("done"), go: () => app.answered("takes", flow) },
    };
  },

  product(app, work, _, step) {
    const packing = work.kind === "pack";
    const rows = work.products.map((one) => choice({
      words: packing && one.net_grams ? `${kilograms(one.net_grams)} kg` : one.name, more: packing && one.net_grams ? one.name : null,
      drawn: materialOf(work.process, one.material).picture, voice: app.voice, go: () => { work.flow.product = one.gtin; app.answered(step); },
    }));
    return { title: say(packing ? "ask-size" : "ask-product"), sound: "ask-product", body: [h("ul", { class: "choices" }, rows)] };
  },

  reading(app, work, type, step) {
    const need = work.stage.readings.find((one) => one.type === type);
    const { flow } = work;
    const about = () => work.refusals.filter((one) => isReading(one) && one.params.type === type).map((one) => findingWords(work, one));
    return numbers(app, work, step, {
      label: `${capital(text(need.name))}?`, sound: `reading-${type}`, unit: unitOf(need.unit), places: 2, negative: Number(need.low) < 0,
      typed: (flow.readings[type] ?? "").replace(".", ","),
      offers: need.required ? [] : [{ words: say("skip-measure"), go: () => { flow.readings[type] = null; app.answered(step); } }],
      answer: (value) => {
        flow.readings[type] = typedOf(value, 2).replace(",", ".");
        return about();
      },
    });
  },

  byproduct(app, work, material, step) {
    const { flow } = work;
    const made = materialOf(work.process, material);
    return numbers(app, work, step, {
      label: say("ask-byproduct", { material: text(made.name) }), sound: `material-${material}`, unit: "kg", places: 3,
      typed: flow.byproducts[material] ? typedOf(flow.byproducts[material], 3) : "", above: h("p", { class: "taken" }, picture(made.picture, 40), capital(text(made.name))),
      offers: [{ words: say("skip-none"), go: () => { flow.byproducts[material] = 0; app.answered(step); } }],
      answer: (value) => {
        flow.byproducts[material] = value;
        return refusing(work);
      },
    });
  },

  passed(app, work, _, step) {
    const answer = (passed) => { work.flow.passed = passed; app.answered(step); };
    return {
      title: work.ask.words, sound: work.ask.sound,
      body: [h("ul", { class: "choices large" },
        choice({ words: say("passed"), drawn: "good", voice: app.voice, sound: "passed", go: () => answer(true) }),
        choice({ words: say("failed"), more: say("failed-more"), drawn: "poor", voice: app.voice, sound: "failed", go: () => answer(false) }))],
    };
  },

  reason(app, work, _, step) {
    const rows = work.stage.reasons.map((one) => choice({
      words: text(one.name), drawn: one.picture, voice: app.voice, sound: `reason-${one.key}`, pressed: work.flow.reason === one.key,
      go: () => { work.flow.reason = one.key; app.answered(step); },
    }));
    return { title: say("ask-reason"), sound: "ask-reason", body: [h("ul", { class: "choices" }, rows)] };
  },

  origin(app, work, _, step) {
    const { flow } = work;
    const told = [...new Set(app.engine.state.records.map(({ draft }) => draft.facts?.origin).filter(Boolean))].slice(0, 4);
    const rows = told.map((one) => choice({ words: one, drawn: "buy", voice: app.voice, go: () => { flow.origin = one; app.answered(step); } }));
    return written(app, step, {
      title: say("ask-origin"), sound: "ask-origin", hint: say("origin-hint"), length: 80, rows, value: flow.origin,
      put: (words) => { flow.origin = words; }, needed: true,
    });
  },

  price(app, work, _, step) {
    const { flow } = work;
    return numbers(app, work, step, {
      label: say(work.kind === "buy" ? "ask-price" : "ask-earned"), sound: "ask-price", unit: say("dong"), places: 3, typed: typedOf(flow.value, 3), above: h("p", { class: "hint" }, say("price-hint")),
      offers: [{ words: say("skip"), go: () => { flow.value = null; app.answered(step); } }], answer: (value) => { flow.value = value; },
    });
  },

  parts(app, work, _, step) {
    const { flow } = work;
    if (!flow.parts.length) return SCREENS.part(app, work, _, step);
    return {
      title: say("part-rest", { amount: kg(work.rest) }), sound: "part-rest",
      body: [h("ul", { class: "rows" }, flow.parts.map((one) => h("li", {}, h("b", {}, kg(one)))), h("li", {}, say("part-rest", { amount: kg(work.rest) }))),
        h("ul", { class: "choices" },
          choice({ words: say("part-more"), drawn: "split", href: "#/log/part" }),
          choice({ words: say("fix-number"), drawn: "scales", go: () => { flow.parts = []; app.redo("parts"); } }))],
      act: { words: say("part-enough"), go: () => app.answered("parts") },
    };
  },

  part(app, work, _, step) {
    const { flow } = work;
    const material = work.own && materialOfBatch(work.pack, work.own);
    return numbers(app, work, step, {
      label: say("ask-part"), sound: "ask-part", unit: "kg", places: 3, typed: "", positive: true, offers: [],
      above: h("p", { class: "taken" }, picture(material.picture, 40), h("span", {}, `${capital(usedIn(material))}, ${say("left", { amount: kg(work.rest) })}`)),
      answer: (value) => {
        if (value >= work.rest) return [say("part-too-much")];
        flow.parts.push(value);
        return [];
      },
    });
  },

  which(app, work, _, step) {
    const { flow } = work;
    const alert = h("div", {});
    const others = work.usable.filter((one) => one.epc !== flow.batch);
    const rows = others.map((batch) => {
      const material = materialOfBatch(work.pack, batch);
      const row = choice({
        words: `${kg(batch.left_grams)} ${text(material.name)}`, more: batch.lot, drawn: material.picture, pressed: flow.chosen.includes(batch.epc),
        go: () => {
          const on = !flow.chosen.includes(batch.epc);
          flow.chosen = on ? [...flow.chosen, batch.epc] : flow.chosen.filter((one) => one !== batch.epc);
          row.firstChild.setAttribute("aria-pressed", String(on));
          app.keep();
        },
      });
      return row;
    });
    if (!rows.length) return { title: say("ask-which"), body: [trouble([say("which-none")])] };
    return {
      title: say("ask-which"), sound: "ask-which", body: [alert, h("ul", { class: "choices" }, rows)],
      act: {
        words: say("done"),
        go: () => (flow.chosen.length ? app.answered(step) : alert.replaceChildren(trouble([say("which-more")]))),
      },
    };
  },

  why(app, work, _, step) {
    const { flow } = work;
    const put = (words) => { flow.note = words; flow.why = work.doubtful; };
    const from = materialOfBatch(work.pack, work.takes[0]?.batch ?? {});
    const material = from && capital(text(from.name));
    const ready = [
      ["rain", "weather"], ...(from ? [["poor", "poor"], ["good", "good"]] : [["land", "poor"], ["season", "good"]]), ["spilt", "spilt"], ["weighed", "scales"],
    ];
    const rows = ready.map(([name, drawn]) => {
      const words = say(`why-${name}`, { material });
      return choice({ words, drawn, voice: app.voice, sound: `why-${name}`, go: () => { put(words); app.answered(step); } });
    });
    const told = work.doubts.map((one) => h("p", {}, findingWords(work, one)));
    return written(app, step, {
      title: say(flow.repair?.how === "reason" ? "mend-reason" : "ask-why"), sound: "ask-why", length: 300, rows, put, needed: true, closed: say("why-words"),
      value: flow.note, above: [h("div", { class: "doubt" }, told.length ? told : h("p", {}, flow.problem ?? "")),
        h("a", { href: `#/log/${work.steps.includes("made") ? "made" : work.steps[0]}`, class: "button quiet" }, say("fix-number"))],
      spoken: told.map((one) => one.textContent).join(" "),
    });
  },

  note(app, work, _, step) {
    const { flow } = work;
    return written(app, step, { title: say("ask-note"), sound: "ask-note", hint: say("note-hint"), length: 300, rows: [], value: flow.note, put: (words) => { flow.note = words; } });
  },

  site(app, work, _, step) {
    const rows = work.sites.map((one) => choice({
      words: one.name, drawn: one.kind === "field" ? "field" : "house", pressed: work.site === one.gln, voice: app.voice,
      go: () => { work.flow.site = one.gln; app.answered(step); },
    }));
    return { title: say("ask-site"), sound: "ask-site", body: [h("ul", { class: "choices" }, rows)] };
  },

  when(app, work, _, step) {
    const { flow } = work;
    const alert = h("div", {});
    const put = (ms) => { flow.at = ms; app.answered(step); };
    const ready = [["when-now", Date.now()], ["when-morning", clockToday(8)], ["when-noon", clockToday(12)], ["when-yesterday", clockToday(16) - 86_400_000]]
      .filter(([, ms]) => ms <= Date.now());
    const rows = ready.map(([name, ms]) => choice({ words: say(name), more: when(ms), drawn: "clock", voice: app.voice, sound: name, go: () => put(name === "when-now" ? null : ms) }));
    const input = h("input", { type: "datetime-local", id: "moment", value: local(work.at), max: local(Date.now()) });
    const exact = () => {
      const ms = new Date(input.value).getTime();
      if (!(ms <= Date.now())) alert.replaceChildren(trouble([say("when-future")]));
      else put(ms);
    };
    return {
      title: say("ask-when"), sound: "ask-when",
      body: [h("ul", { class: "choices" }, rows), alert, h("div", { class: "field" }, h("label", { for: "moment" }, say("when-exact")), input),
        h("button", { type: "button", class: "quiet", onclick: exact }, say("done"))],
    };
  },
};

/** A screen of ready answers and a place for one's own words. `closed` hides that place behind one more choice. */
function written(app, step, o) {
  const area = h("textarea", { id: "own", rows: 3, maxlength: o.length });
  area.value = o.value;
  const alert = h("div", {});
  const finish = () => {
    const words = area.value.trim().normalize("NFC");
    if (!words && o.needed) {
      alert.replaceChildren(trouble([say("own-words")]));
      return area.focus();
    }
    o.put(words);
    return app.answered(step);
  };
  area.addEventListener("input", () => app.typed(step, area.value));
  const own = h("div", { class: "field", hidden: Boolean(o.closed) && !o.value }, h("label", { for: "own" }, say("own-words")),
    o.hint && h("p", { class: "hint" }, o.hint), area, alert, h("button", { type: "button", class: "wide", onclick: finish }, say("done")));
  const open = o.closed && !o.value && choice({
    words: o.closed, drawn: "pencil", voice: app.voice, sound: "why-words",
    go: () => { own.hidden = false; open.hidden = true; area.focus(); },
  });
  return {
    title: o.title, sound: o.sound, spoken: o.spoken,
    body: [o.above ?? null, h("ul", { class: "choices" }, o.rows, open || null), own],
  };
}

function clockToday(hour) {
  const that = new Date();
  that.setHours(hour, 0, 0, 0);
  return that.getTime();
}

/** Milliseconds as a date-and-time field takes them, in the phone's own zone. */
function local(ms) {
  const that = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return that.toISOString().slice(0, 16);
}
