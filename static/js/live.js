// Keeps the livestream console fresh. Without it the page works as well: each tap loads it anew.

const EVERY = 3000;
const PARTS = ["live-stream", "live-side"];
const offline = document.getElementById("live-offline");
const url = document.querySelector("[data-refresh]")?.dataset.refresh;

/** True while somebody types or has a fix open: nothing is pulled from under her hands. */
function busy(part) {
  const active = document.activeElement;
  return part.querySelector("details[open]") !== null
    || (part.contains(active) && ["INPUT", "SELECT", "TEXTAREA", "BUTTON"].includes(active.tagName));
}

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of PARTS) {
      const [now, next] = [document.getElementById(id), fresh.getElementById(id)];
      if (now && next && !busy(now) && now.innerHTML !== next.innerHTML) now.replaceWith(document.adoptNode(next));
    }
    offline.hidden = true;
  } catch {
    offline.hidden = false;
  }
}

async function loop() {
  await refresh();
  setTimeout(loop, EVERY);
}

if (url) setTimeout(loop, EVERY);
document.addEventListener("visibilitychange", refresh);
