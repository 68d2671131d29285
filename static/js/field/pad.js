// A number pad made for kilograms: keys for a wet thumb, a comma, the likely amounts at one tap. Grams are never shown.

import { h, icon, say } from "./show.js";

const LONGEST = 6;
const ROOMY = 6;
const GROUPS = /\B(?=(\d{3})+(?!\d))/g;

/** As people write it: `1250,5` becomes `1.250,5`. */
export function grouped(typed) {
  const [whole, rest] = typed.split(",");
  return whole.replace(GROUPS, ".") + (rest === undefined ? "" : `,${rest}`);
}

/** What was typed, times ten to the `places`: grams for kilograms at 3, packs at 0. NaN for nothing. */
export function valueOf(typed, places) {
  const [whole, rest = ""] = typed.replace("-", "").split(",");
  if (!whole) return NaN;
  return (typed.startsWith("-") ? -1 : 1) * Number(whole + rest.padEnd(places, "0"));
}

/** The other way: 1250500 at 3 places becomes `1250,5`. */
export function typedOf(value, places) {
  if (value === null || value === undefined) return "";
  const digits = String(Math.abs(value)).padStart(places + 1, "0");
  const rest = places ? digits.slice(-places).replace(/0+$/, "") : "";
  return (value < 0 ? "-" : "") + digits.slice(0, digits.length - places) + (rest && `,${rest}`);
}

/**
 * @param {object} o
 * @param {string} o.label what is asked, for those who hear the page
 * @param {string} o.unit shown beside the number
 * @param {number} o.places digits after the comma that are kept
 * @param {boolean} [o.negative] whether there is a minus key
 * @param {string} o.typed what stands there at first
 * @param {{words: string, go: () => void, drawn?: string}[]} o.offers one-tap answers
 * @param {(typed: string) => void} o.typing told of each change
 * @param {(typed: string) => void} o.done
 * @returns {{board: HTMLElement, keys: (event: KeyboardEvent) => void}} the pad, and what takes a keyboard's keys
 */
export function pad({ label, unit, places, negative = false, typed: first, offers, typing, done }) {
  let typed = first;
  const digits = h("b", { class: "pad-number" });
  const shown = h("p", { class: "pad-shown", role: "status", "aria-label": label }, digits, " ", h("span", { class: "pad-unit" }, unit));
  const show = () => {
    digits.textContent = typed ? grouped(typed) : "–";
    digits.classList.toggle("long", typed.length > ROOMY);
  };

  function press(key) {
    const sign = typed.startsWith("-") ? "-" : "";
    const [whole, rest] = typed.slice(sign.length).split(",");
    if (key === "erase") typed = typed.slice(0, -1);
    else if (key === "-") typed = sign ? typed.slice(1) : `-${typed}`;
    else if (key === ",") typed = rest === undefined && places ? `${typed}${whole ? "" : "0"},` : typed;
    else if (rest !== undefined) typed += rest.length + key.length <= places ? key : "";
    else if (whole === "" || whole === "0") typed = sign + (key === "00" ? "0" : key);
    else if (whole.length + key.length <= LONGEST) typed += key;
    show();
    typing(typed);
  }

  const key = (name, words = name, more = {}) =>
    h("button", { type: "button", class: `key ${more.class ?? ""}`, "aria-label": more.label, "data-press": name, onclick: () => press(name) }, words);
  const last = negative ? key("-", "±", { label: say("minus") }) : places ? key("00") : h("span", {});
  const keys = h("div", { class: "keys" },
    key("1"), key("2"), key("3"), key("erase", icon("erase"), { label: say("erase") }),
    key("4"), key("5"), key("6"),
    h("button", { type: "button", class: "key ok", "data-press": "ok", onclick: () => done(typed) }, icon("tick"), h("span", {}, say("done"))),
    key("7"), key("8"), key("9"),
    places ? key(",", ",", { label: say("comma") }) : h("span", {}), key("0"), last);
  show();

  return {
    board: h("div", { class: "pad" }, shown,
      offers.length ? h("div", { class: "offers" }, offers.map((one) => h("button", { type: "button", class: "quiet", onclick: one.go }, one.words))) : null,
      keys),
    keys: (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const named = { Backspace: "erase", ".": ",", ",": "," }[event.key] ?? (/^\d$/.test(event.key) ? event.key : null);
      if (named) {
        event.preventDefault();
        press(named);
      } else if (event.key === "Enter" && !event.target.closest("button, a")) done(typed);
    },
  };
}
