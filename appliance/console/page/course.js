// One subject's results over time, as a chart and as a table.
import { element, heading, line, local, reveal } from "/page/table.js";

let loading = null;

function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = element("script", "", { src: "/vendor/plotly.min.js", onload: () => resolve(window.Plotly), onerror: reject });
    document.head.append(script);
  });
  return loading;
}

export async function showCourse(section, subject, results, columns) {
  section.querySelector("h2").textContent = `Subject ${subject}`;
  section.querySelector("thead tr").replaceChildren(...columns.map((column) => heading(column)));
  const body = section.querySelector("tbody");
  const lines = results.toReversed().map((row) => line(row, columns));
  body.replaceChildren(...lines);
  reveal(body, lines);
  section.querySelector(".empty").hidden = results.length > 0;
  const chart = section.querySelector(".chart");
  const scored = results.filter((row) => row.pose_dissimilarity !== null);
  chart.hidden = scored.length === 0;
  if (scored.length === 0) return;
  chart.setAttribute("aria-label", `Pose and dynamics dissimilarity of ${scored.length} results over time; the table below has the same figures`);
  const library = await plotly();
  const style = getComputedStyle(document.documentElement);
  const [ink, grid] = ["--ink", "--line"].map((name) => style.getPropertyValue(name).trim());
  const axis = { gridcolor: grid, zerolinecolor: grid, linecolor: grid };
  library.react(chart, [...traces(scored)], {
    paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { color: ink },
    margin: { l: 60, r: 10, t: 10, b: 40 }, legend: { orientation: "h", y: -0.12 }, hovermode: "closest",
    xaxis: { ...axis, type: "date", anchor: "y2" },
    yaxis: { ...axis, automargin: true, title: { text: "D_P", standoff: 12 }, domain: [0.55, 1], rangemode: "tozero" },
    yaxis2: { ...axis, automargin: true, title: { text: "D_T", standoff: 12 }, domain: [0, 0.45] },
  }, { responsive: true, displayModeBar: false });
}

const COLORS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C6D31"]; // Okabe and Ito's
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star"];

function* traces(results) {
  const groups = Map.groupBy(results, (row) => `${row.exercise.replaceAll("_", " ")}${row.side === "both" ? "" : `, ${row.side}`}`);
  let index = 0;
  for (const [name, rows] of groups) {
    const marker = { color: COLORS[index % COLORS.length], symbol: SYMBOLS[index % SYMBOLS.length], size: 8 };
    for (const [values, yaxis] of [["pose_dissimilarity", "y"], ["dynamics_dissimilarity", "y2"]]) {
      yield {
        // Plotly takes a few tags in texts as markup: names of exercises are shown without any.
        name: name.replace(/[<>&]/g, " "), legendgroup: String(index), showlegend: yaxis === "y", yaxis, marker,
        type: "scatter", mode: "lines+markers", line: { color: marker.color, width: 1.5 },
        x: rows.map((row) => local(row.started)), y: rows.map((row) => row[values]),
      };
    }
    index += 1;
  }
}
