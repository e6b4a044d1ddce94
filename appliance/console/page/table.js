// A table of thousands of rows: each is made once, changed where it changed, filtered by hiding, sorted by moving.

export function element(tag, text = "", properties = {}) {
  const made = Object.assign(document.createElement(tag), properties);
  if (text) made.textContent = text;
  return made;
}

export function number(value, digits) {
  return value === null || value === undefined ? "" : value.toFixed(digits);
}

const FORM = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "medium" });

export function moment(text) {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : element("time", FORM.format(at), { dateTime: text, title: text });
}

export function headings(row, columns) {
  row.replaceChildren(...columns.map((column) => element("th", column.name, { scope: "col", className: column.kind ?? "" })));
}

export function cells(row, columns) {
  return columns.map((column) => {
    const cell = element("td", "", { className: column.kind ?? "" });
    cell.dataset.name = column.name;
    const shown = column.cell(row);
    if (typeof shown === "string" ? shown : shown.textContent) cell.append(shown);
    return cell;
  });
}

export class Table {
  constructor(section, { columns, key, text, accepts, newestFirst = false }) {
    Object.assign(this, { section, columns, key, text, accepts, newestFirst });
    this.rows = new Map(); // key: { data, line, words }
    this.body = section.querySelector("tbody");
    this.form = section.querySelector("form");
    this.sorted = null; // { column, down }
    this.form.addEventListener("submit", (event) => event.preventDefault());
    for (const event of ["input", "change"]) this.form.addEventListener(event, () => this.filter());
    const head = section.querySelector("thead tr");
    columns.forEach((column) => {
      const heading = element("th", "", { scope: "col", className: column.kind ?? "" });
      if (column.name) heading.append(element("button", column.name, { type: "button", onclick: () => this.sortBy(column, heading) }));
      head.append(heading);
    });
  }

  clear() {
    this.rows.clear();
    this.body.replaceChildren();
  }

  remove(key) {
    this.rows.get(key)?.line.remove();
    this.rows.delete(key);
  }

  put(all, mark = false) {
    const made = [];
    for (const data of all) {
      const known = this.rows.get(this.key(data));
      const line = known?.line ?? element("tr", "", { className: mark ? "new" : "" });
      line.replaceChildren(...cells(data, this.columns));
      this.rows.set(this.key(data), { data, line, words: this.text(data).toLowerCase() });
      if (!known) made.push(line);
    }
    if (this.newestFirst) this.body.prepend(...made.reverse());
    else this.body.append(...made);
    if (this.sorted) this.sort();
    else if (made.length && !this.newestFirst) this.sort({ column: this.columns[0], down: false });
    this.filter();
  }

  filter() {
    const wanted = this.form.text.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { data, line, words } of this.rows.values()) {
      const fits = wanted.every((word) => words.includes(word)) && this.accepts(data, this.form);
      if (line.hidden === fits) line.hidden = !fits;
      shown += fits;
    }
    this.form.querySelector("output").textContent = shown === this.rows.size ? `${shown}` : `${shown} of ${this.rows.size}`;
    this.section.querySelector(".empty").hidden = this.rows.size > 0;
  }

  sortBy(column, heading) {
    const down = this.sorted?.column === column && !this.sorted.down;
    this.sorted = { column, down };
    for (const other of heading.parentElement.children) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    this.sort();
  }

  sort({ column, down } = this.sorted) {
    const by = column.by ?? column.cell;
    const compare = (a, b) => (typeof a === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true }));
    const order = [...this.rows.values()].sort((a, b) => (down ? -1 : 1) * compare(by(a.data), by(b.data)));
    const focused = document.activeElement;
    this.body.replaceChildren(...order.map((row) => row.line));
    if (this.body.contains(focused)) focused.focus();
  }
}
