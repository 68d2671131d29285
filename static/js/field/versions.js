// The service worker that keeps the app for when there is no network, and new versions of it.

const WORKER = "/field/sw.js";
const PAGE = "/field";

/**
 * @param {() => void} waiting called when a new version waits for the app to be opened anew
 */
export async function watchVersions(waiting) {
  if (location.pathname !== PAGE || !navigator.serviceWorker) return;
  const registration = await register().catch(() => null);
  if (!registration) return;
  const look = () => registration.waiting && navigator.serviceWorker.controller && waiting();
  const watch = () => registration.installing?.addEventListener("statechange", look);
  registration.addEventListener("updatefound", watch);
  // One that was found while the page loaded.
  watch();
  look();
  await registration.update().catch(() => {});
}

/** As a module, which can send in the background; else as a plain script, which cannot. */
async function register() {
  try {
    return await navigator.serviceWorker.register(WORKER, { scope: PAGE, type: "module" });
  } catch {
    return navigator.serviceWorker.register(`${WORKER}?kind=classic`, { scope: PAGE });
  }
}

/** Ask to be woken when there is a network, also when the app is closed; where a browser does that. */
export async function askToBeWoken() {
  const registration = await navigator.serviceWorker?.getRegistration(PAGE);
  await registration?.sync?.register("soi-field");
}
