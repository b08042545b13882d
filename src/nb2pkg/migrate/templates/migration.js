"use strict";
const table = document.getElementById("table");
const body = table.tBodies[0];
const rows = [...body.rows];
const form = document.getElementById("filter");
const words = document.getElementById("words");
const boxes = [...form.querySelectorAll("[type=checkbox]")];
const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));

function filter() {
  const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  const statuses = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
  for (const row of rows) {
    row.hidden = !(statuses.has(row.dataset.status) && wanted.every((word) => texts.get(row).includes(word)));
  }
  const shown = rows.filter((row) => !row.hidden).length;
  document.getElementById("shown").textContent = `${shown} of ${rows.length}`;
}

function sort(head) {
  const ascending = head.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const key = (row) => row.cells[head.cellIndex].dataset.sort ?? row.cells[head.cellIndex].textContent.trim();
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const sorted = rows.map((row) => [key(row), row]).sort((a, b) => (ascending ? 1 : -1) * compare(a[0], b[0]));
  body.append(...sorted.map(([, row]) => row));
}

for (const head of table.tHead.rows[0].cells) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => sort(head));
}

// A link to a row that the filter hides shows all rows again.
function reveal() {
  const row = document.getElementById(location.hash.slice(1));
  if (!row || !row.hidden) return;
  words.value = "";
  for (const box of boxes) box.checked = true;
  filter();
  row.scrollIntoView();
}

// Paper has no way to open what is folded.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const details of folded) details.open = true;
});
addEventListener("afterprint", () => {
  for (const details of folded) details.open = false;
});

form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", reveal);
form.hidden = false;
filter();
