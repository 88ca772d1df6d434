"use strict";
// Rows of a table by what their labels say.
function filterRows(text) {
  const wanted = text.trim().toLowerCase();
  for (const row of document.querySelectorAll("tbody tr")) {
    row.hidden = wanted !== "" && !row.querySelector(".labels").textContent.toLowerCase().includes(wanted);
  }
}

showTimes();
document.querySelector(".filter input").addEventListener("input", (event) => filterRows(event.target.value));
