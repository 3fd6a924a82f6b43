// Shows how far an export is; at its end the page is loaded again, and offers the package.

const LOOK_MS = 1000;
const progress = document.getElementById("progress");
const bar = progress.querySelector("progress");
const words = document.getElementById("progress-words");
const count = new Intl.NumberFormat("en");

function show({ state, rows_done: done, rows_total: total }) {
  if (state !== "waiting" && state !== "running") {
    location.reload();
    return false;
  }
  if (state === "running" && total) {
    bar.max = total;
    bar.value = done;
    words.textContent = `${count.format(done)} of ${count.format(total)} rows.`;
  }
  return true;
}

async function look() {
  let goOn = true;
  try {
    const answer = await fetch(progress.dataset.address);
    if (!answer.ok) throw new Error(`answered ${answer.status}`);
    goOn = show(await answer.json());
  } catch {
    words.textContent = "How far it is cannot be told just now. Trying again.";
  }
  if (goOn) setTimeout(look, LOOK_MS);
}

look();
