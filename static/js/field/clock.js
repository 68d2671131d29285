// What time it is: phones' clocks are wrong by minutes, or by days. Every answer of the server carries its time.

/** A clock that is off by less is right. Milliseconds. */
export const FINE = 60_000;
/** The server's Date has whole seconds; slower answers than this tell too little. */
const SLOW = 20_000;

export class Clock {
  /** @param {() => number} now this phone's own time, ms @param {number | null} [known] the offset learned before */
  constructor(now, known = null) {
    this.now = now;
    /** Milliseconds to be added to this phone's time, as far as it is known. @type {number | null} */
    this.known = known;
  }

  /** What is to be added to this phone's time; nothing while it is unknown or fine. */
  get offset() {
    return this.known === null || Math.abs(this.known) < FINE ? 0 : this.known;
  }

  /**
   * Learn from an answer's Date. @param {string | null} told @param {number} asked @param {number} answered this phone's time
   * @returns {boolean} whether the clock is now known to be otherwise than before
   */
  learn(told, asked, answered) {
    const server = Date.parse(told ?? "");
    const took = answered - asked;
    // A clock that was set while we waited makes nonsense of the difference.
    if (Number.isNaN(server) || took < 0 || took > SLOW) return false;
    const before = this.known;
    this.known = Math.round(server + 500 - (asked + answered) / 2);
    return before === null || Math.abs(before - this.known) >= FINE;
  }
}
