// Draws a job's progress without loading the page anew; loads it once when the job has its end.
const shown = document.querySelector("[data-job]");
const bar = shown.querySelector("progress");
const words = shown.querySelector("[role=status]");
const EVERY = 1000; // milliseconds

let last = "";

async function look() {
  let job;
  try {
    const answer = await fetch(shown.dataset.job, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.status);
    job = await answer.json();
  } catch {
    setTimeout(look, EVERY * 5); // the network comes and goes here
    return;
  }
  if (!job.going) {
    location.reload();
    return;
  }
  if (job.total) {
    bar.max = job.total;
    bar.value = job.done;
  } else {
    bar.removeAttribute("value");
  }
  if (job.said !== last) words.textContent = last = job.said;
  setTimeout(look, EVERY);
}

setTimeout(look, EVERY);
