// Tries the connection with what the form holds; nothing is saved.

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-test-connection]");
  if (!button) return;
  const result = document.querySelector("[data-test-result]");
  const body = new FormData(button.closest("form"));
  body.set("server", button.dataset.server);
  button.disabled = true;
  result.dataset.ok = "";
  result.textContent = "Connecting …";
  try {
    const answer = await fetch(button.dataset.testConnection, { method: "POST", body });
    if (!answer.ok) throw new Error(`the service answered ${answer.status}`);
    const { ok, words } = await answer.json();
    result.dataset.ok = ok;
    result.textContent = words;
  } catch (error) {
    result.dataset.ok = false;
    result.textContent = `The test itself failed: ${error.message}.`;
  } finally {
    button.disabled = false;
  }
});
