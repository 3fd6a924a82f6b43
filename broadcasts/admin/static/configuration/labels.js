// Gives the boxes that select2 puts in a field's place the name that the field's label gives it.

function name() {
  for (const select of document.querySelectorAll("select.admin-autocomplete")) {
    const label = document.querySelector(`label[for="${select.id}"]`);
    const box = select.nextElementSibling;
    if (!label || !box?.matches(".select2")) continue;
    for (const part of box.querySelectorAll("[role=combobox], [role=textbox], input")) {
      part.removeAttribute("aria-labelledby");
      part.setAttribute("aria-label", label.textContent.trim().replace(/\*$/, ""));
    }
  }
}

document.addEventListener("DOMContentLoaded", () => {
  // It puts them there some time later, and new ones as lines are added.
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
  name();
});
