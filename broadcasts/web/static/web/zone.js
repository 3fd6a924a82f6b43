// Names this browser's time zone to the service, unless a cookie names one already.

const ours = Intl.DateTimeFormat().resolvedOptions().timeZone;
const named = () => document.cookie.split("; ").some((cookie) => cookie.startsWith("zone="));

if (ours && !named()) {
  document.cookie = `zone=${ours}; path=/; samesite=lax`;
  // Times that stand on the page already are in another zone; without cookies they stay so.
  const shown = document.querySelector("[data-zone]");
  if (shown && shown.dataset.zone !== ours && named()) location.reload();
}
