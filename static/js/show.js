// Shows what came of a check, in the words and drawings that the server sent along: no sentence stands in here.

/** @typedef {import("./prove.js").Proven} Proven */

export class Words {
  /** @param {ParentNode} root @param {string} lang */
  constructor(root, lang) {
    this.root = root;
    this.lang = lang;
    this.numbers = new Intl.NumberFormat(lang);
    const [short, year] = ["2-digit", "numeric"];
    this.times = new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, {
      hour: short, minute: short, day: short, month: short, year, timeZone: "Asia/Ho_Chi_Minh",
    });
  }

  /** The words' own file, of this page's language. @param {string} url @param {string} lang */
  static async load(url, lang) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(String(answer.status));
    return new Words(new DOMParser().parseFromString(await answer.text(), "text/html"), lang);
  }

  /** A sentence with its places filled. @param {string} kind @param {string} name @param {Record<string, any>} [detail] */
  say(kind, name, detail = {}) {
    const text = this.root.querySelector(`[data-${kind}="${CSS.escape(name)}"]`)?.textContent ?? name;
    return text.replace(/%\((\w+)\)s/g, (_, place) => this.shown(place, detail[place]));
  }

  shown(place, value) {
    if (place === "time" || place === "since") return this.times.format(new Date(value * 1000));
    if (place === "member") return this.say("member", String(value));
    if (place === "batch" || place === "lot") return String(value).replace(/^https:\/\/id\.gs1\.org\/01\/[0-9]{14}\/10\//, "");
    return typeof value === "number" ? this.numbers.format(value) : String(value ?? "");
  }

  /** A copy of a drawing. @param {string} name @returns {Element} */
  part(name) {
    return document.importNode(this.root.querySelector(`[data-part="${name}"]`).firstElementChild, true);
  }
}

const state = (held) => (held === null ? "doubt" : held ? "whole" : "cut");
const CARD = { whole: "whole", cut: "cut", unknown: "doubt" };

/** @param {string} tag @param {string} text @param {string} [className] */
export function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** The verdict's card. @param {Words} words @param {Proven} proven @param {string} [kind] which words: of the check, or of a scanned pack */
export function card(words, proven, kind = "verdict") {
  const made = words.part(`card-${CARD[proven.verdict]}`);
  const bad = proven.checks.find((check) => check.held === false);
  const stopped = proven.checks.find((check) => check.held === null && check.reason !== "not-reached");
  const named = bad ? words.say("step", bad.step) : "";
  made.querySelector("h2").textContent = words.say(kind, proven.verdict, { step: named });
  const why = bad ?? (proven.verdict === "unknown" ? stopped : undefined);
  made.querySelector("p").textContent = why ? words.say("reason", why.reason, why.detail) : words.say(`${kind}-more`, proven.verdict);
  return made;
}

/** The steps as a strand: whole knots, doubtful ones, and the cut, below which all is loose. */
export function strand(words, { checks }) {
  const list = document.createElement("ol");
  const cut = checks.findIndex((check) => check.held === false);
  list.className = `strand steps ${cut < 0 ? "whole" : "broken"}`;
  list.append(...checks.map((check, i) => knot(words, check, cut >= 0 && i > cut, i === checks.length - 1)));
  return list;
}

function knot(words, check, loose, last) {
  const made = words.part(last ? `ground-${state(check.held)}` : `knot-${state(check.held)}`).firstElementChild;
  const body = made.querySelector("div");
  made.classList.toggle("loose", loose);
  if (check.held === false) made.querySelector(".strand-line").classList.add("loose");
  made.dataset.step = check.step;
  made.dataset.reason = check.reason;
  body.replaceChildren(element("h3", words.say("step", check.step)));
  if (check.reason !== "not-reached") body.append(words.part(`badge-${state(check.held)}`));
  const text = check.reason ? words.say("reason", check.reason, check.detail) : words.say("held", check.step, check.detail);
  body.append(element("p", text, check.held === false ? "why" : "meta"));
  for (const note of check.detail.evidence ?? []) body.append(element("pre", note));
  return made;
}
