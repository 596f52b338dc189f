"use strict";
// What the page shows, and how the reader wants to see it.
//
// The data are {runs, plans, charts, answers}, as src/report/page_data.cpp writes them: a run has
// tables of columns, a plan says which columns make a chart, charts are drawn as they are. A column
// has y, and where its entries were cut into buckets, the least (low) and most (high) of each.

const DATA = JSON.parse(document.getElementById("data").textContent);

const view = {
  hidden: new Set(),  // runs, by number
  highlight: -1,      // the run that stands out, or -1
  x: "step",          // or "epoch", "time"
  smoothing: 40,      // of 100
  logY: false,
};

const AXES = {
  step: {label: "step", name: "Step", text: value => "step " + grouped(value)},
  epoch: {label: "epoch", name: "Epoch", text: value => "epoch " + short(value)},
  time: {label: "time", name: "Time", text: value => duration(value)},
};

function floats(values) {
  return Float64Array.from(values, value => (value === null ? NaN : value));
}

// The lines of a plan's chart: for each run, those of its curves that it has.
function linesOfPlan(plan) {
  const lines = [];
  DATA.runs.forEach((run, number) => {
    plan.curves.forEach((curve, kind) => {
      const table = run[curve.table];
      const column = table.columns[curve.metric];
      if (column) {
        lines.push({
          run: number, kind, name: run.name, colour: `var(--run-${number})`,
          dashed: curve.dashed, dots: curve.dots, noisy: curve.noisy,
          xs: {step: floats(table.step), epoch: floats(table.epoch), time: table.time ? floats(table.time) : null},
          y: floats(column.y),
          low: column.low ? floats(column.low) : null,
          high: column.high ? floats(column.high) : null,
        });
      }
    });
  });
  return lines;
}

function linesOfChart(chart) {
  return chart.series.map((series, kind) => ({
    run: series.run, kind, name: series.name, colour: series.colour, dashed: series.dashed,
    dots: series.dots, noisy: false,
    xs: {step: floats(series.x)}, y: floats(series.y), low: null, high: null,
    errors: series.errors.length ? floats(series.errors) : null,
  }));
}

// An average of each point's neighbours on both sides, whose weights fall exponentially: it does not
// lag behind. Its reach is a share of the line, so that lines of different lengths look alike.
function smoothed(line, strength) {
  const share = 0.3 * (strength / 100) ** 2;
  const memory = 0.5 * share * line.y.length;  // on each side
  if (!line.noisy || memory <= 1) return null;
  if (line.smoothedAt === strength) return line.smoothedY;
  const keep = 1 - 1 / memory;
  const sums = new Float64Array(line.y.length), weights = new Float64Array(line.y.length);
  const pass = (begin, end, step) => {
    let sum = 0, weight = 0;
    for (let i = begin; i !== end; i += step) {
      sums[i] += sum;  // of what lies before
      weights[i] += weight;
      const known = Number.isFinite(line.y[i]);
      sum = keep * (sum + (known ? line.y[i] : 0));
      weight = keep * (weight + (known ? 1 : 0));
    }
  };
  pass(0, line.y.length, 1);
  pass(line.y.length - 1, -1, -1);
  line.smoothedAt = strength;
  line.smoothedY = sums.map((sum, i) => (sum + line.y[i]) / (weights[i] + 1));
  return line.smoothedY;
}
