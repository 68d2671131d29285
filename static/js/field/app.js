// The producers' app at /field: goes from screen to screen by the address's hash, and draws each from the engine's state.

import { start } from "./engine.js";
import { capital, h, icon, picture, say, text } from "./show.js";
import { Voice } from "./speak.js";
import { question } from "./views-ask.js";
import { begin, mending, stageOf, Work } from "./views-flow.js";
import * as house from "./views-home.js";
import { phone } from "./views-phone.js";
import * as written from "./views-records.js";
import { askPlace, summary } from "./views-sum.js";

const QUIET = 900;
const PASSING = 7000;
const main = document.getElementById("main");
const places = document.getElementById("places");

class App {
  voice = new Voice();
  flow = null;
  /** The record kept last, which may still be taken back. */
  latest = null;
  #shown = "";
  #back = null;
  #saying = 0;
  #telling = 0;
  /** How far down each place of the history was read. */
  #scrolls = new Map();

  async begin() {
    history.scrollRestoration = "manual";
    this.engine = await start();
    this.flow = (await this.engine.lastDraft()) ?? null;
    this.engine.addEventListener("change", () => this.changed());
    addEventListener("hashchange", () => this.show());
    this.show();
    this.strip();
  }

  // What the screens call.

  go(hash) { location.hash = hash; }

  /** Draw the same screen again, after a small change on it. */
  redraw() { this.#draw(this.#screen(), false); }

  /** Keep what is answered so far. */
  keep() { return this.engine.keepDraft(this.flow); }

  /** Keep a number or words that are half typed. */
  typed(step, words) {
    this.flow.typed = { step, text: words };
    this.keep();
  }

  /** Say a number back when the thumb rests. */
  sayBack(words) {
    clearTimeout(this.#saying);
    if (this.voice.on && words) this.#saying = setTimeout(() => this.voice.say(null, words), QUIET);
  }

  /** A question has its answer: on to the next. */
  answered(step) {
    clearTimeout(this.#saying);
    const { flow } = this;
    flow.typed = null;
    if (!flow.done.includes(step)) flow.done.push(step);
    this.keep();
    this.go(`#/log/${this.work().after(step)}`);
  }

  /** Ask a question anew. */
  redo(step) {
    this.flow.done = this.flow.done.filter((one) => one !== step);
    this.keep();
    this.redraw();
  }

  work() { return new Work(this.engine, this.flow); }

  async save(work) {
    const record = await this.engine.save(work.draft());
    this.latest = record.id;
    await this.#leave();
  }

  async undo(id) {
    const gone = await this.engine.undo(id);
    this.say(say(gone ? "undone" : "too-late"));
    if (gone && location.hash.startsWith("#/record/")) this.go("#/records");
    else this.redraw();
  }

  /** Throw a half-written flow away. */
  async drop() {
    this.flow = null;
    await this.keep();
    this.redraw();
  }

  async startMending(record, how) {
    if (how === "drop") return this.go(`#/drop/${record.id}`);
    if (how === "resign") return this.#mended(record.id, how, {});
    this.flow = { ...mending(record, how), problem: written.problemWords(record) };
    await this.keep();
    return this.go(`#/log/${this.work().first}`);
  }

  async mend(work) {
    const { repair, note, at } = this.flow;
    const { inputs, outputs } = work.draft();
    const data = { amount: { inputs, outputs, note }, reason: { note }, time: { at: at ?? Date.now() } }[repair.how];
    await this.engine.repair(repair.id, repair.how, data);
    this.say(say("mended"));
    await this.#leave("#/records");
  }

  async dropRecord(id, why) {
    await this.#mended(id, "drop", { why });
  }

  async #mended(id, how, data) {
    try {
      await this.engine.repair(id, how, data);
      this.say(say(how === "drop" ? "dropped" : "mended"));
    } catch {
      this.say(say("mend-failed"));
    }
    location.replace("#/records");
  }

  /** Out of a flow that came to its end: back to where it began, so that "back" does not lead into it again. */
  async #leave(to = "#/") {
    const steps = this.flow.from === undefined ? 0 : (history.state?.n ?? 0) - this.flow.from;
    this.flow = null;
    await this.keep();
    this.#scrolls.clear();
    if (steps > 0) {
      this.#back = to;
      history.go(-steps);
    } else location.replace(to);
  }

  /** Tell something in passing. */
  say(words) {
    const told = document.getElementById("told");
    told.textContent = words;
    clearTimeout(this.#telling);
    this.#telling = setTimeout(() => told.replaceChildren(), PASSING);
    if (this.voice.on) this.voice.say(null, words);
  }

  // Screens.

  show() {
    if (this.#back) {
      const to = this.#back;
      this.#back = null;
      if (location.hash !== to && !(to === "#/" && location.hash === "")) return location.replace(to);
    }
    this.#scrolls.set(this.n, scrollY);
    this.#number();
    const screen = this.#screen();
    return screen && this.#draw(screen, true);
  }

  /** Each place in the history gets its number, so that the way out of a flow is known; a new place begins at its top. */
  #number() {
    if (history.state?.n === undefined) {
      history.replaceState({ n: this.n === undefined ? 0 : this.n + 1 }, "");
      this.#scrolls.delete(history.state.n);
    }
    this.n = history.state.n;
  }

  #screen() {
    const [name = "", ...rest] = location.hash.slice(2).split("/");
    const of = rest.map(decodeURIComponent);
    if (name === "new") return this.#start(of);
    if (name === "log") return this.#ask(rest.join("/"));
    if (name === "place") return { ...askPlace(this), back: true };
    if (name === "batch" && this.engine.state.pack) return house.batch(this, of[0]);
    if (name === "pick") return house.pick(this, of[0]);
    if (name === "record") return written.record(this, of[0]);
    if (name === "drop") return written.drop(this, of[0]);
    return ({ records: written.records, more: house.more, phone }[name] ?? house.home)(this);
  }

  #start([process, version, stage, batch = null]) {
    const { pack } = this.engine.state;
    const flow = begin(process, Number(version), stage, batch);
    if (!pack || !stageOf(pack, flow)) return this.#home();
    this.flow = { ...flow, from: history.state.n - 1 };
    this.keep();
    history.replaceState(history.state, "", `#/log/${this.work().first}`);
    return this.#screen();
  }

  #ask(step) {
    if (!this.flow || !this.engine.state.pack || !stageOf(this.engine.state.pack, this.flow)) return this.#home();
    const work = this.work();
    const asked = step === "on" ? this.flow.typed?.step ?? work.first : step;
    if (asked === "sum" && work.first !== "sum") {
      location.replace(`#/log/${work.first}`);
      return null;
    }
    const screen = asked === "sum" ? summary(this, work) : question(this, work, asked);
    return { ...screen, back: true, of: work.stage };
  }

  /** There is nothing to ask here. */
  #home() {
    location.replace("#/");
    return null;
  }

  #draw(screen, fresh) {
    if (!screen) return;
    this.screen = screen;
    const focused = document.activeElement?.dataset?.key;
    const heading = h("h1", { tabindex: "-1" }, screen.title);
    const said = [screen.title, screen.spoken].filter(Boolean).join(". ");
    const bar = screen.back ? h("div", { class: "bar" },
      h("button", { type: "button", class: "icon-button", "aria-label": say("back"), onclick: () => this.goBack() }, icon("back")),
      screen.of ? h("p", { class: "bar-stage" }, picture(screen.of.picture, 40), h("span", {}, text(screen.of.name))) : h("span", { class: "bar-stage" }),
      this.voice.button(screen.sound, said) ?? h("span", {})) : null;
    const head = screen.back ? heading : h("div", { class: "head" }, heading, this.voice.button(screen.sound, said));
    const act = screen.act && h("div", { class: "act" }, screen.act.href
      ? h("a", { class: "button", href: screen.act.href }, screen.act.words)
      : h("button", { type: "button", "data-key": "act", onclick: (event) => once(event, screen.act.go) }, screen.act.words));
    document.onkeydown = screen.keys ?? null;
    main.className = `screen${screen.full ? " full" : ""}`;
    main.replaceChildren(...[bar, head, ...screen.body.flat(2), act].filter(Boolean));
    document.body.classList.toggle("asking", Boolean(screen.back));
    places.hidden = Boolean(screen.back) || !this.engine.state.pack;
    for (const link of places.querySelectorAll("a")) {
      if (link.dataset.place === screen.place) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    document.title = `${capital(screen.title)} · Soi Bình Lư`;
    if (fresh) {
      scrollTo(0, this.#scrolls.get(this.n) ?? 0);
      // The first screen leaves the focus where the browser put it: nothing was chosen yet.
      if (this.#shown) heading.focus({ preventScroll: true });
      if (this.voice.on && screen.of && this.#shown) this.voice.say(screen.sound, said);
      else this.voice.stop();
      this.#shown = location.hash || "#/";
    } else if (focused) main.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  goBack() {
    if (this.n > 0) history.back();
    else location.replace("#/");
  }

  // The strip that always tells.

  /** The engine's state changed: the strip at once; a screen that shows it too, but never one that is being filled in. */
  changed() {
    this.strip();
    if (!["log", "new", "place", "drop"].includes(location.hash.slice(2).split("/")[0]) && !main.querySelector("input:focus, select:focus")) this.redraw();
  }

  strip() {
    const { counts, online, sending, records, pack } = this.engine.state;
    const strip = document.getElementById("strip");
    const photos = records.reduce((sum, one) => sum + (["sent", "proven"].includes(one.state) ? (one.draft.photos ?? []).filter((it) => !it.done).length : 0), 0);
    const { waiting } = counts;
    let [state, words] = ["done", say("strip-done")];
    if (!online) [state, words] = ["offline", waiting > 1 ? say("strip-kept-many", { count: waiting }) : say(waiting ? "strip-kept" : "strip-offline")];
    else if (sending && waiting) [state, words] = ["sending", say("strip-sending", { count: waiting })];
    else if (waiting) [state, words] = ["waiting", say("strip-waiting", { count: waiting })];
    else if (photos) [state, words] = ["sending", say("strip-photos", { count: photos })];
    strip.hidden = !pack;
    strip.dataset.state = state;
    const told = document.getElementById("strip-words");
    if (told.textContent !== words) told.textContent = words;
    const help = document.getElementById("strip-help");
    help.hidden = !counts.help;
    help.textContent = counts.help ? say("strip-help", { count: counts.help }) : "";
  }
}

/** A press that is being worked on is not taken twice. */
async function once(event, go) {
  const button = event.currentTarget;
  if (button.getAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  try {
    await go();
  } finally {
    button.removeAttribute("aria-busy");
  }
}

new App().begin().catch((error) => {
  main.replaceChildren(h("p", { class: "trouble" }, say("broken")));
  throw error;
});
