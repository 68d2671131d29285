// Says questions and choices aloud: a sound that the village recorded, or the phone's own Vietnamese voice.

import { h, icon, say, soundAt } from "./show.js";

const SWITCH = "soi-field-voice";
const TONGUE = "soi-field-tongue";

export class Voice {
  #playing = null;

  /** Whether questions are read by themselves. */
  get on() { return localStorage.getItem(SWITCH) !== "off"; }

  set on(wanted) {
    localStorage.setItem(SWITCH, wanted ? "on" : "off");
    if (!wanted) this.stop();
  }

  /** "vi", or the village's language whose words and sounds come first. */
  get tongue() { return localStorage.getItem(TONGUE) || "vi"; }

  set tongue(tag) {
    if (tag === "vi") localStorage.removeItem(TONGUE);
    else localStorage.setItem(TONGUE, tag);
  }

  /** False where the phone is known to have no Vietnamese voice. Many phones list their voices only after a while. */
  get able() {
    if (!globalThis.speechSynthesis) return false;
    const voices = speechSynthesis.getVoices();
    return voices.length === 0 || voices.some(vietnamese);
  }

  /** Say it. @param {string} sound the recorded sound's name, without language @param {string} words */
  say(sound, words) {
    this.stop();
    const recorded = sound && (soundAt(`${this.tongue}/${sound}`) ?? soundAt(`vi/${sound}`));
    if (recorded) {
      this.#playing = new Audio(recorded);
      this.#playing.play().catch(() => this.#read(words));
    } else this.#read(words);
  }

  stop() {
    this.#playing?.pause();
    this.#playing = null;
    globalThis.speechSynthesis?.cancel();
  }

  /** A drawn loudspeaker that says this. @param {boolean} [small] beside a choice */
  button(sound, words, small = false) {
    if (!this.on || !(this.able || soundAt(`${this.tongue}/${sound}`))) return null;
    const told = small ? say("voice-hear-one", { words }) : say("voice-hear");
    return h("button", { type: "button", class: small ? "hear small" : "hear", "aria-label": told, onclick: () => this.say(sound, words) }, icon("sound"));
  }

  #read(words) {
    if (!words || !this.able) return;
    const spoken = new SpeechSynthesisUtterance(words.replaceAll("\u00a0", " "));
    spoken.lang = "vi-VN";
    spoken.rate = 0.95;
    const voice = speechSynthesis.getVoices().find(vietnamese);
    if (voice) spoken.voice = voice;
    speechSynthesis.speak(spoken);
  }
}

const vietnamese = (voice) => voice.lang.toLowerCase().startsWith("vi");
