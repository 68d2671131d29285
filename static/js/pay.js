// While a buyer pays: asks now and then whether the order's page would show something else, and then loads it anew.
// Puts a button for copying beside each value to type.
const shown = document.querySelector("[data-pay]");
const FIRST = 2500; // milliseconds
const SLOWEST = 20000;
const HOURS = 2 * 3600 * 1000; // a page that is left open all night asks no more

// The promise to tell by itself is a script's.
for (const words of shown.querySelectorAll("[data-waiting]")) words.hidden = false;

const begun = Date.now();
let pause = FIRST;
let timer;

async function look() {
  try {
    const answer = await fetch(shown.dataset.pay, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (!answer.ok) throw new Error(answer.status);
    const { state } = await answer.json();
    if (state !== shown.dataset.seen) {
      location.reload();
      return;
    }
    pause = Math.min(pause * 1.2, SLOWEST);
  } catch {
    pause = SLOWEST; // the network comes and goes here
  }
  later();
}

function later() {
  clearTimeout(timer);
  if (!document.hidden && Date.now() - begun < HOURS) timer = setTimeout(look, pause);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return clearTimeout(timer);
  pause = FIRST; // back from the bank's own app: the money may be there already
  look();
});
later();

if (navigator.clipboard) {
  const vietnamese = document.documentElement.lang !== "en";
  for (const value of shown.querySelectorAll("[data-copied]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet small";
    button.textContent = vietnamese ? "Chép" : "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(value.dataset.copied);
      button.textContent = vietnamese ? "Đã chép" : "Copied";
    });
    value.after(" ", button);
  }
}
