// A WebSocket that stays: it reconnects with growing, jittered delays and notices a dead line.

const FIRST_DELAY = 500;
const LONGEST_DELAY = 15_000;
const GROWTH = 1.8;
// The service speaks at least every 5 s; a line that is silent for longer is dead.
const SILENCE = 12_000;

export class LiveSocket {
  // onMessage(data) takes each parsed message. onState(state) is told of every change:
  // { live: true } or { live: false, since, retryAt } with Dates, since null before the first message.
  constructor(path, { onMessage, onState }) {
    this.url = new URL(path, location.href);
    this.url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.onMessage = onMessage;
    this.onState = onState;
    this.delay = FIRST_DELAY;
    this.lastHeard = null;
    this.connect();
  }

  connect() {
    clearTimeout(this.retry);
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.watch();
    socket.addEventListener("message", (event) => this.heard(socket, event.data));
    socket.addEventListener("close", (event) => this.lost(socket, event.code));
  }

  // Reconnect at once, as when somebody asks for it.
  connectNow() {
    this.drop(this.socket);
    this.connect();
  }

  heard(socket, data) {
    if (socket !== this.socket) return;
    this.delay = FIRST_DELAY;
    this.lastHeard = new Date();
    this.watch();
    this.onMessage(JSON.parse(data));
    socket.send("drawn");
    this.onState({ live: true });
  }

  watch() {
    clearTimeout(this.silence);
    const socket = this.socket;
    this.silence = setTimeout(() => this.lost(socket), SILENCE);
  }

  lost(socket, code) {
    if (socket !== this.socket) return;
    this.drop(socket);
    if (code === 4401) return location.reload();
    const delay = this.delay * (0.5 + Math.random() / 2);
    this.delay = Math.min(this.delay * GROWTH, LONGEST_DELAY);
    this.retry = setTimeout(() => this.connect(), delay);
    this.onState({ live: false, since: this.lastHeard, retryAt: new Date(Date.now() + delay) });
    if (code === 1006) this.checkSession();
  }

  drop(socket) {
    clearTimeout(this.silence);
    this.socket = null;
    socket?.close();
  }

  // A refused handshake looks like a lost line; only the page itself tells that we are signed out.
  async checkSession() {
    const answer = await fetch(location.href, { method: "HEAD", redirect: "manual" }).catch(() => null);
    if (answer?.type === "opaqueredirect") location.reload();
  }
}
