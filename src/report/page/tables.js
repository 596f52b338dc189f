// Tables that are sorted by a column when its title is clicked.

// What a cell is sorted by: its value, or the number its text begins with, or its text.
function sortKey(cell) {
  if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
  const text = cell.textContent.trim();
  const number = parseFloat(text.replace(/,/g, ""));
  return Number.isNaN(number) || !/^[-+]?[\d.]/.test(text) ? text.toLowerCase() : number;
}

// Numbers before texts; what is unknown comes last whichever way.
function compareKeys(a, b, sign) {
  const unknown = key => key === "–" || key === "";
  if (unknown(a) || unknown(b)) return unknown(a) - unknown(b);
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return sign * (typeof a === "number" ? a - b : a.localeCompare(b, undefined, {numeric: true}));
}

function sortBy(table, title, column) {
  const descending = title.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  title.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map(row => [sortKey(row.cells[column]), row]);
  rows.sort((a, b) => compareKeys(a[0], b[0], descending ? -1 : 1));
  body.append(...rows.map(row => row[1]));
}

function makeTables() {
  for (const table of document.querySelectorAll("table.sortable, .sortable table")) {
    if (table.tBodies[0].rows.length < 2) continue;
    [...table.tHead.rows[0].cells].forEach((title, column) => {
      const press = button(title.textContent, "", () => sortBy(table, title, column));
      title.replaceChildren(press);
    });
  }
}
