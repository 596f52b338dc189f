// All charts of the page. A chart is drawn when it comes into view, and again when what it shows has
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

function zoom(chart, range) {
  chart.zoom = range;
  chart.figure.querySelector(".unzoom").hidden = range === null;
  redraw(chart);
}

// The buttons of a figure: kinds of lines, the whole range, larger or smaller.
function makeButtons(chart) {
  for (const chip of chart.figure.querySelectorAll(".chip")) {
    const kind = Number(chip.dataset.kind);
    if (chip.getAttribute("aria-pressed") === "false") chart.kindsOff.add(kind);
    chip.addEventListener("click", () => {
      const shown = chart.kindsOff.delete(kind) || !chart.kindsOff.add(kind);
      chip.setAttribute("aria-pressed", String(shown));
      redraw(chart);
    });
  }
  chart.figure.querySelector(".unzoom").addEventListener("click", () => zoom(chart, null));
  chart.figure.querySelector(".icon").addEventListener("click", () => chart.figure.classList.toggle("wide"));
}

const sight = new IntersectionObserver(entries => {
  for (const {target, isIntersecting} of entries) {
    if (isIntersecting) inView.add(target.chart);
    else inView.delete(target.chart);
    if (waiting.has(target.chart)) redraw(target.chart);
  }
}, {rootMargin: "200px"});

const sizes = new ResizeObserver(entries => entries.forEach(entry => redraw(entry.target.chart)));

function makeCharts() {
  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    const chart = new Chart(figure);
    makeButtons(chart);
    new Hover(chart);
    charts.push(chart);
    chart.plot.chart = chart;
    sight.observe(chart.plot);
    sizes.observe(chart.plot);
  }
}
