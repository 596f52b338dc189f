// All charts of the page. One is drawn when it comes into view, and again when what it shows has
// changed while it is there.

const charts = [];
const waiting = new Set();  // changed since they were drawn
const inView = new Set();
let frame = 0;

function redraw(chart) {
  waiting.add(chart);
  if (!frame) frame = requestAnimationFrame(drawWaiting);
}

function redrawAll() {
  charts.forEach(redraw);
}

function drawWaiting() {
  frame = 0;
  for (const chart of [...waiting]) {
    if (inView.has(chart)) {
      waiting.delete(chart);
      chart.draw();
    }
  }
}

function drawEverything() {
  charts.forEach(chart => chart.draw());
}

function button(text, label, onclick) {
  const element = document.createElement("button");
  element.type = "button";
  element.textContent = text;
  if (label) {
    element.title = label;
    element.setAttribute("aria-label", label);
  }
  element.addEventListener("click", onclick);
  return element;
}

// A piece of line as it is drawn.
function sample(colour, dashed, dots) {
  const box = document.createElement("span");
  box.innerHTML = `<svg width="20" height="8" aria-hidden="true"><line x1="0" y1="4" x2="20" y2="4" stroke-width="2"/>` +
                  `<circle cx="10" cy="4" r="0"/></svg>`;
  const [line, circle] = [box.querySelector("line"), box.querySelector("circle")];
  line.style.stroke = circle.style.fill = colour;
  if (dashed) line.style.strokeDasharray = "5 3";
  if (dots) circle.setAttribute("r", "2.6");
  return box.firstChild;
}

// Buttons that show and hide the kinds of a chart's lines: training and evaluation, or its series.
function addKinds(chart, kinds) {
  if (kinds.length < 2) return;
  kinds.forEach((kind, number) => {
    const chip = button("", "", () => {
      const off = chart.kindsOff.delete(number) ? false : chart.kindsOff.add(number) && true;
      chip.setAttribute("aria-pressed", String(!off));
      redraw(chart);
    });
    chip.className = "chip";
    chip.append(sample(kind.colour || "currentColor", kind.dashed, kind.dots), kind.name);
    if (kind.off) chart.kindsOff.add(number);
    chip.setAttribute("aria-pressed", String(!kind.off));
    chart.figure.querySelector("figcaption").append(chip);
  });
}

function addChart(figure, title, lines, kinds, options) {
  const chart = new Chart(figure, title, lines, options);
  chart.labelOf = line =>
    kinds.length > 1 && options.axes
      ? (DATA.runs.length > 1 ? `${line.name}, ${kinds[line.kind].name}` : kinds[line.kind].name)
      : line.name;
  addKinds(chart, kinds);
  const caption = figure.querySelector("figcaption");
  chart.unzoom = button("whole range", "", () => hover.zoom(null));
  chart.unzoom.hidden = true;
  const wide = button("⤢", "Larger or smaller", () => figure.classList.toggle("wide"));
  wide.className = "icon";
  caption.append(chart.unzoom, wide);
  const hover = new Hover(chart, () => redraw(chart));
  const names = lines.slice(0, 8).map(line => chart.labelOf(line)).join(", ");
  chart.plot.setAttribute("aria-label", `Chart of ${title}: ${lines.length} lines: ${names}. Arrow keys read values.`);
  charts.push(chart);
  sight.observe(chart.plot);
  sizes.observe(chart.plot);
  chart.plot.chart = chart;
}

const sight = new IntersectionObserver(entries => {
  for (const entry of entries) {
    const chart = entry.target.chart;
    if (entry.isIntersecting) {
      inView.add(chart);
      if (waiting.has(chart)) redraw(chart);
    } else {
      inView.delete(chart);
    }
  }
}, {rootMargin: "200px"});

const sizes = new ResizeObserver(entries => entries.forEach(entry => redraw(entry.target.chart)));

function makeCharts() {
  for (const figure of document.querySelectorAll("figure[data-plan]")) {
    const plan = DATA.plans[figure.dataset.plan];
    const kinds = plan.curves.map(curve => ({name: curve.kind, dashed: curve.dashed, dots: curve.dots, off: !curve.shown}));
    addChart(figure, plan.title, linesOfPlan(plan), kinds, {axes: true});
  }
  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    const chart = DATA.charts[figure.dataset.chart];
    const ofRuns = chart.series.length > 1 && chart.series.every(series => series.run >= 0);
    const kinds = ofRuns ? [] : chart.series;
    addChart(figure, chart.title, linesOfChart(chart), kinds, {xLabel: chart.xLabel, logX: chart.logX});
  }
}
