// Keeps the verifier for when there is no network: its page, modules, words, style sheet, and the log's keys and policy.
// The server puts `VERSION`, `FILES` (whose addresses change with their content) and `ASKED` before these lines.

/* global VERSION, FILES, ASKED */
const PAGE = "/verify";
const PREFIX = "soi-verify-";
const CACHE = PREFIX + VERSION;
const PATIENCE = 8000;

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname === PAGE) event.respondWith(page(request));
  else if (ASKED.includes(url.pathname) && !url.search) event.respondWith(fresh(request, url.pathname));
  else if (FILES.includes(url.pathname + url.search)) event.respondWith(kept(request));
});

async function install() {
  const cache = await caches.open(CACHE);
  await cache.addAll(FILES);
  await Promise.allSettled([keepPage("vi"), ...ASKED.map(async (path) => put(path, await fetch(path)))]);
  await self.skipWaiting();
}

async function activate() {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  await self.clients.claim();
}

async function kept(request) {
  return (await (await caches.open(CACHE)).match(request)) ?? fetch(request);
}

async function fresh(request, name) {
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE) });
    if (answer.ok) await put(name, answer.clone());
    return answer;
  } catch (error) {
    const old = await (await caches.open(CACHE)).match(name);
    if (old) return old;
    throw error;
  }
}

async function page(request) {
  try {
    const answer = await fetch(request);
    const language = answer.headers.get("Content-Language");
    if (answer.ok && language) await keepPage(language);
    return answer;
  } catch (error) {
    const old = await (await caches.open(CACHE)).match(PAGE);
    if (old) return old;
    throw error;
  }
}

/** The page as a stranger sees it, in the language last read; only if it is the one that these modules belong to. */
async function keepPage(language) {
  const answer = await fetch(`${PAGE}?lang=${language}`, { credentials: "omit" });
  const text = await answer.text();
  if (answer.ok && text.includes(VERSION)) await put(PAGE, new Response(text, { headers: answer.headers }));
}

async function put(name, answer) {
  if (answer.ok) await (await caches.open(CACHE)).put(name, answer);
}
