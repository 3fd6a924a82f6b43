// Rows of rounds that can be added and removed.

const rowsOf = (rounds) => rounds.querySelectorAll("ol > li");

function limit(rounds) {
  const number = rowsOf(rounds).length;
  rounds.querySelector("[data-add-round]").disabled = number >= Number(rounds.dataset.most);
  for (const button of rounds.querySelectorAll("ol [data-remove-round]")) button.disabled = number < 2;
}

document.addEventListener("click", (event) => {
  const rounds = event.target.closest("[data-rounds]");
  if (rounds && event.target.closest("[data-add-round]")) {
    const row = rounds.querySelector("template").content.cloneNode(true);
    rounds.querySelector("ol").append(row);
    limit(rounds);
    [...rowsOf(rounds)].at(-1).querySelector("input").focus();
    rounds.dispatchEvent(new Event("input", { bubbles: true }));
  } else if (rounds && event.target.closest("[data-remove-round]")) {
    event.target.closest("li").remove();
    limit(rounds);
    rounds.dispatchEvent(new Event("input", { bubbles: true }));
  }
});

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-rounds]").forEach(limit);
});
