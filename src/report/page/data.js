"use strict";
// What the page shows, and how the reader wants to see it.
//
// The data are {runs, charts, answers}, as src/report/page_data.cpp writes them. A run has tables of
// columns. A chart has curves, which name columns of each run, or series of its own. A column has y
// and, where its entries were cut into buckets, the least (low) and greatest (high) of each.

const DATA = JSON.parse(document.getElementById("data").textContent);

const view = {
  hidden: new Set(),  // runs, by number
  x: "step",          // or "epoch", "time"
  smoothing: 40,      // of 100
  logY: false,
};

function floats(values) {
  return values && Float64Array.from(values, value => (value === null ? NaN : value));
}

// A line that the program drew, with the values behind it.
function lineOf(group, chart) {
  const {run, kind, name} = group.dataset;
  const line = {group, run: Number(run), kind: Number(kind), name, colour: group.getAttribute("stroke"),
                dots: group.classList.contains("dotted")};
  if (!chart.curves) {
    const {x, y, errors} = chart.series[kind];
    return {...line, xs: {step: floats(x)}, y: floats(y), errors: errors.length ? floats(errors) : null};
  }
  const {metric, table, noisy} = chart.curves[kind];
  const {step, epoch, time, columns} = DATA.runs[run][table];
  const {y, low, high} = columns[metric];
  return {...line, noisy, xs: {step: floats(step), epoch: floats(epoch), time: floats(time)},
          y: floats(y), low: floats(low), high: floats(high)};
}

// The share of a run that an average reaches over.
function reach(strength) {
  return 0.3 * (strength / 100) ** 2;
}

// An average of each point's neighbours on both sides, with weights that fall exponentially: it does
// not lag behind. It reaches over a share of the line, so that lines of any length look alike. Null
// where the line stays as it is.
function smoothed(line, strength) {
  const memory = 0.5 * reach(strength) * line.y.length;  // on each side
  if (!line.noisy || memory <= 1) return null;
  if (line.smoothedAt === strength) return line.smoothedY;
  const keep = 1 - 1 / memory;
  const sums = new Float64Array(line.y.length), weights = new Float64Array(line.y.length);
  const pass = (begin, end, step) => {
    let sum = 0, weight = 0;
    for (let i = begin; i !== end; i += step) {
      sums[i] += sum;  // of the points before
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
