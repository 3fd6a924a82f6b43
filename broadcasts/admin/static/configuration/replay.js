// Replays a draft slice by slice, each by a request of its own, and adds up what comes of them: so it
// can go back as far as one likes, shows how far it is, and can be stopped and taken up again.

const SUMS = ["examined", "changed", "unreached", "lost_winners"];
const number = (value) => value.toLocaleString("en");

let running = null; // The replay that is shown; another one takes its place.

document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("form[data-replay]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    begin(form);
  });
  document.querySelector("[data-stop]").addEventListener("click", () => {
    if (running.request) running.request.abort();
    else goOn(running);
  });
  if ("begin" in form.dataset) begin(form);
});

function begin(form) {
  running?.request?.abort();
  const total = { examined: 0, changed: 0, unreached: 0, lost_winners: 0, gains: new Map(), losses: new Map() };
  running = { form, draft: new FormData(form), total, place: "", request: null };
  document.querySelector("#result").hidden = false;
  reached(0, "");
  goOn(running);
}

async function goOn(replay) {
  replay.request = new AbortController();
  button("Stop");
  say("Looking at the calls …");
  try {
    while (replay.place !== null) take(replay, await slice(replay));
    say(inWords(replay.total));
  } catch (error) {
    if (running !== replay) return;
    const why = error.name === "AbortError" ? "It was stopped" : `It broke off: ${error.message}`;
    say(`${why}. So far: ${inWords(replay.total)}`, error.name !== "AbortError");
  } finally {
    replay.request = null;
    if (running === replay) button(replay.place === null ? "" : "Go on");
  }
}

async function slice(replay) {
  replay.draft.set("place", replay.place);
  const { signal } = replay.request;
  const answer = await fetch(replay.form.dataset.replay, { method: "POST", body: replay.draft, signal });
  // What is wrong with the form is said by the page that a plain form gets.
  if (answer.status === 400) replay.form.submit();
  if (!answer.ok) throw new Error(`the service answered ${answer.status}`);
  return answer.json();
}

function take(replay, found) {
  const { total } = replay;
  for (const name of SUMS) total[name] += found[name];
  for (const name of ["gains", "losses"]) {
    for (const [application, count] of Object.entries(found[name])) {
      total[name].set(application, (total[name].get(application) ?? 0) + count);
    }
    table(document.querySelector(`[data-table=${name}]`), total[name]);
  }
  replay.place = found.place;
  reached(found.done, `${number(total.examined)} calls${found.back_to ? `, back to ${found.back_to}` : ""}`);
  const pairs = document.querySelector("#result .pairs");
  pairs.hidden = !total.changed;
  for (const cell of pairs.querySelectorAll("[data-count]")) cell.textContent = number(total[cell.dataset.count]);
}

function table(part, counts) {
  const most = Number(part.dataset.most);
  const rows = [...counts].sort(([a, more], [b, fewer]) => fewer - more || (a < b ? -1 : 1));
  part.hidden = !rows.length;
  part.querySelector("tbody").replaceChildren(
    ...rows.slice(0, most).map(([application, count]) => row(application, `${number(count)} ${part.dataset.comparison}`)),
  );
  part.querySelector(".hint").hidden = rows.length <= most;
  part.querySelector("[data-unlisted]").textContent = number(rows.length - most);
}

function row(application, offered) {
  const line = document.createElement("tr");
  const head = line.appendChild(document.createElement("th"));
  head.scope = "row";
  head.textContent = application;
  const cell = line.appendChild(document.createElement("td"));
  cell.dataset.label = "Calls offered";
  cell.textContent = offered;
  return line;
}

function inWords({ changed, examined }) {
  if (!examined) return "There were no such calls in this period.";
  return `${number(changed)} of ${number(examined)} calls would have reached other applications.`;
}

function reached(share, words) {
  document.querySelector("#result .progress").hidden = false;
  document.querySelector("#result progress").value = share;
  document.querySelector("[data-reached]").textContent = words;
}

function button(label) {
  const stop = document.querySelector("[data-stop]");
  stop.hidden = !label;
  stop.textContent = label;
}

function say(text, failed = false) {
  const state = document.querySelector("#result .notice");
  state.dataset.failed = failed;
  state.textContent = text;
}
