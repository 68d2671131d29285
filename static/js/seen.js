// Puts the page of a scanned pack away as it came, for scan-sw.js to show when there is no network. Runs before anything
// changes the page.

const PAGES = "soi-scan-pages";
const FILES = "soi-scan-files";
const MOST_PAGES = 30;
const MOST_FILES = 60;

const notice = document.getElementById("last-seen");
const html = `<!doctype html>\n${document.documentElement.outerHTML}`;

async function keep() {
  const headers = { "Content-Type": "text/html; charset=utf-8", "X-Seen": new Date().toISOString() };
  const pictures = [...document.querySelectorAll("img[src^='/static/']")].filter((one) => one.naturalWidth);
  const files = [...document.querySelectorAll("link[rel=stylesheet], link[rel=icon]"), ...pictures].map((one) => one.href ?? one.src);
  await put(PAGES, location.pathname, new Response(html, { headers }), MOST_PAGES);
  const kept = await caches.open(FILES);
  for (const file of new Set(files)) {
    if (!(await kept.match(file))) await put(FILES, file, await fetch(file), MOST_FILES);
  }
}

/** What was put away first goes first. */
async function put(name, address, answer, most) {
  if (!answer.ok) return;
  const cache = await caches.open(name);
  await cache.put(address, answer); // takes the place of an older one and goes to the end, in one step
  const all = await cache.keys();
  for (const one of all.slice(0, Math.max(0, all.length - most))) await cache.delete(one);
}

/** Pictures that wait for their reader are not fetched for this. */
function shown() {
  return document.readyState === "complete" || new Promise((done) => addEventListener("load", done, { once: true }));
}

/** Phones say that they are on line before they are. HEAD is no scan, and goes past the service worker. */
async function again() {
  const answer = await fetch(location.pathname, { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (answer && answer.status < 500) location.reload();
}

if (notice && "caches" in self && "serviceWorker" in navigator) {
  if (notice.hidden) {
    navigator.serviceWorker.register("/scan/sw.js", { scope: "/01/" }).then(shown).then(keep).catch(() => {});
  } else {
    addEventListener("online", again);
    setInterval(again, 10000);
  }
}
