// Draws the reports' charts. A bar or a point leads to the broadcasts behind it, as its figure in the
// table does.

const charts = JSON.parse(document.getElementById("report-charts")?.textContent ?? "{}");
const dark = matchMedia("(prefers-color-scheme: dark)");
const whole = new Intl.NumberFormat("en");
const tenths = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
let drawn = [];

// Each series has a colour of base.css and, as colour alone tells nothing, a pattern or a shape too.
const LOOKS = {
  claimed: { colour: "--green", pattern: "plain" },
  timed_out: { colour: "--amber", pattern: "rising" },
  abandoned: { colour: "--violet", pattern: "dots" },
  no_candidates: { colour: "--slate", pattern: "level" },
  failed: { colour: "--red", pattern: "crossed" },
  failed_handovers: { colour: "--red", pattern: "crossed" },
  share_of_offers: { colour: "--slate", pattern: "rising" },
  share_of_wins: { colour: "--accent", pattern: "plain" },
  median: { colour: "--accent", point: "circle", dash: [] },
  p95: { colour: "--amber", point: "triangle", dash: [6, 4] },
  p99: { colour: "--red", point: "rectRot", dash: [2, 3] },
};

const counts = { type: "bar", say: (value) => whole.format(value), precision: 0 };
const KINDS = {
  outcomes: { ...counts, stacked: true },
  failed_handovers: counts,
  applications: { type: "bar", say: (value) => `${tenths.format(value * 100)} %` },
  latency: { type: "line", say: duration },
};

function duration(ms) {
  return ms < 1000 ? `${tenths.format(ms)} ms` : `${tenths.format(ms / 1000)} s`;
}

// Both ends: names often differ in the last letters alone. The table has them in full.
function shortened(name) {
  return name.length > 24 ? `${name.slice(0, 12)}…${name.slice(-10)}` : name;
}

// Looks

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const STROKES = {
  rising: (pen) => line(pen, -1, 9, 9, -1, -5, 5, 5, -5, 3, 13, 13, 3),
  crossed: (pen) => line(pen, 0, 8, 8, 0, 0, 0, 8, 8),
  level: (pen) => line(pen, 0, 4, 8, 4),
  dots: (pen) => pen.arc(4, 4, 1.6, 0, 2 * Math.PI),
};

function line(pen, ...points) {
  for (let at = 0; at < points.length; at += 4) {
    pen.moveTo(points[at], points[at + 1]);
    pen.lineTo(points[at + 2], points[at + 3]);
  }
}

function fill(look) {
  const ink = colour(look.colour);
  if (look.pattern === "plain") return ink;
  const tile = Object.assign(document.createElement("canvas"), { width: 8, height: 8 });
  const pen = tile.getContext("2d");
  pen.fillStyle = ink;
  pen.globalAlpha = 0.35;
  pen.fillRect(0, 0, 8, 8);
  pen.globalAlpha = 1;
  pen.strokeStyle = ink;
  pen.lineWidth = 1.8;
  pen.beginPath();
  STROKES[look.pattern](pen);
  if (look.pattern === "dots") pen.fill();
  else pen.stroke();
  return pen.createPattern(tile, "repeat");
}

function dataset(series, kind) {
  const look = LOOKS[series.key];
  const ink = colour(look.colour);
  const common = { label: series.label, data: series.values, borderColor: ink };
  if (kind.type === "bar") {
    return { ...common, backgroundColor: fill(look), borderWidth: 1, maxBarThickness: 48 };
  }
  return {
    ...common,
    backgroundColor: ink,
    borderWidth: 2,
    borderDash: look.dash,
    pointStyle: look.point,
    pointRadius: 4,
    pointHoverRadius: 6,
  };
}

// Charts

function options(chart, kind) {
  const muted = colour("--text-muted");
  const grid = colour("--line");
  return {
    animation: false,
    maintainAspectRatio: false,
    interaction: { mode: "nearest", intersect: kind.type === "bar" },
    onClick: (_, hit) => follow(chart, hit[0]),
    onHover: (event, hit) => {
      event.native.target.classList.toggle("leads", Boolean(address(chart, hit[0])));
    },
    scales: {
      x: {
        stacked: kind.stacked,
        ticks: {
          color: muted,
          maxRotation: 45,
          callback: (_, at) => shortened(chart.labels[at]),
        },
        grid: { display: false },
      },
      y: {
        stacked: kind.stacked,
        beginAtZero: true,
        ticks: { color: muted, callback: kind.say, maxTicksLimit: 6, precision: kind.precision },
        grid: { color: grid },
        border: { display: false },
      },
    },
    plugins: {
      legend: {
        display: chart.series.length > 1,
        align: "start",
        labels: {
          color: colour("--text"),
          usePointStyle: kind.type === "line",
          boxWidth: kind.type === "line" ? 8 : 18,
          boxHeight: kind.type === "line" ? 8 : 12,
          padding: 14,
        },
      },
      tooltip: {
        callbacks: { label: (item) => `${item.dataset.label}: ${kind.say(item.raw)}` },
      },
    },
  };
}

function address(chart, hit) {
  return hit ? chart.series[hit.datasetIndex].addresses[hit.index] : "";
}

function follow(chart, hit) {
  const to = address(chart, hit);
  if (to) location.assign(to);
}

function draw() {
  for (const chart of drawn) chart.destroy();
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  drawn = [...document.querySelectorAll("canvas[data-chart]")].map((canvas) => {
    const chart = charts[canvas.dataset.chart];
    const kind = KINDS[canvas.dataset.chart];
    const datasets = chart.series.map((series) => dataset(series, kind));
    return new Chart(canvas, {
      type: kind.type,
      data: { labels: chart.labels, datasets },
      options: options(chart, kind),
    });
  });
}

draw();
dark.addEventListener("change", draw);
addEventListener("beforeprint", () => drawn.forEach((chart) => chart.resize()));
