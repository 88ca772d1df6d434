"use strict";
// Times and numbers as people read them, in the zone they choose.
const zone = { local: false };
const localZone = Intl.DateTimeFormat().resolvedOptions().timeZone || "local";

function chosenZone() {
  return zone.local ? localZone : "UTC";
}

const clocks = ["UTC", localZone].map((timeZone) => new Intl.DateTimeFormat("en-CA", {
  timeZone: timeZone === "local" ? undefined : timeZone, hourCycle: "h23",
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
}));

function formatTime(seconds) {
  const parts = {};
  for (const part of clocks[Number(zone.local)].formatToParts(new Date(seconds * 1000))) parts[part.type] = part.value;
  const rest = Math.round(seconds) % 60 ? ":" + parts.second : "";
  return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}${rest}`;
}

function formatNumber(value) {
  if (value == null || !isFinite(value)) return "–";
  const size = Math.abs(value);
  for (const [unit, prefix] of [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"]]) {
    if (size >= unit && size < 1e18) return +(value / unit).toPrecision(4) + prefix;
  }
  if (size >= 1000 && size < 1e18) return Math.round(value).toLocaleString("en");
  return size !== 0 && (size < 1e-4 || size >= 1e18) ? value.toExponential(2) : String(+value.toPrecision(4));
}

function showTimes() {
  for (const element of document.querySelectorAll("time[data-epoch]")) {
    const seconds = Number(element.dataset.epoch);
    if (Math.abs(seconds) < 8.64e12) element.textContent = formatTime(seconds);
  }
  for (const element of document.querySelectorAll("[data-zone-name]")) element.textContent = chosenZone();
}

function setZone(local) {
  zone.local = local;
  document.querySelector(`input[name=zone][value=${local ? "local" : "utc"}]`).checked = true;
  showTimes();
  document.dispatchEvent(new Event("zonechange"));
}

for (const element of document.querySelectorAll("[data-needs-script]")) element.hidden = false;
for (const input of document.querySelectorAll("input[name=zone]")) {
  input.addEventListener("change", () => setZone(input.value === "local"));
}
