// A table of thousands of rows: each is made once, changed where it changed, filtered by hiding, sorted by moving.
// Roles are said in so many words, since rows that are laid out as grids are none to a screen reader otherwise.

export function element(tag, text = "", properties = {}) {
  const made = Object.assign(document.createElement(tag), properties);
  if (text) made.textContent = text;
  return made;
}

export function number(value, digits) {
  return value === null || value === undefined ? "" : value.toFixed(digits);
}

const FORM = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "short" });

export function moment(text) {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : element("time", FORM.format(at), { dateTime: text, title: text });
}

// Swedish dates are ISO's. The browser's own time, without a zone, for what would take one for UTC.
const LOCAL = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" });

export function local(text) {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : LOCAL.format(at);
}

const ORDER = new Intl.Collator(undefined, { numeric: true });
const SLICE = 50; // rows that are laid out at once: a screenful, in the time of a frame or two

export function heading(column, name = column.name) {
  return element("th", name, { role: "columnheader", scope: "col", className: column.kind ?? "" });
}

// Hidden until it is revealed.
export function line(row, columns, className = "") {
  const made = element("tr", "", { role: "row", hidden: true, className });
  made.append(...cells(row, columns));
  return made;
}

function cells(row, columns) {
  return columns.map((column) => {
    const cell = element("td", "", { role: "cell", className: column.kind ?? "" });
    cell.dataset.name = column.name;
    const shown = column.cell(row);
    if (typeof shown === "string" ? shown : shown.textContent) cell.append(shown);
    return cell;
  });
}

// Cells that say the same stay, and with them the keyboard's focus.
function change(known, fresh) {
  fresh.forEach((cell, index) => {
    if (!known.children[index].isEqualNode(cell)) known.children[index].replaceWith(cell);
  });
}

const frames = new WeakMap();

// The first of the lines now, the others a slice a frame: keys and clicks are answered in between.
export function reveal(body, lines) {
  cancelAnimationFrame(frames.get(body));
  for (const line of lines.splice(0, SLICE)) line.hidden = false;
  if (lines.length) frames.set(body, requestAnimationFrame(() => reveal(body, lines)));
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
      const cell = heading(column, "");
      cell.append(element("button", column.name, { type: "button", onclick: () => this.sortBy(column, cell) }));
      head.append(cell);
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
      const key = this.key(data);
      const known = this.rows.get(key)?.line;
      if (known) change(known, cells(data, this.columns));
      const shown = known ?? line(data, this.columns, mark ? "new" : "");
      shown.dataset.key = key;
      this.rows.set(key, { data, line: shown, words: this.text(data).toLowerCase() });
      if (!known) made.push(shown);
    }
    if (this.newestFirst) this.body.prepend(...made.reverse());
    else this.body.append(...made);
    if (this.sorted) this.sort();
    else if (made.length && !this.newestFirst) this.sort({ column: this.columns[0], down: false });
    else this.filter();
  }

  filter() {
    const wanted = this.form.text.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const late = [];
    let shown = 0;
    for (const line of this.body.children) {
      const { data, words } = this.rows.get(line.dataset.key);
      const fits = wanted.every((word) => words.includes(word)) && this.accepts(data, this.form);
      if (fits && line.hidden) late.push(line);
      else if (!fits && !line.hidden) line.hidden = true;
      shown += fits;
    }
    reveal(this.body, late);
    this.form.querySelector("output").textContent = shown === this.rows.size ? `${shown}` : `${shown} of ${this.rows.size}`;
    this.section.querySelector(".empty").hidden = this.rows.size > 0;
  }

  // Its page is shown again.
  enter() {
    for (const line of this.body.children) line.hidden = true;
    this.filter();
  }

  sortBy(column, cell) {
    const down = this.sorted?.column === column && !this.sorted.down;
    this.sorted = { column, down };
    for (const other of cell.parentElement.children) other.removeAttribute("aria-sort");
    cell.setAttribute("aria-sort", down ? "descending" : "ascending");
    this.sort();
  }

  sort({ column, down } = this.sorted) {
    const by = column.by ?? column.cell;
    const compare = (a, b) => (typeof a === "number" ? a - b : ORDER.compare(a, b));
    const order = [...this.rows.values()].sort((a, b) => (down ? -1 : 1) * compare(by(a.data), by(b.data)));
    const focused = document.activeElement;
    let next = this.body.firstElementChild;
    for (const { line } of order) {
      if (line === next) next = next.nextElementSibling;
      else {
        line.hidden = !line.contains(focused); // moved unseen, which costs little, and shown again by the filter
        this.body.insertBefore(line, next);
      }
    }
    if (this.body.contains(focused)) focused.focus();
    this.filter();
  }
}
