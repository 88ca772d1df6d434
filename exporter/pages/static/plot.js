"use strict";
// One plot of one series: samples, the band that was expected, what was strange, and forecasts.

function bytes(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;
}

function unpack(packed, series) {
  return Array.from(new Float32Array(bytes(packed)), (value) =>
    isFinite(value) ? value * series.scale + series.offset : null);
}

function unpackRibbon(ribbon, series, length) {
  const before = new Array(Math.min(ribbon.from, length)).fill(null);
  return ["middle", "lower", "upper"].map((part) => before.concat(unpack(ribbon[part], series)));
}

// Columns of the plot after the time: each ribbon has its middle, lower and upper edge. Later ones are drawn on top.
const BAND = 1, PAST = 4, AHEAD = 7, VALUE = 10, STRANGE = 11;

function columnsOf(series, data) {
  const columns = series.index ? Array.from(new Uint32Array(bytes(series.index))) : Array.from({ length: data.steps }, (_, i) => i);
  const ahead = Array.from(new Uint32Array(bytes(series.aheadIndex)));
  const times = columns.concat(ahead).map((column) => data.start + column * data.step);
  const nothing = new Array(ahead.length).fill(null);
  const values = unpack(series.value, series);
  const scores = Array.from(new Uint16Array(bytes(series.score)), (score) => score / 100);
  const band = unpackRibbon(series.band, series, columns.length).map((part) => part.concat(nothing));
  const past = unpackRibbon(series.past, series, columns.length).map((part) => part.concat(nothing));
  const unseen = new Array(columns.length).fill(null);
  const next = unpackRibbon(series.ahead, series, ahead.length).map((part) => unseen.concat(part));
  const strange = values.map((value, i) => (scores[i] > 1 ? value : null));
  return {
    scores,
    table: [times, ...band, ...past, ...next, values.concat(nothing), strange.concat(nothing)],
    end: data.start + (data.steps - 1) * data.step,
    step: data.step, origins: data.origins, anomalies: series.anomalies,
  };
}

const GROUPS = [
  { name: "Sample", columns: [VALUE], swatch: "value" },
  { name: "Expected", columns: [BAND, BAND + 1, BAND + 2], swatch: "band" },
  { name: "Anomaly", columns: [STRANGE], swatch: "mark" },
  { name: "Past forecast", columns: [PAST, PAST + 1, PAST + 2], swatch: "past" },
  { name: "Forecast", columns: [AHEAD, AHEAD + 1, AHEAD + 2], swatch: "interval" },
];

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

// 24 hours and ISO dates, whatever the browser's language.
const TICKS = [
  [31536e3, "{YYYY}", null, null, null, null, null, null, 1],
  [2419200, "{YYYY}-{MM}", null, null, null, null, null, null, 1],
  [86400, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
];

// The band of a model that still learns may be huge; it must not press the samples flat.
function rangeOf(plot) {
  const [first, last] = plot.series[0].idxs || [0, plot.data[0].length - 1];
  const span = (columns) => {
    let low = Infinity, high = -Infinity;
    for (const column of columns) {
      if (!plot.series[column].show) continue;
      for (let i = first; i <= last; i++) {
        const value = plot.data[column][i];
        if (value != null) { low = Math.min(low, value); high = Math.max(high, value); }
      }
    }
    return [low, high];
  };
  const all = span([VALUE, BAND + 1, BAND + 2, PAST, PAST + 1, PAST + 2, AHEAD, AHEAD + 1, AHEAD + 2]);
  if (all[0] > all[1]) return [0, 1];
  const core = span([VALUE, PAST, AHEAD]);
  const room = core[0] <= core[1] ? (core[1] - core[0] || Math.abs(core[1]) || 1) : Infinity;
  // What never falls below 0, a rate or a duration, needs no room there, whatever its band.
  const floor = core[0] >= 0 ? 0 : -Infinity;
  const low = Math.max(all[0], core[0] - room, floor), high = Math.min(all[1], core[1] + room);
  const [from, to] = room === Infinity ? all : [low, high];
  const margin = (to - from || Math.abs(to) || 1) * 0.06;
  return [from >= 0 && from - margin < 0 ? 0 : from - margin, to + margin];
}

// Behind the curves: stretches of anomalies, where forecasts were made, where the window ends.
function paintBackground(plot, drawn) {
  const { ctx, bbox } = plot;
  const place = (seconds) => plot.valToPos(seconds, "x", true);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = colour("mark-soft");
  for (const [start, stop] of drawn.anomalies) {
    const left = place(start - drawn.step / 2), width = place(stop + drawn.step / 2) - left;
    ctx.fillRect(left, bbox.top, Math.max(width, 3 * uPlot.pxRatio), bbox.height);
  }
  ctx.strokeStyle = colour("axis");
  ctx.lineWidth = uPlot.pxRatio;
  ctx.setLineDash([3 * uPlot.pxRatio, 3 * uPlot.pxRatio]);
  ctx.beginPath();
  ctx.moveTo(place(drawn.end), bbox.top);
  ctx.lineTo(place(drawn.end), bbox.top + bbox.height);
  ctx.stroke();
  ctx.fillStyle = colour("forecast");
  for (const origin of drawn.origins) {
    const x = place(origin), y = bbox.top + bbox.height, size = 4 * uPlot.pxRatio;
    ctx.beginPath();
    ctx.moveTo(x - size, y);
    ctx.lineTo(x + size, y);
    ctx.lineTo(x, y - 1.6 * size);
    ctx.fill();
  }
  ctx.restore();
}

// Runs of strange samples are a thick line; only a strange sample without neighbours needs a dot.
function alone(plot, column) {
  const values = plot.data[column];
  return values.flatMap((value, i) => (value != null && values[i - 1] == null && values[i + 1] == null ? [i] : []));
}

function seriesOptions() {
  const line = (name, more) => ({ stroke: () => colour(name), width: 1.5, points: { show: false }, ...more });
  const edge = { stroke: "transparent", width: 0, points: { show: false } };
  return [
    {},
    line("expected", { width: 1 }), edge, edge,
    line("forecast", { width: 1, dash: [3, 3] }), edge, edge,
    line("forecast"), edge, edge,
    line("value", { width: 1.25, points: { size: 3 } }),
    line("mark", { width: 2.5, points: { show: true, size: 7, width: 0, fill: () => colour("mark"), filter: alone } }),
  ];
}

function plotHeight() {
  return window.innerWidth < 640 ? 220 : 270;
}

function timeAxis() {
  return { ...axisStyle(), values: TICKS, space: 70 };
}

function valueAxis() {
  return { ...axisStyle(), size: (self, labels) => Math.max(46, 14 + 7.2 * Math.max(0, ...(labels || []).map((text) => text.length))), values: (self, ticks) => tickLabels(ticks) };
}

function axisStyle() {
  return { stroke: () => colour("axis"), grid: { stroke: () => colour("grid"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
}

// What all plots of a page share: their size, their clock, and one cursor and zoom for all.
function plotOptions(element, height) {
  return {
    width: element.clientWidth || 600,
    height,
    legend: { show: false },
    padding: [8, 20, 0, 0],
    tzDate: (seconds) => zone.local ? new Date(seconds * 1000) : uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    cursor: {
      y: false,
      drag: { x: true, y: false, dist: 5 },
      points: { size: 7 },
      sync: { key: "page", scales: ["x", null], filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
    },
  };
}

// `drawn` has a table, scores, end, step, origins and anomalies; `hooks.paint` may draw more behind the
// curves, and `hooks.label` on top.
function makePlot(element, drawn, hooks) {
  const plot = new uPlot({
    ...plotOptions(element, plotHeight()),
    scales: { x: { time: true }, y: { range: hooks.range || rangeOf } },
    axes: [timeAxis(), valueAxis()],
    series: seriesOptions(),
    bands: [[BAND, "band"], [PAST, "past"], [AHEAD, "interval"]].map(([first, name]) => (
      { series: [first + 2, first + 1], fill: () => colour(name) })),
    hooks: {
      drawClear: [(self) => paintBackground(self, drawn), ...(hooks.paint ? [hooks.paint] : [])],
      draw: hooks.label ? [hooks.label] : [],
      setCursor: [(self) => hooks.cursor(self)],
      setScale: [(self, name) => name === "x" && hooks.zoom(self)],
    },
  }, drawn.table, element);
  return { plot, drawn, element, height: plotHeight };
}

// Neighbouring ticks must not read the same: as many digits as their distance asks for.
function tickLabels(ticks) {
  const size = Math.max(...ticks.map(Math.abs));
  const step = ticks.length > 1 ? Math.abs(ticks[1] - ticks[0]) : size;
  const [unit, prefix] = [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e4, "k"]].find(([one]) => size >= one && size < 1e18) || [1, ""];
  const scale = prefix === "k" ? 1e3 : unit;
  if (size >= 1e18 || (size < 1e-3 && size > 0)) return ticks.map((tick) => (tick === 0 ? "0" : tick.toExponential(1)));
  let digits = 0;
  while (digits < 9 && Math.abs(+(step / scale).toFixed(digits) - step / scale) > 1e-6 * step / scale) digits++;
  return ticks.map((tick) => (tick / scale).toFixed(digits) + (tick === 0 ? "" : prefix));
}
