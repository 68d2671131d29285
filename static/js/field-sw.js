// Keeps the field app for when there is no network: its page, modules, pictures and sounds, all of one version. The
// app's data is none of its business: the app keeps that itself. A new version is fetched whole beside the old one and
// takes over once no page of the old one is open, so that no page is ever of two versions.
// The server puts `VERSION`, `FILES` (whose addresses change with their content), `LANGUAGES` and, where a browser's
// service workers can import modules, `sendInBackground` before these lines.

/* global VERSION, FILES, LANGUAGES, sendInBackground */
const PAGE = "/field";
const PREFIX = "soi-field-";
const CACHE = PREFIX + VERSION;
/** What outlives versions: the language in which the page was last read. */
const READER = "soi-reader";
const SPOKEN = "/field/language";
const TAG = "soi-field";

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && url.pathname === PAGE) event.respondWith(page(url.searchParams.get("lang")));
  else if (FILES.includes(url.pathname + url.search)) event.respondWith(kept(request));
});
self.addEventListener("sync", (event) => {
  if (event.tag === TAG) event.waitUntil(send());
});

async function install() {
  const cache = await caches.open(CACHE);
  try {
    await cache.addAll(FILES);
    // The pages come last: if the village changed meanwhile, they tell.
    for (const language of LANGUAGES) await keepPage(cache, language);
  } catch (error) {
    await caches.delete(CACHE);
    throw error;
  }
  if (!(await spoken())) await speak((await fetch(PAGE, { cache: "no-store" })).headers.get("Content-Language"));
}

async function activate() {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
}

async function keepPage(cache, language) {
  const address = `${PAGE}?lang=${language}`;
  const answer = await fetch(address, { credentials: "omit", cache: "no-store" });
  if (!answer.ok || answer.headers.get("Soi-Version") !== VERSION) throw new Error("the village changed meanwhile");
  await cache.put(address, answer);
}

async function page(asked) {
  if (LANGUAGES.includes(asked)) await speak(asked);
  const language = (await spoken()) ?? LANGUAGES[0];
  return (await (await caches.open(CACHE)).match(`${PAGE}?lang=${language}`)) ?? fetch(PAGE);
}

async function kept(request) {
  return (await (await caches.open(CACHE)).match(request)) ?? fetch(request);
}

async function spoken() {
  const answer = await (await caches.open(READER)).match(SPOKEN);
  const language = await answer?.text();
  return LANGUAGES.includes(language) ? language : null;
}

async function speak(language) {
  if (LANGUAGES.includes(language)) await (await caches.open(READER)).put(SPOKEN, new Response(language));
}

/**
 * The network is back. A page that is open sends itself; whether it did, it alone knows, so the browser is to ask again,
 * at its own pace, in case that it is closed before.
 */
async function send() {
  const open = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const ours = open.filter((one) => new URL(one.url).pathname === PAGE);
  for (const one of ours) one.postMessage("send");
  if (ours.length) throw new Error("a page is at it");
  if (sendInBackground) await sendInBackground();
}
