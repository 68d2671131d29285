// A scanned pack's page for when there is no network: the one last seen, with how old it is said on top of it.
// The server comes first, always. Whatever it answers is what is shown: a recall is never behind an older page.
// Pages are put away by seen.js, which knows them as they came. The server puts `POLICY` before these lines.

/* global POLICY */
const PAGES = "soi-scan-pages";
const FILES = "soi-scan-files";
const UNREACHED = [502, 503, 504];
const STEPS = [["day", 86400], ["hour", 3600], ["minute", 60]];

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && !url.searchParams.has("linkType")) event.respondWith(page(request, url.pathname));
  else if (url.pathname.startsWith("/static/") && url.searchParams.has("v")) event.respondWith(file(request));
});

async function page(request, path) {
  const kept = async () => (await caches.open(PAGES)).match(path);
  try {
    const answer = await fetch(request);
    const before = UNREACHED.includes(answer.status) && (await kept());
    return before ? old(before) : answer;
  } catch (error) {
    const before = await kept();
    if (before) return old(before);
    throw error;
  }
}

/** Addresses of these files change with their content. */
async function file(request) {
  return (await (await caches.open(FILES)).match(request)) ?? fetch(request);
}

/** The kept page with its notice uncovered. It was made of the page's own elements, so no name in it is anybody else's. */
async function old(kept) {
  const text = await kept.text();
  const seen = new Date(kept.headers.get("X-Seen"));
  const language = /<html lang="(\w\w)"/.exec(text)?.[1] ?? "vi";
  const when = new Intl.DateTimeFormat(language === "vi" ? "vi-VN" : "en-GB", { dateStyle: "short", timeStyle: "short" }).format(seen);
  const told = text
    .replace('id="last-seen" hidden=""', 'id="last-seen"')
    .replace("<time></time>", `<time datetime="${seen.toISOString()}">${when} (${ago(seen, language)})</time>`);
  return new Response(told, { headers: { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY } });
}

function ago(seen, language) {
  const seconds = (Date.now() - seen) / 1000;
  const [unit, length] = STEPS.find(([, one]) => seconds >= one) ?? STEPS.at(-1);
  return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-Math.floor(seconds / length), unit);
}
