/* Sorts tables: numbers by value, texts in natural order; cells without a value stay at the end. */
"use strict";
(() => {
  const collator = new Intl.Collator("en", { numeric: true });

  function compare(a, b, isNumber, sign) {
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    return sign * (isNumber ? Number(a) - Number(b) : collator.compare(a, b));
  }

  function sort(table, column) {
    const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    const head = heads[column];
    const rising = head.getAttribute("aria-sort") !== "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const isNumber = head.classList.contains("number");
    const value = (row) => row.cells[column].dataset.value;
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => compare(value(a), value(b), isNumber, rising ? 1 : -1));
    table.tBodies[0].append(...rows);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("table.sortable thead button");
    if (button) sort(button.closest("table"), button.closest("th").cellIndex);
  });
})();
