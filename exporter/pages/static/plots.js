"use strict";
// The plots of a page: their keys, one zoom for all, and the keyboard.
const spoken = document.getElementById("spoken");
const reset = document.getElementById("reset");
const plots = new Map();
const whole = { min: 0, max: 1 };
let view = null;

function swatch(kind) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 18 12");
  svg.setAttribute("class", "swatch");
  svg.setAttribute("aria-hidden", "true");
  const draw = (tag, attributes) => {
    const shape = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, value);
    svg.append(shape);
  };
  const line = (stroke, dash) => draw("path", { d: "M0 6H18", stroke: `var(--${stroke})`, "stroke-width": 2, "stroke-dasharray": dash || "none" });
  if (kind === "mark") draw("circle", { cx: 9, cy: 6, r: 4, fill: "var(--mark)" });
  if (["band", "past", "interval"].includes(kind)) draw("rect", { width: 18, height: 12, fill: `var(--${kind})` });
  if (kind === "value") line("value");
  if (kind === "band") line("expected");
  if (kind === "past") line("forecast", "3 2");
  if (kind === "interval") line("forecast");
  return svg;
}

function makeKeys(entry, groups) {
  entry.groups = groups;
  const keys = document.createElement("div");
  keys.className = "keys";
  entry.when = document.createElement("span");
  entry.when.className = "when";
  entry.outputs = groups.map((group) => {
    const button = document.createElement("button"), output = document.createElement("output");
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    button.append(swatch(group.swatch), group.name, output);
    button.addEventListener("click", () => {
      const show = button.getAttribute("aria-pressed") === "false";
      button.setAttribute("aria-pressed", String(show));
      for (const column of group.columns) entry.plot.setSeries(column, { show });
    });
    keys.append(button);
    return output;
  });
  keys.append(entry.when);
  entry.element.after(keys);
}

function describe(entry, at) {
  const { plot, drawn: { scores } } = entry;
  return entry.groups.map((group) => {
    if (at == null) return "";
    if (group.swatch === "mark") return at < scores.length ? "score " + formatNumber(scores[at]) : "";
    const text = formatNumber(plot.data[group.columns[0]][at]);
    if (group.columns.length === 1 || text === "–") return text;
    return `${text} [${group.columns.slice(1).map((column) => formatNumber(plot.data[column][at])).join(", ")}]`;
  });
}

function showCursor(entry) {
  if (!entry || !entry.outputs) return;
  const at = entry.plot.cursor.left >= 0 ? entry.plot.cursor.idx : null;
  entry.when.textContent = at == null ? "" : `${formatTime(entry.plot.data[0][at])} ${zone.local ? "" : "UTC"}`;
  describe(entry, at).forEach((text, group) => { entry.outputs[group].textContent = text; });
}

function setView(min, max) {
  const low = Math.max(whole.min, min), high = Math.min(whole.max, max);
  view = low <= whole.min && high >= whole.max ? null : { min: low, max: high };
  reset.disabled = view === null;
  for (const { plot } of plots.values()) plot.setScale("x", view || whole);
}

function followZoom(plot) {
  const { min, max } = plot.scales.x, now = view || whole;
  if (plots.size && min != null && (Math.abs(min - now.min) > 1e-3 || Math.abs(max - now.max) > 1e-3)) setView(min, max);
}

// A new scale is in force from the next microtask on: only then does a time have its place.
function placeCursor(plot, time) {
  queueMicrotask(() => plot.setCursor({ left: plot.valToPos(time, "x"), top: 10 }));
}

function moveCursor(entry, at) {
  const { plot } = entry, last = plot.data[0].length - 1, to = Math.max(0, Math.min(last, at));
  const time = plot.data[0][to], now = view || whole;
  if (time < now.min || time > now.max) setView(time - (now.max - now.min) / 2, time + (now.max - now.min) / 2);
  placeCursor(plot, time);
  const said = describe(entry, to).map((text, group) => (text && text !== "–" ? `${entry.groups[group].name} ${text}` : ""));
  spoken.textContent = [formatTime(time), ...said.filter(Boolean)].join(", ");
}

function nextAnomaly(entry, direction) {
  const { plot, drawn } = entry, at = plot.cursor.idx, now = at == null ? -Infinity : plot.data[0][at];
  const peaks = drawn.anomalies.map((mark) => mark[2]).sort((a, b) => direction * (a - b));
  const peak = peaks.find((time) => direction * (time - now) > 0) ?? peaks[0];
  if (peak !== undefined) moveCursor(entry, plot.valToIdx(peak));
}

function zoomAround(entry, factor) {
  const { plot } = entry, now = view || whole, at = plot.cursor.idx;
  const middle = at == null ? (now.min + now.max) / 2 : plot.data[0][at];
  const half = Math.max(entry.drawn.step * 2, (now.max - now.min) * factor / 2);
  setView(middle - half, middle + half);
  if (at != null) placeCursor(plot, middle);
}

function onKey(entry, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { plot } = entry, at = plot.cursor.idx ?? 0, stride = event.shiftKey ? 10 : 1;
  const acts = {
    ArrowRight: () => moveCursor(entry, at + stride), ArrowLeft: () => moveCursor(entry, at - stride),
    Home: () => moveCursor(entry, 0), End: () => moveCursor(entry, entry.drawn.scores.length - 1),
    "+": () => zoomAround(entry, 0.5), "=": () => zoomAround(entry, 0.5), "-": () => zoomAround(entry, 2),
    "0": () => setView(whole.min, whole.max), Escape: () => setView(whole.min, whole.max),
    n: () => nextAnomaly(entry, 1), p: () => nextAnomaly(entry, -1),
  };
  if (!acts[event.key]) return;
  event.preventDefault();
  acts[event.key]();
}

function redraw() {
  for (const { plot } of plots.values()) plot.redraw(false, true);
}

function resize() {
  for (const { plot, element, height } of plots.values()) {
    if (element.clientWidth) plot.setSize({ width: element.clientWidth, height: height() });
  }
}

function inLightColours(light) {
  if (light) document.documentElement.dataset.theme = "light";
  else delete document.documentElement.dataset.theme;
  redraw();
}

reset.addEventListener("click", () => setView(whole.min, whole.max));
addEventListener("resize", resize);
addEventListener("beforeprint", () => inLightColours(true));
addEventListener("afterprint", () => inLightColours(false));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
document.addEventListener("zonechange", redraw);
