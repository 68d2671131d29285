// Keeps the livestream console fresh, and takes its taps without loading the page. Without it the page works as well.
//
// It asks politely: an answer that would be the same is 304, a slow network is asked less, a lost one ever more rarely.
// Nothing is pulled from under a finger: what is open or typed in stays, and while the screen is touched it waits.

const EVERY = 2000; // milliseconds between an answer and the next question
const SLOWEST = 30000;
const PATIENCE = 10000;
const FRESH = 1500; // how long a new line is marked as such
const TOLD = 4000;
const PARTS = ["live-tally", "live-codes", "live-look", "live-stream", "live-side"];

const root = document.querySelector("[data-refresh]");
const [offline, gone, more, told] = ["live-offline", "live-gone", "live-new", "live-said-so"].map((id) => document.getElementById(id));
const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Ho_Chi_Minh" });

let etag = "";
let failures = 0;
let lostAt = null;
let timer;
let asking = false;
let touched = false;
let waiting = null; // what came while the screen was touched
let silent = !heard(document); // nobody has said anything yet
let behind = null; // new lines that she has not seen, as she reads further down

/** True while somebody types or has something open in it. */
function busy(part) {
  const active = document.activeElement;
  return part.matches("details[open]") || part.querySelector("details[open]") !== null
    || (part.contains(active) && ["INPUT", "SELECT", "TEXTAREA"].includes(active.tagName));
}

/** Children by what names them; those without a name by their place among their like. */
function named(part) {
  const found = new Map();
  for (const child of part.children) {
    let name = child.dataset.key || child.id;
    for (let n = 0; !name || found.has(name); n += 1) name = `${child.tagName} ${n}`;
    found.set(name, child);
  }
  return found;
}

/** Makes `now` have the children of `next`, touching only what differs. */
function patch(now, next, mark) {
  if (now.isEqualNode(next)) return;
  const [old, fresh] = [named(now), named(next)];
  for (const [name, child] of old) if (!fresh.has(name) && !busy(child)) child.remove();
  let at = now.firstElementChild;
  for (const [name, child] of fresh) {
    const kept = old.get(name);
    if (kept && kept === at) at = at.nextElementSibling;
    else now.insertBefore(kept ?? child, at);
    if (!kept) {
      if (mark && child.dataset.key) glow(child);
    } else if (kept.matches("ol[id], ul[id]")) {
      patch(kept, child, mark);
    } else if (!kept.isEqualNode(child) && !busy(kept)) {
      kept.replaceWith(child);
    }
  }
}

function glow(child) {
  child.classList.add("fresh");
  setTimeout(() => child.classList.remove("fresh"), FRESH);
}

/** How many lines of the stream are not here yet. */
function missing(fresh) {
  const [now, next] = [document.getElementById("live-said"), fresh.getElementById("live-said")];
  if (!next) return 0;
  const here = now ? named(now) : new Map();
  return [...named(next).keys()].filter((name) => !here.has(name)).length;
}

/** True when she reads further down in the stream: new lines above would push hers away. */
function reading() {
  const said = document.getElementById("live-said");
  return said !== null && said.getBoundingClientRect().top < -120 && said.getBoundingClientRect().bottom > 200;
}

function show(fresh, mark = true) {
  if (touched) {
    waiting = fresh;
    return;
  }
  waiting = null;
  offerCopies(fresh);
  const held = mark && reading() ? missing(fresh) : 0;
  behind = held ? fresh : null;
  more.hidden = !held;
  if (held) more.textContent = more.dataset.words.replace("%(count)s", held);
  for (const id of PARTS) {
    if (id === "live-stream" && held) continue;
    const [now, next] = [document.getElementById(id), fresh.getElementById(id)];
    if (now && next) patch(now, document.adoptNode(next), mark);
  }
  const looks = document.querySelector("#live-tally .alarm b")?.textContent;
  document.title = (looks ? `(${looks}) ` : "") + document.title.replace(/^\(.*?\) /, "");
}

/** True when a page shows what somebody said. */
function heard(page) {
  return page.querySelector("#live-look li, #live-stream li") !== null;
}

/** The first comments came by themselves: the box to paste them into makes room, unless she is at it. */
function makeRoom() {
  silent = false;
  const box = document.getElementById("live-paste")?.closest("details");
  const used = box?.contains(document.activeElement) || box?.querySelector("textarea").value;
  if (box && !touched && !used) box.open = false;
}

async function ask() {
  const headers = { Accept: "text/html", ...(etag && { "If-None-Match": etag }) };
  const answer = await fetch(root.dataset.refresh, { headers, cache: "no-store", signal: AbortSignal.timeout?.(PATIENCE) });
  if (answer.redirected || [401, 403, 404].includes(answer.status)) {
    gone.hidden = false; // signed out, or no longer hers: only a person can help
    return false;
  }
  if (answer.status === 304) {
    if (behind && !reading()) show(behind);
    return true;
  }
  if (!answer.ok) throw new Error(String(answer.status));
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (fresh.querySelector("[data-status]")?.dataset.status !== root.dataset.status) {
    location.reload(); // begun, paused or ended by somebody else: another page
    return false;
  }
  etag = answer.headers.get("ETag") ?? "";
  if (silent && heard(fresh)) makeRoom();
  show(fresh, failures === 0);
  return true;
}

async function refresh() {
  if (asking || document.hidden) return;
  asking = true;
  clearTimeout(timer);
  const began = performance.now();
  let pause = EVERY;
  try {
    if (!(await ask())) return;
    if (failures) say(told.dataset.back);
    failures = 0;
    lostAt = null;
    offline.hidden = true;
    pause = Math.max(EVERY, 2 * (performance.now() - began));
  } catch {
    failures += 1;
    pause = Math.min(EVERY * 2 ** (failures - 1), SLOWEST) * (0.8 + 0.4 * Math.random());
    lostAt ??= new Date();
    // One lost question is no lost network.
    if (failures > 1 || !navigator.onLine) lost();
  } finally {
    asking = false;
  }
  timer = setTimeout(refresh, pause);
}

function lost() {
  const words = offline.querySelector("[data-words]");
  words.textContent = words.dataset.words.replace("%(time)s", clock.format(lostAt));
  offline.hidden = false;
}

let hush;
function say(words, failed = false) {
  if (!words) return;
  told.textContent = words;
  told.hidden = false;
  clearTimeout(hush);
  hush = setTimeout(() => { told.hidden = true; }, failed ? 2 * TOLD : TOLD);
}

/** Sends one tap; the page that answers says what became of it, and how all stands now. */
async function send(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter));
  const card = form.closest("li") ?? form;
  if (card.hasAttribute("aria-busy")) return;
  card.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" }, signal: AbortSignal.timeout?.(PATIENCE) });
    if (answer.status >= 500) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!fresh.querySelector("[data-refresh]")) {
      location.assign(answer.redirected ? answer.url : location.href); // signed out, or no longer hers
      return;
    }
    for (const opened of card.querySelectorAll("details[open]")) opened.open = false;
    document.activeElement?.blur();
    if (form.id) document.getElementById(form.id).replaceWith(document.adoptNode(fresh.getElementById(form.id)));
    etag = "";
    if (form.id === "live-paste") silent = false; // she pastes on
    show(fresh);
    say([...fresh.querySelectorAll(".notices .message")].map((each) => each.textContent.trim()).join(" "));
  } catch {
    say(told.dataset.failed, true);
  } finally {
    card.removeAttribute("aria-busy");
  }
}

/** Without a script nothing is copied, so the buttons for it are hidden until there is one. */
function offerCopies(page) {
  for (const button of page.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}

async function copy(button) {
  const words = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(words.textContent);
  } catch {
    // Without a secure address there is no clipboard, but what is selected can be copied.
    words.closest("details").open = true;
    getSelection().selectAllChildren(words);
    document.execCommand("copy");
  }
  button.textContent = button.dataset.done;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});
offerCopies(document);

if (root) {
  root.addEventListener("pointerdown", () => { touched = true; });
  for (const end of ["pointerup", "pointercancel"]) {
    // A tap's own click comes after it: let that find its button.
    addEventListener(end, () => setTimeout(() => {
      touched = false;
      if (waiting) show(waiting);
    }, 300));
  }
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-tap]")) return;
    event.preventDefault();
    send(event.target, event.submitter);
  });
  more.addEventListener("click", () => {
    document.getElementById("live-stream").scrollIntoView();
    if (behind) show(behind);
  });
  document.getElementById("live-again").addEventListener("click", refresh);
  for (const change of ["online", "offline"]) addEventListener(change, refresh);
  document.addEventListener("visibilitychange", refresh);
  if (root.dataset.status !== "ended") timer = setTimeout(refresh, EVERY);
}
