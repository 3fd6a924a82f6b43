// Rules are dragged into the order in which they are tried. Sorting is unfold's Alpine plug-in's;
// the server is told beside which rule one was dropped, so pages and filters do not matter.

const rows = () => [...document.querySelectorAll("#result_list > tbody")];
const ruleOf = (row) => row?.querySelector("[data-rule]")?.dataset.rule;

document.addEventListener("alpine:init", () => {
  const table = document.querySelector("#result_list");
  if (!table?.querySelector("[data-rule]")) return;
  document.querySelector("#order-hint")?.removeAttribute("hidden");
  table.setAttribute("x-sort.ghost", "$dispatch('dropped', $item)");
  for (const row of rows()) {
    row.setAttribute("x-sort:item", ruleOf(row));
    const handle = row.querySelector("[data-rule]");
    handle.setAttribute("x-sort:handle", "");
    handle.innerHTML = '<span class="material-symbols-outlined" title="Drag to move">drag_indicator</span>';
  }
  table.addEventListener("dropped", (event) => moved(String(event.detail)));
});

async function moved(rule) {
  const order = rows().map(ruleOf);
  const place = order.indexOf(rule);
  const body = new FormData();
  if (place + 1 < order.length) body.set("before", order[place + 1]);
  else body.set("after", order[place - 1]);
  try {
    const answer = await fetch(`${rule}/move/`, {
      method: "POST",
      body,
      headers: { "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value },
    });
    if (!answer.ok) throw new Error(`the service answered ${answer.status}`);
    const { position } = await answer.json();
    renumber(order, rule, position);
    say(`Moved to position ${position}. It counts from the next call on.`);
  } catch (error) {
    say(`The rule could not be moved: ${error.message}. Reload the page and try again.`, true);
  }
}

// Those that were passed moved by one; reading them again would take a request more.
function renumber(order, rule, position) {
  const cells = new Map(rows().map((row) => [ruleOf(row), row.querySelector(".field-position")]));
  const old = Number(cells.get(rule).textContent);
  for (const [key, cell] of cells) {
    const number = Number(cell.textContent);
    if (key === rule) cell.textContent = position;
    else if (number >= position && number < old) cell.textContent = number + 1;
    else if (number <= position && number > old) cell.textContent = number - 1;
  }
}

function say(text, failed = false) {
  const state = document.querySelector("#order-state");
  state.hidden = false;
  state.dataset.failed = failed;
  state.textContent = text;
}
