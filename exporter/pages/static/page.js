"use strict";
// The backtest's page around its plots: tables and addresses.
const data = JSON.parse(document.getElementById("data").textContent);
whole.min = data.start;
whole.max = data.start + data.step;

function drawAll() {
  data.series.forEach((series, place) => {
    const number = place + 1;
    const element = document.querySelector(`#series-${number} .plot`);
    const entry = makePlot(element, columnsOf(series, data), {
      cursor: () => showCursor(plots.get(number)),
      zoom: followZoom,
    });
    const times = entry.plot.data[0];
    whole.max = Math.max(whole.max, times[times.length - 1]);
    makeKeys(entry, GROUPS);
    element.addEventListener("keydown", (event) => onKey(entry, event));
    plots.set(number, entry);
  });
  setView(whole.min, whole.max);
}

// An address can name a series, an anomaly and the zone: #series-3, #anomaly-12, #anomaly-12&local
function followAddress() {
  const parts = location.hash.slice(1).split("&");
  if (parts.includes("local")) setZone(true);
  for (const chosen of document.querySelectorAll(".chosen")) chosen.classList.remove("chosen");
  const [kind, number] = parts[0].split("-");
  const link = kind === "anomaly" && document.getElementById("row-" + number);
  const card = document.getElementById("series-" + (link ? link.closest("tr").dataset.series : number));
  if (!card || !(link || kind === "series")) return;
  if (link) {
    const start = Number(link.dataset.start), end = Number(link.dataset.end);
    const around = Math.max(3 * (end - start), 60 * data.step);
    setView(start - around, end + around);
    link.closest("tr").classList.add("chosen");
  }
  card.classList.add("chosen");
  card.scrollIntoView({ block: "center" });
}

function sortTable(table, column, header) {
  const down = header.getAttribute("aria-sort") === "descending";
  for (const other of table.querySelectorAll("th[aria-sort]")) other.setAttribute("aria-sort", "none");
  header.setAttribute("aria-sort", down ? "ascending" : "descending");
  const key = (row) => {
    const cell = row.cells[column], text = cell.dataset.value ?? cell.textContent.trim(), number = Number(text);
    return text !== "" && !Number.isNaN(number) ? number : text === "nan" ? -Infinity : text;
  };
  const body = table.tBodies[0], rows = Array.from(body.rows, (row) => [key(row), row]);
  const less = ([a], [b]) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
  rows.sort((a, b) => (down ? less(a, b) : less(b, a)));
  body.append(...rows.map(([, row]) => row));
}

function makeSortable(table) {
  Array.from(table.tHead.rows[0].cells).forEach((header, column) => {
    if (!header.hasAttribute("aria-sort")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    header.addEventListener("click", () => sortTable(table, column, header));
  });
}

function filterSeries(text) {
  const wanted = text.trim().toLowerCase();
  const shown = (element) => !wanted || element.querySelector(".labels").textContent.toLowerCase().includes(wanted);
  for (const element of document.querySelectorAll("tr[data-series], .card")) element.hidden = !shown(element);
}

showTimes();
drawAll();
for (const table of document.querySelectorAll(".sortable")) makeSortable(table);
document.querySelector(".filter input").addEventListener("input", (event) => filterSeries(event.target.value));
addEventListener("hashchange", followAddress);
followAddress();
