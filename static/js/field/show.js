// What every screen is made of: elements, words, numbers, drawings. No sentence stands in JavaScript: they come in
// the page's own template, in the language it was served in.

const SVG = "http://www.w3.org/2000/svg";
const words = document.getElementById("words").content;
export const lang = document.documentElement.lang;
const ZONE = "Asia/Ho_Chi_Minh";
const plain = new Intl.NumberFormat(lang, { maximumFractionDigits: 3 });
const clock = new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, { hour: "2-digit", minute: "2-digit", timeZone: ZONE });
const day = new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, { day: "2-digit", month: "2-digit", timeZone: ZONE });

/** An element. `props`: `class`, `on<event>` functions, other attributes; false and null leave one out. */
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same in SVG. */
export function draw(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(made, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((one) => one !== null && one !== undefined && one !== false));
  return made;
}

/** A sentence by name, its places filled. @param {string} name @param {Record<string, any>} [detail] */
export const say = (name, detail) => filled(words.querySelector(`[data-say="${name}"]`)?.textContent ?? name, detail);

/** What a finding of the engine says. @param {string} slug @param {Record<string, any>} detail, already in words */
export function sayFinding(slug, detail) {
  const sentence = words.querySelector(`[data-finding="${CSS.escape(slug)}"]`)?.textContent;
  return sentence ? filled(sentence, detail) : say("still-wrong");
}

function filled(sentence, detail = {}) {
  return sentence.replace(/%\((\w+)\)s/g, (_, name) => detail[name] ?? "");
}

/** The address of a recorded sound, such as `blt/ask-harvest`, if the village made one. */
export const soundAt = (name) => words.querySelector(`[data-sound="${CSS.escape(name)}.mp3"]`)?.textContent;

/** Every language that a recorded sound is in. */
export const soundTongues = () => [...words.querySelectorAll("[data-sound]")].map((one) => one.dataset.sound.split("/")[0]);

/** One of our drawings; words always stand beside it. */
export function picture(name, size = 64) {
  const from = words.querySelector(`[data-picture="${CSS.escape(name)}"]`) ?? words.querySelector("[data-picture=proof]");
  return h("img", { src: from.textContent, alt: "", width: size, height: size, class: `pic pic-${size}` });
}

/** Words of a process file, in the page's language. @param {Record<string, string>} named */
export const text = (named) => named[lang] || named.vi;

/** The same, and beside them what the village's other languages call it, as far as somebody gave the words. */
export function textBeside(named, tongue = localStorage.getItem("soi-field-tongue")) {
  const others = Object.entries(named).filter(([tag]) => !["vi", "en"].includes(tag) && (!tongue || tag === tongue));
  return [text(named), ...others.map(([tag, word]) => h("span", { lang: tag, class: "beside" }, word))];
}

export const capital = (words) => words.charAt(0).toLocaleUpperCase(lang) + words.slice(1);
export const number = (value) => plain.format(value);
export const kilograms = (grams) => number(grams / 1000);
export const kg = (grams) => `${kilograms(grams)}\u00a0kg`;
export const units = (count) => `${number(count)}\u00a0${say("packs")}`;

/** Grams or packs in words, whichever `material` is counted in. */
export const amount = (value, unit) => (unit === "packs" ? units(value) : kg(value));

/** A measured value's unit as people write it. */
export const unitOf = (unit) => ({ P1: "%", CEL: "°C", packs: say("packs"), grams: "kg" })[unit] ?? unit;

/** When something was: the time alone for today. @param {number} ms */
export function when(ms) {
  const that = new Date(ms);
  return day.format(that) === day.format(new Date()) ? clock.format(that) : `${clock.format(that)}, ${day.format(that)}`;
}

/** What is left of a batch. */
export const leftOf = (batch, unit) => (unit === "packs" ? batch.left_units : batch.left_grams) ?? 0;

const ICONS = {
  back: "M15 5L8 12L15 19",
  sound: "M4 9.5H8L13 5V19L8 14.5H4ZM16.5 8.5C18.5 10.5 18.5 13.5 16.5 15.5M19 6C22.3 9.4 22.3 14.6 19 18",
  erase: "M9 6H21V18H9L3 12ZM12 9.5L17 14.5M17 9.5L12 14.5",
  tick: "M4.5 12.5L10 18L20 6.5",
  cross: "M6 6L18 18M18 6L6 18",
};

/** A small line drawing in the colour of the words around it. */
export const icon = (name) => draw("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, draw("path", { d: ICONS[name] }));

/** The strand in one line: knots for what is done, dots for what is to come. The geometry is village/web/strand.py's. */
export function miniStrand(done, of) {
  const step = 26;
  const end = 18 + (done - 1) * step;
  const svg = draw("svg", {
    viewBox: `0 0 ${36 + (of - 1) * step} 30`, class: "mini-strand", role: "img", "aria-label": say("way", { done, all: of }),
  });
  if (of > done) svg.append(draw("path", { class: "todo", d: `M${end + 16} 15 L${18 + (of - 1) * step + 12} 15` }));
  const runs = [`M4 15 L${end + 12} 15`];
  for (let i = 0; i < done; i += 1) {
    const x = 18 + i * step;
    runs.push(`M${x - 10} 15 C${x - 2} 15 ${x + 9} 15 ${x + 9} 9 C${x + 9} 2 ${x - 9} 2 ${x - 9} 9 C${x - 9} 15 ${x + 2} 15 ${x + 10} 15`);
  }
  for (const d of runs) svg.append(draw("path", { class: "edge", d }), draw("path", { class: "noodle", d }));
  return svg;
}

/** A button with a picture and words; `spoken` gives it a small one beside it that says the words aloud. */
export function choice({ words, drawn, more, go, pressed, href, voice, sound, keyed }) {
  const inside = [drawn && picture(drawn, 56), h("span", { class: "choice-words" }, words, more && h("small", {}, more))];
  const main = href
    ? h("a", { href, class: "choice", "data-key": keyed }, inside)
    : h("button", { type: "button", class: "choice", "aria-pressed": pressed === undefined ? null : String(pressed), "data-key": keyed, onclick: go }, inside);
  const told = main.querySelector(".choice-words").firstChild?.textContent ?? "";
  return h("li", {}, main, voice?.button(sound, told, true));
}
