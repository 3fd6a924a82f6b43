// Shows below each round whom its filter admits, as it is typed. The service judges, as for calls.

const PAUSE_MS = 250;
let waiting;
let asked = 0;

document.addEventListener("DOMContentLoaded", () => {
  const section = document.querySelector("[data-try]");
  if (!section) return;
  const form = section.closest("form");
  form.addEventListener("input", (event) => {
    if (!event.target.closest("[data-rounds], [name=args]")) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => judge(section, form), PAUSE_MS);
  });
  section.querySelector("[data-replay]").addEventListener("click", (event) => {
    // It submits only when clicked: the Enter key is to save, not to press the first such button.
    const button = event.currentTarget;
    button.type = "submit";
    form.requestSubmit(button);
    button.type = "button";
  });
  judge(section, form);
});

async function judge(section, form) {
  const number = ++asked;
  const body = new FormData();
  for (const [name, value] of new FormData(form)) {
    if (name === "args" || name.startsWith("rounds-") || name === "csrfmiddlewaretoken") body.append(name, value);
  }
  let answer;
  try {
    const response = await fetch(section.dataset.try, { method: "POST", body });
    if (!response.ok) throw new Error(`the service answered ${response.status}`);
    answer = await response.json();
  } catch (error) {
    answer = { rounds: [], faults: [`It could not be tried: ${error.message}.`], args: [] };
  }
  if (number !== asked) return; // Something newer was typed meanwhile.
  const rounds = form.querySelector("[data-rounds]");
  fill(faultsIn(rounds), answer.faults);
  fill(faultsIn(form.querySelector("[name=args]").parentElement), answer.args);
  const rows = rounds.querySelectorAll("ol > li");
  rows.forEach((row, place) => show(row, answer.rounds[place]));
}

function show(row, round) {
  let tried = row.querySelector(".tried");
  if (!tried) row.append((tried = made("div", "tried")));
  tried.replaceChildren();
  if (!round) return;
  fill(faultsIn(tried), round.faults);
  row.querySelector(".filter input").setAttribute("aria-invalid", round.counts === null);
  if (round.counts === null) return;
  const connected = round.listed.filter((one) => one.seen === null);
  const others = round.listed.filter((one) => one.seen !== null);
  const { counts } = round;
  group(tried, "Connected now", connected, counts.connected_in, counts.connected);
  group(tried, "Seen in the last 30 days", others, counts.others_in, counts.others);
}

function group(tried, title, applications, admitted, total) {
  const heading = made("p", "tried-title", `${title}: ${total ? `${admitted} of ${total} in` : "none"}`);
  tried.append(heading);
  if (!applications.length) return;
  const list = made("ul", "tried-names");
  list.setAttribute("aria-label", title);
  list.tabIndex = 0; // So that the keyboard can scroll it.
  for (const one of applications) {
    const item = made("li", "", one.name);
    item.dataset.in = one.in;
    if (one.seen) item.title = `last seen ${one.seen}`;
    item.prepend(made("span", "mark", one.in ? "in" : "out"));
    list.append(item);
  }
  if (total > applications.length) list.append(made("li", "more", `and ${total - applications.length} more`));
  tried.append(list);
}

// The list of what is wrong with a part of the form; made when it is needed first.
function faultsIn(part) {
  let faults = part.querySelector(":scope > .faults");
  if (!faults) {
    part.append((faults = made("ul", "faults")));
    faults.setAttribute("role", "status");
  }
  return faults;
}

function fill(list, texts) {
  list.replaceChildren(...texts.map((text) => made("li", "", text)));
  list.hidden = !texts.length;
}

function made(tag, className, text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}
