"use strict";
// The page of one series: samples at once, then what was expected of them, and what comes next.
const data = JSON.parse(document.getElementById("data").textContent);
const now = data.times[data.times.length - 1];
const unknown = data.times.map(() => null);
let past = { ...data, expected: unknown, lower: unknown, upper: unknown, scores: [], alarms: [] };
let next = { times: [], mean: [], lower: [], upper: [] };
const drawn = { step: data.step, origins: [], end: now };
const SCORE_HEIGHT = 96;

function place(column) {
  return column.concat(next.times.map(() => null));
}

// The columns that `plot.js` draws; there is no past forecast here.
function fill() {
  const before = past.times.map(() => null), nothing = before.concat(next.times.map(() => null));
  const strange = past.values.map((value, i) => (past.scores[i] > 1 ? value : null));
  drawn.scores = past.scores;
  drawn.anomalies = past.alarms.map((alarm) => [alarm.begin, alarm.end, alarm.peak]);
  drawn.table = [
    past.times.concat(next.times),
    place(past.expected), place(past.lower), place(past.upper),
    nothing, nothing, nothing,
    before.concat(next.mean), before.concat(next.lower), before.concat(next.upper),
    place(past.values), place(strange),
  ];
}

function dated() {
  return data.limits.filter((limit) => limit.value != null && limit.time != null);
}

// A limit is in the picture where its date is, or where it is near; one that is far away would press the curve flat.
function rangeWithLimits(plot) {
  const [low, high] = rangeOf(plot);
  let [from, to] = [low, high];
  for (const { value, time } of data.limits) {
    if (value == null) continue;
    const inView = time != null && time <= plot.scales.x.max && time >= plot.scales.x.min;
    if (!inView && (value > high + (high - low) || value < low - (high - low))) continue;
    const margin = 0.06 * (Math.max(to, value) - Math.min(from, value));
    if (value + margin > to) to = value + margin;
    if (value - margin < from) from = value >= 0 && value - margin < 0 ? 0 : value - margin;
  }
  return [from, to];
}

function inside(plot, paint) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.strokeStyle = ctx.fillStyle = colour("mark");
  ctx.font = `${12 * uPlot.pxRatio}px system-ui, sans-serif`;
  ctx.textAlign = "left";
  paint(ctx, bbox, uPlot.pxRatio);
  ctx.restore();
}

// Behind the curves: the interval of each date.
function paintDates(plot) {
  inside(plot, (ctx, bbox, ratio) => {
    ctx.fillStyle = colour("mark-soft");
    for (const { lower, time, upper } of dated()) {
      const left = plot.valToPos(lower ?? time, "x", true), right = upper == null ? bbox.left + bbox.width : plot.valToPos(upper, "x", true);
      ctx.fillRect(left, bbox.top, Math.max(right - left, ratio), bbox.height);
    }
  });
}

// On top, for a limit may lie on a line of the grid: the limit, and the date itself. Their words have a ground of their
// own, so that neither grid nor curve runs through them.
function drawLimits(plot) {
  inside(plot, (ctx, bbox, ratio) => {
    ctx.lineWidth = 1.25 * ratio;
    ctx.setLineDash([6 * ratio, 4 * ratio]);
    for (const { value, time } of data.limits) {
      if (value == null) continue;
      const y = plot.valToPos(value, "y", true), x = time == null ? null : plot.valToPos(time, "x", true);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      if (x != null) {
        ctx.moveTo(x, y);
        ctx.lineTo(x, bbox.top + bbox.height);
      }
      ctx.stroke();
    }
    ctx.setLineDash([]);
    const write = (text, left, bottom) => {
      ctx.fillStyle = colour("surface");
      ctx.fillRect(left - 3 * ratio, bottom - 14 * ratio, ctx.measureText(text).width + 6 * ratio, 15 * ratio);
      ctx.fillStyle = colour("mark");
      ctx.textBaseline = "bottom";
      ctx.fillText(text, left, bottom);
    };
    for (const { limit, value, time } of data.limits) {
      if (value == null) continue;
      const y = plot.valToPos(value, "y", true), text = time == null ? "" : formatTime(time);
      write(`${limit} ${formatNumber(value)}`, bbox.left + 6 * ratio, y < bbox.top + 20 * ratio ? y + 18 * ratio : y - 3 * ratio);
      if (time == null) continue;
      const x = plot.valToPos(time, "x", true), before = x > bbox.left + bbox.width / 2;
      write(text, before ? x - ctx.measureText(text).width - 6 * ratio : x + 6 * ratio, bbox.top + bbox.height - 4 * ratio);
    }
  });
}

function paintThreshold(plot) {
  const { ctx, bbox } = plot, y = plot.valToPos(1, "y", true);
  ctx.save();
  ctx.strokeStyle = colour("mark");
  ctx.lineWidth = uPlot.pxRatio;
  ctx.setLineDash([4 * uPlot.pxRatio, 4 * uPlot.pxRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.fillStyle = colour("axis");
  ctx.font = `${12 * uPlot.pxRatio}px system-ui, sans-serif`;
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  ctx.fillText("score", bbox.left + 6 * uPlot.pxRatio, bbox.top);
  ctx.restore();
}

function scoreTable() {
  return [drawn.table[0], place(past.scores.length ? past.scores : unknown)];
}

function makeScorePlot(element) {
  const plot = new uPlot({
    ...plotOptions(element, SCORE_HEIGHT),
    padding: [4, 20, 8, 0],
    scales: { x: { time: true }, y: { range: (self, min, max) => [0, Math.max(1.6, 1.1 * (max ?? 0))] } },
    axes: [{ ...timeAxis(), show: false }, { ...valueAxis(), splits: (self, axis, min, max) => (max < 4 ? [0, 1] : [0, 1, Math.floor(max / 1.1)]) }],
    series: [{}, { stroke: () => colour("value"), width: 1.25, points: { show: false } }],
    hooks: { drawClear: [(self) => paintBackground(self, drawn)], draw: [paintThreshold], setScale: [(self, name) => name === "x" && followZoom(self)] },
  }, scoreTable(), element);
  return { plot, drawn, element, height: () => SCORE_HEIGHT };
}

function drawAll() {
  fill();
  whole.min = past.times[0];
  whole.max = now + data.ahead;
  const element = document.getElementById("values");
  const entry = makePlot(element, drawn, { cursor: () => showCursor(plots.get("values")), zoom: followZoom, range: rangeWithLimits, paint: paintDates, label: drawLimits });
  makeKeys(entry, GROUPS.filter((group) => group.swatch !== "past"));
  document.getElementById("scores").after(document.querySelector(".keys"));
  element.addEventListener("keydown", (event) => onKey(entry, event));
  const scores = makeScorePlot(document.getElementById("scores"));
  plots.set("values", entry);
  plots.set("scores", scores);
  alignAxes();
  setView(whole.min, whole.max);
}

// Both plots have the same width left of them, so that one instant stands above the other.
function alignAxes() {
  const own = plots.get("values").plot, below = plots.get("scores").plot;
  below.axes[1].size = () => own.axes[1]._size;
  below.redraw(false, true);
}

function drawAgain() {
  fill();
  plots.get("values").plot.setData(drawn.table, false);
  plots.get("scores").plot.setData(scoreTable(), false);
  plots.get("scores").plot.setScale("y", { min: null, max: null });
  setView((view || whole).min, (view || whole).max);
  alignAxes();
}

async function asked(path, parameters) {
  for (let turn = 0; ; turn++) {
    const answer = await fetch(`api/v1/${path}?${new URLSearchParams(parameters)}`);
    const said = await answer.json();
    if (said.status === "success") return said.data;
    if (answer.status !== 503 || turn === 5) throw new Error(said.error);
    await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** turn));
  }
}

function element(name, text, more = {}) {
  return Object.assign(document.createElement(name), { textContent: text }, more);
}

function timeElement(seconds) {
  const made = element("time", formatTime(seconds));
  made.dataset.epoch = seconds;
  return made;
}

function fact(name, ...said) {
  const row = document.createElement("div"), definition = document.createElement("dd");
  definition.append(...said);
  row.append(element("dt", name), definition);
  document.getElementById("long").append(row);
}

function showAlarms() {
  const body = document.querySelector("#alarm-table tbody");
  body.replaceChildren(...past.alarms.slice().reverse().map((alarm) => {
    const row = document.createElement("tr"), cells = [timeElement(alarm.begin), alarm.end === now ? (data.stale ? "not known" : "goes on") : timeElement(alarm.end),
      formatNumber(alarm.score), formatNumber(alarm.value), `${formatNumber(alarm.lower)} to ${formatNumber(alarm.upper)}`];
    cells.forEach((said, column) => {
      const cell = element("td", "", { className: column > 1 ? "right" : "fixed" });
      cell.append(said);
      row.append(cell);
    });
    return row;
  }));
  document.getElementById("alarm-table").hidden = !past.alarms.length;
  const none = document.getElementById("no-alarms");
  none.hidden = past.alarms.length > 0;
  none.textContent = "None.";
}

// What is known not to be there is left out.
function seasonsText(seasons) {
  if (seasons.every((season) => season.strength == null)) return "unknown";
  const told = seasons.filter((season) => season.strength !== 0).map(({ name, seconds, strength }) =>
    `${name === "own" ? formatNumber(seconds / 3600) + " h" : name} ${strength == null ? "unknown" : Math.round(strength * 100) + " %"}`);
  return told.join(", ") || "none";
}

function showLongRun(told) {
  const [series] = told.series, { trend, seasons, changePoints, month, forecaster } = series;
  fact("Seasons", seasonsText(seasons));
  fact("Trend", trend.perDay == null ? "unknown" : `${formatNumber(trend.perDay)} a day, ${formatNumber(trend.lower)} to ${formatNumber(trend.upper)}`);
  changePoints.slice(-4).forEach((change) => fact("Level changed", timeElement(change.time), ` from ${formatNumber(change.before)} to ${formatNumber(change.after)} `, element("span", "to the day, season and trend aside", { className: "muted" })));
  const whole = month.total;
  if (data.counted && whole && whole.mean != null) fact("This month", `${formatNumber(month.soFar)} so far; will end at ${formatNumber(whole.mean)}, ${formatNumber(whole.lower)} to ${formatNumber(whole.upper)}, a value counted for each second`);
  const ratio = forecaster.backtestErrorRatio;
  fact("Forecast by", `${forecaster.leading || forecaster.name}${ratio == null ? "" : `, its past error ${formatNumber(ratio)} of repeating the season`}`);
}

function spanText(seconds) {
  const [size, unit] = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]].find(([one]) => seconds >= one);
  return `${+(seconds / size).toFixed(1)} ${unit}`;
}

const words = { mean: "means", highest: "peaks", lowest: "lows" };
const notes = {};

function note(part, text) {
  notes[part] = text;
  document.getElementById("under").textContent = Object.values(notes).join(" ");
}

async function showPast(answer) {
  past = await answer;
  showAlarms();
  drawAgain();
  note("past", `Judged again from the samples at hand, learning anew every ${spanText(past.learnedEvery)}.`);
}

async function showNext(answer) {
  const told = await answer;
  next = { times: told.times, ...told.series[0] };
  showLongRun(told);
  drawAgain();
  const of = data.forecast.summary ? ` of ${spanText(told.step)} ${words[data.forecast.summary]}` : "";
  note("next", `Forecast${of} with its ${Math.round(told.coverage * 100)} % interval.`);
}

// Asked for first, for the server computes them while the samples are drawn.
const answers = { past: asked("history", data.history), next: asked("forecast", data.forecast) };
showTimes();
drawAll();
for (const [part, show] of [["past", showPast], ["next", showNext]]) {
  show(answers[part]).catch((error) => note(part, `${part === "past" ? "What was expected" : "What comes next"} is not known: ${error.message}`));
}
