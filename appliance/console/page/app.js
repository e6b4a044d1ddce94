// The console's page: keeps what the server tells, and shows it as text. Nothing a message holds becomes markup.
import { Table, element, moment, number } from "/page/table.js";
import { showCourse } from "/page/course.js";
import { News } from "/page/news.js";

const boxes = new Map(); // "site/name": row of a box
const results = new Map(); // key: row of a result, as it was corrected last
const MOST_RESULTS = 500;
const MOST_ALERTS = 500; // in the list, the newest
const RETRY_MS = 5000;
const news = new News();

const boxTable = new Table(document.querySelector("#boxes"), {
  columns: [
    { name: "Box", cell: (box) => element("a", box.name, { href: address("box", box.site, box.name) }), by: (box) => box.name, kind: "key" },
    { name: "Site", cell: (box) => box.site },
    { name: "State", cell: (box) => element("span", box.state || "never heard", { className: `state ${box.state}` }), by: (box) => box.state },
    { name: "Since", cell: (box) => moment(box.since), by: (box) => box.since, kind: "time" },
    { name: "Software", cell: (box) => box.software },
    { name: "Session", cell: (box) => box.session },
    { name: "Waiting", cell: (box) => number(box.queued, 0), by: (box) => box.queued ?? -1, kind: "number" },
    { name: "Disk free", cell: (box) => (box.disk_free === null ? "" : `${Math.round(100 * box.disk_free)} %`), by: (box) => box.disk_free ?? 2, kind: "number" },
    { name: "°C", cell: (box) => number(box.temperature_c, 0), by: (box) => box.temperature_c ?? -1, kind: "number" },
    { name: "Alerts", cell: (box) => element("span", Object.keys(box.alerts).join(", "), { className: "alert" }), by: (box) => -Object.keys(box.alerts).length },
  ],
  key: (box) => `${box.site}/${box.name}`,
  text: (box) => [box.name, box.site, box.software, ...Object.entries(box.alerts).flatMap(([code, alert]) => [code, alert.what])].join(" "),
  accepts: (box, form) =>
    (!form.state.value || (box.state || "?") === form.state.value) && (!form.alerts.checked || Object.keys(box.alerts).length > 0),
});

const resultColumns = [
  { name: "Ended", cell: (row) => moment(row.ended), by: (row) => row.ended, kind: "time" },
  { name: "Subject", cell: (row) => element("a", row.subject, { href: address("course", row.site, row.subject) }), by: (row) => row.subject, kind: "key" },
  { name: "Box", cell: (row) => element("a", row.box, { href: address("box", row.site, row.box) }), by: (row) => row.box },
  { name: "Exercise", cell: (row) => row.exercise.replaceAll("_", " ") },
  { name: "Side", cell: (row) => row.side },
  { name: "Status", cell: (row) => row.status.replaceAll("_", " ") },
  { name: "Reps", cell: (row) => `${row.complete}/${row.repetitions}`, by: (row) => row.complete, kind: "number" },
  { name: "D_P", cell: (row) => number(row.pose_dissimilarity, 3), by: (row) => row.pose_dissimilarity ?? -1, kind: "number" },
  { name: "D_T", cell: (row) => number(row.dynamics_dissimilarity, 3), by: (row) => row.dynamics_dissimilarity ?? -9, kind: "number" },
  { name: "Quality", cell: (row) => (row.quality === null ? "" : `${Math.round(100 * row.quality)} %`), by: (row) => row.quality ?? -1, kind: "number" },
  { name: "Note", cell: (row) => element("span", [row.corrected, row.reason, row.synthetic ? "synthetic" : ""].filter(Boolean).join(", "), { className: "faint" }), by: (row) => row.corrected },
];
const resultTable = new Table(document.querySelector("#results"), {
  columns: resultColumns,
  key: (row) => row.key,
  text: (row) => [row.subject, row.box, row.exercise.replaceAll("_", " ")].join(" "),
  accepts: (row, form) => !form.status.value || row.status === form.status.value,
  newestFirst: true,
});

function address(page, ...parts) {
  return `#/${page}/${parts.map(encodeURIComponent).join("/")}`;
}

function take(told, everything) {
  if (everything) {
    boxes.clear();
    results.clear();
    boxTable.clear();
    resultTable.clear();
  }
  if (!everything) news.tell("alerts", told.boxes.flatMap((box) => raisedAnew(box, boxes.get(`${box.site}/${box.name}`))));
  for (const box of told.boxes) boxes.set(`${box.site}/${box.name}`, box);
  boxTable.put(told.boxes);
  const fresh = told.results.filter((row) => (results.get(row.key)?.sequence ?? -1) < row.sequence).reverse(); // the oldest first
  for (const row of fresh) results.set(row.key, row);
  if (!everything) news.tell("results", fresh.map((row) => `${row.exercise.replaceAll("_", " ")} of subject ${row.subject}, ${row.status.replaceAll("_", " ")}`));
  resultTable.put(fresh, !everything);
  for (const key of [...results.keys()].slice(0, Math.max(0, results.size - MOST_RESULTS))) {
    results.delete(key);
    resultTable.remove(key);
  }
  connection(told.connected ? "" : "No connection to the broker; what is shown may be out of date.");
  const unreadable = document.querySelector("#boxes .unreadable");
  unreadable.hidden = told.unreadable === 0;
  unreadable.textContent = `${told.unreadable} messages were not a box's`;
  const alerts = listAlerts();
  for (const [name, count] of [["boxes", boxes.size], ["alerts", alerts], ["results", results.size]]) {
    document.querySelector(`#${name}-number`).textContent = count || "";
  }
  const [page, site, name] = place();
  if (page === "box" && told.boxes.some((box) => box.site === site && box.name === name)) showBox(site, name);
  if (page === "course" && fresh.some((row) => row.site === site && row.subject === name)) openCourse(site, name);
}

function raisedAnew(box, known) {
  const codes = Object.keys(box.alerts).filter((code) => !Object.hasOwn(known?.alerts ?? {}, code));
  return codes.map((code) => `${code} of ${box.name}: ${box.alerts[code].what}`);
}

function connection(trouble) {
  const line = document.querySelector("#connection");
  const words = trouble || "Connected";
  if (line.textContent !== words) line.textContent = words;
  line.classList.toggle("bad", trouble !== "");
}

function listAlerts() {
  const section = document.querySelector("#alerts");
  const raised = [...boxes.values()].flatMap((box) => Object.entries(box.alerts).map(([code, alert]) => ({ box, code, ...alert })));
  raised.sort((a, b) => (a.since < b.since ? 1 : -1)); // the newest first
  section.querySelector(".empty").hidden = raised.length > 0;
  if (section.hidden) return raised.length;
  const list = element("ul");
  list.append(
    ...raised.slice(0, MOST_ALERTS).map(({ box, code, what, since, remedy }) => {
      const item = element("li");
      item.append(element("a", `${box.site} / ${box.name}`, { href: address("box", box.site, box.name) }), " ", element("strong", code), moment(since), element("div", what), element("div", remedy, { className: "faint" }));
      return item;
    }),
  );
  const shown = section.querySelector("ul");
  if (!shown.isEqualNode(list)) {
    const focused = shown.contains(document.activeElement) ? document.activeElement.href : null;
    shown.replaceWith(list);
    if (focused) ([...list.querySelectorAll("a")].find((link) => link.href === focused) ?? section.querySelector("h2")).focus();
  }
  section.querySelector(".more").hidden = raised.length <= MOST_ALERTS;
  return raised.length;
}

// anew: nothing of the box, or the subject, that was shown before stays until the answer is there.
async function showBox(site, name, anew = false) {
  const section = document.querySelector("#box");
  section.querySelector("h2").textContent = `${name} (${site})`;
  if (anew) section.querySelector(".details").replaceChildren();
  const answer = await fetch(`/box?${new URLSearchParams({ site, name })}`).catch(() => null);
  const found = await answer?.json().catch(() => null);
  if (!found || !stillAt("box", site, name)) return;
  const parts = answer.ok ? [...alertsOf(found.alerts), facts("Status", found.status), ...devices(found.health), facts("Health", rest(found.health)), facts("Session", found.session)] : [element("p", found.error)];
  section.querySelector(".details").replaceChildren(...parts);
}

function alertsOf(alerts) {
  return Object.entries(alerts).map(([code, alert]) => facts(`Alert: ${code}`, alert, "alert"));
}

function devices(health) {
  return Object.entries(health.devices ?? {}).map(([role, device]) => facts(`Device: ${role.replaceAll("_", " ")}`, device));
}

function rest(health) {
  return Object.fromEntries(Object.entries(health).filter(([name]) => name !== "devices"));
}

// At the end of a name; bytes are told as gigabytes.
const UNITS = { bytes: "GB", c: "°C", hz: "Hz", s: "s", percent: "%" };
const UNIT = new RegExp(`_(${Object.keys(UNITS).join("|")})$`);

function inWords(name, value) {
  if (Array.isArray(value)) return value.map((part) => inWords(name, part)).join("; ");
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).map(([key, part]) => [label(key), inWords(key, part)]).filter(([, words]) => words).map(([key, words]) => `${key}: ${words}`).join(", ");
  }
  const unit = typeof value === "number" && name.match(UNIT)?.[1];
  if (!unit) return String(value ?? "");
  return `${unit === "bytes" ? (value / 1e9).toFixed(1) : value} ${UNITS[unit]}`;
}

function label(name) {
  return name.replace(UNIT, "").replaceAll("_", " ");
}

function facts(title, values, className = "") {
  const part = element("div");
  const list = element("dl");
  for (const [name, value] of Object.entries(values ?? {})) {
    const words = inWords(name, value);
    const said = element("dd");
    said.append(/^\d{4}-\d\d-\d\dT/.test(words) ? moment(words) : words);
    if (words) list.append(element("dt", label(name)), said);
  }
  part.append(element("h3", title, { className }), list.childElementCount ? list : element("p", "Nothing was heard.", { className: "faint" }));
  return part;
}

async function openCourse(site, subject, anew = false) {
  const section = document.querySelector("#course");
  if (anew) showCourse(section, subject, [], resultColumns);
  if (anew) section.querySelector(".empty").hidden = true; // that is not known yet
  const answer = await fetch(`/course?${new URLSearchParams({ site, subject })}`).catch(() => null);
  const found = answer?.ok ? await answer.json().catch(() => null) : null;
  if (found && stillAt("course", site, subject)) await showCourse(section, subject, found.results, resultColumns);
}

// Answers may come late, and in another order than they were asked for.
function stillAt(...asked) {
  const now = place();
  return asked.every((part, index) => part === now[index]);
}

const TITLES = { boxes: "Boxes", alerts: "Alerts", results: "Results", box: "A box", course: "A course" };

function place() {
  try {
    return location.hash.replace(/^#\//, "").split("/").map(decodeURIComponent);
  } catch {
    return []; // written by hand, and wrong: the first page
  }
}

function go(focus = true) {
  const [page, site, name] = place();
  const known = Object.hasOwn(TITLES, page) ? page : "boxes";
  for (const table of [boxTable, resultTable]) if (table.section.id === known && table.section.hidden) table.enter();
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== known;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#/${known}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (known === "alerts") listAlerts();
  if (known === "box") showBox(site, name, focus);
  if (known === "course") openCourse(site, name, focus);
  document.title = `${TITLES[known]} · RehabBox console`;
  if (focus) document.querySelector(`#${known} h2`).focus();
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address says which page it is, and stays
  document.querySelector("main > section:not([hidden]) h2").focus();
});
addEventListener("hashchange", () => go());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => place()[0] === "course" && go(false)); // the chart's colours
go(false);

function follow() {
  const source = new EventSource("/events");
  source.addEventListener("everything", (event) => take(JSON.parse(event.data), true));
  source.addEventListener("changes", (event) => take(JSON.parse(event.data), false));
  source.onerror = async () => {
    connection("No connection to the console; trying again …");
    if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
    const answer = await fetch("/page/app.js", { method: "HEAD" }).catch(() => null);
    if (answer?.status === 401) location.reload(); // signed out
    else setTimeout(follow, RETRY_MS); // refused: too many connections, or a proxy's answer
  };
}
follow();
