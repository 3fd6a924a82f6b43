// Draws the live board from what its socket says.

import { LiveSocket } from "./live_socket.js";

const LABELS = {
  open: "Offered",
  claimed: "Claimed",
  timed_out: "Timed out",
  abandoned: "Abandoned",
  no_candidates: "No candidates",
  failed: "Failed",
  up: "Up",
  down: "Down",
};

const byId = (id) => document.getElementById(id);
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });
const dateAndClock = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "short",
  hourCycle: "h23",
});
const whole = new Intl.NumberFormat();

let board = null; // what was said last
let held = false;
let clockAhead = 0; // how many ms our clock is ahead of the service's
const rows = new Map(); // broadcasts by id
const drawn = { recent: new Map(), waiting: new Map() }; // elements by broadcast id

const socket = new LiveSocket("/ws/board/", { onMessage: take, onState: showConnection });

// Taking messages

function take(message) {
  clockAhead = Date.now() - Date.parse(message.now);
  for (const row of message.rows) rows.set(row.id, row);
  const shown = new Set([...message.recent, ...message.waiting]);
  for (const id of rows.keys()) if (!shown.has(id)) rows.delete(id);
  board = message;
  if (!held) draw();
}

function draw() {
  drawSummary(board.summary);
  drawRows("waiting", board.waiting, drawWaiting);
  drawRows("recent", board.recent, drawRecent);
  drawList("links", board.links, drawLink);
  drawList("applications", board.applications.listed, drawApplication);
  drawHints();
  tick();
  byId("board").setAttribute("aria-busy", "false");
}

function drawHints() {
  const more = board.summary.open - board.waiting.length;
  byId("waiting-hint").textContent = more > 0 ? `+ ${whole.format(more)} more` : "";
  byId("recent-hint").textContent = board.recent.length >= 100 ? "the newest 100" : "";
  const { count, listed } = board.applications;
  const cut = count > listed.length ? `, the first ${listed.length} shown` : "";
  byId("applications-hint").textContent = count ? `${whole.format(count)}${cut}` : "";
}

function drawSummary(summary) {
  for (const cell of document.querySelectorAll("[data-count]")) {
    setText(cell, whole.format(summary[cell.dataset.count]));
  }
  setText(byId("median"), duration(summary.median_claim_ms) || "–");
}

// Drawing rows: each element is made once, filled again when its row is new, and put in its place

function drawRows(name, ids, fill) {
  const list = byId(name);
  const elements = drawn[name];
  const wanted = new Set(ids);
  for (const [id, element] of elements) {
    if (!wanted.has(id)) {
      element.remove();
      elements.delete(id);
    }
  }
  let place = list.firstElementChild;
  for (const id of ids) {
    const element = elements.get(id) ?? make(name === "recent" ? "recent-row" : "waiting-card");
    if (element.row !== rows.get(id)) {
      element.row = rows.get(id);
      fill(element, element.row);
    }
    elements.set(id, element);
    if (element === place) place = place.nextElementSibling;
    else list.insertBefore(element, place);
  }
  showEmpty(name, ids.length === 0);
}

function drawList(name, items, fill) {
  const template = { links: "link-item", applications: "application-item" }[name];
  const said = JSON.stringify(items);
  const list = byId(name);
  if (list.said === said) return;
  list.said = said;
  list.replaceChildren(
    ...items.map((item) => {
      const element = make(template);
      fill(element, item);
      return element;
    }),
  );
  showEmpty(name, items.length === 0);
}

function drawRecent(element, row) {
  const at = new Date(row.opened_at);
  const time = field(element, "time");
  time.dateTime = row.opened_at;
  time.title = at.toLocaleString();
  setText(time, clock.format(at));
  field(element, "link").href = `/broadcasts/${row.id}/`;
  drawParties(element, row);
  const channel = field(element, "channel");
  setText(channel, [row.server, row.channel].join(" · "));
  channel.title = channel.textContent;
  setOrNone(field(element, "offered"), offered(row));
  setOrNone(field(element, "winner"), row.winner);
  setOrNone(field(element, "latency"), duration(row.claim_ms));
  setStatus(field(element, "status"), row.status);
  setText(field(element, "note"), note(row));
  setOrNone(field(element, "stasis"), row.stasis_status);
}

function drawWaiting(element, row) {
  drawParties(element, row);
  setText(field(element, "offered"), offered(row) || "nobody");
  tickCard(element);
}

function drawParties(element, row) {
  const caller = field(element, "caller");
  setText(caller, row.caller || "unknown");
  caller.title = row.caller_name;
  setText(field(element, "called"), row.called || "s");
}

function drawLink(element, link) {
  setText(field(element, "name"), link.name);
  setStatus(field(element, "status"), link.up ? "up" : "down");
  const since = link.since ? `since ${when(link.since)}` : "";
  const version = link.version ? `Asterisk ${link.version}` : "";
  setText(field(element, "state"), [version, since].filter(Boolean).join(", "));
  const before = link.up && link.last_error ? `Before: ${link.last_error}` : "";
  const error = field(element, "error");
  setText(error, link.up ? before : link.error);
  error.classList.toggle("error", !link.up);
}

function drawApplication(element, application) {
  setText(field(element, "name"), application.name);
  setText(field(element, "server"), application.server);
  setText(field(element, "state"), `${application.user}, since ${when(application.since)}`);
}

function note(row) {
  const talked = row.talk_ms === null ? "" : `talked ${talkTime(row.talk_ms)}`;
  const said = row.stage === "ended" ? talked || "ended" : row.stage;
  const reason = row.status === "failed" ? row.reason : "";
  return [said, reason, ...row.warnings].filter(Boolean).join(" · ");
}

function offered(row) {
  const more = row.offered_more > 0 ? ` +${row.offered_more} more` : "";
  return row.offered.join(", ") + more;
}

// Time passes without messages

function tick() {
  for (const element of drawn.waiting.values()) tickCard(element);
}

function tickCard(element) {
  const now = Date.now() - clockAhead;
  const opened = Date.parse(element.row.opened_at);
  const left = Date.parse(element.row.deadline) - now;
  setText(field(element, "waited"), `${(Math.max(0, now - opened) / 1000).toFixed(1)} s`);
  setText(field(element, "left"), left > 0 ? `${Math.ceil(left / 1000)} s left` : "time is up");
  const bar = element.querySelector("progress");
  bar.value = Math.min(1, (now - opened) / (now - opened + Math.max(0, left)) || 0);
}

setInterval(() => {
  if (connection.live && !held) tick();
  if (!connection.live) showRetry();
}, 500);

// The connection

let connection = { live: false, since: null, retryAt: null };

function showConnection(state) {
  const changed = state.live !== connection.live || !state.live;
  connection = state;
  if (!changed) return;
  byId("board").toggleAttribute("data-stale", !state.live);
  byId("stale").hidden = state.live;
  showChip();
  if (state.live) return;
  setText(
    byId("stale-since"),
    state.since
      ? `Not up to date since ${clock.format(state.since)}: the connection to the service is lost.`
      : "The service cannot be reached.",
  );
  showRetry();
}

function showRetry() {
  if (!connection.retryAt) return;
  const seconds = Math.ceil((connection.retryAt - Date.now()) / 1000);
  setText(byId("stale-retry"), seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again…");
}

function showChip() {
  const chip = byId("connection");
  const [state, shape, text] = !connection.live
    ? ["stale", "warning", "Stale"]
    : held
      ? ["held", "pause", "Held"]
      : ["live", "live", "Live"];
  chip.dataset.state = state;
  setShape(chip, shape);
  setText(chip.lastElementChild, text);
}

byId("retry").addEventListener("click", () => socket.connectNow());

byId("hold").addEventListener("click", (event) => {
  held = !held;
  event.target.setAttribute("aria-pressed", held);
  showChip();
  if (!held && board) draw();
});

// Small things

function make(template) {
  return byId(template).content.firstElementChild.cloneNode(true);
}

function field(element, name) {
  return element.querySelector(`[data-field="${name}"]`);
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setOrNone(element, text) {
  if (text) return setText(element, text);
  const none = document.createElement("span");
  none.className = "none";
  none.textContent = "–";
  element.replaceChildren(none);
}

function setStatus(chip, status) {
  chip.dataset.status = status;
  setShape(chip, status);
  setText(chip.lastElementChild, LABELS[status]);
}

function setShape(chip, shape) {
  chip.querySelector("use").setAttribute("href", `#shape-${shape}`);
}

function showEmpty(name, empty) {
  byId(name).hidden = empty;
  byId(`${name}-empty`).hidden = !empty;
}

function duration(ms) {
  if (ms === null) return "";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

function talkTime(ms) {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function when(moment) {
  const at = new Date(moment);
  const today = at.toDateString() === new Date().toDateString();
  return (today ? clock : dateAndClock).format(at);
}
