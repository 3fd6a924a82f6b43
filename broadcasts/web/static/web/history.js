// Keeps the history's addresses short: what is empty or usual need not be said.

document.getElementById("ask").addEventListener("formdata", ({ target, formData }) => {
  for (const name of new Set(formData.keys())) {
    const said = formData.getAll(name).filter(Boolean);
    formData.delete(name);
    for (const value of said) formData.append(name, value);
  }
  const columns = [...target.querySelectorAll("[name=columns]")];
  if (columns.every((column) => column.checked === ("usual" in column.dataset))) {
    formData.delete("columns");
  }
});
