// A chart on a canvas, drawn from lines (data.js).

const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);
let colours = new Map();

// What a CSS colour is in the present theme.
function resolved(value) {
  let colour = colours.get(value);
  if (!colour) {
    probe.style.color = "";
    probe.style.color = value;
    colours.set(value, (colour = getComputedStyle(probe).color));
  }
  return colour;
}

// More runs than these are drawn as one line each, without their noise.
const MOST_NOISY_RUNS = 12;
const MOST_DOTS = 80;

class Chart {
  // options: axes (follows the reader's x axis), xLabel, logX
  constructor(figure, title, lines, options) {
    this.figure = figure;
    this.title = title;
    this.lines = lines;
    this.options = options;
    this.kindsOff = new Set();
    this.zoom = null;  // [low, high] of x
    this.near = -1;    // the run under the pointer
    this.plot = document.createElement("div");
    this.plot.className = "plot";
    this.canvas = document.createElement("canvas");
    this.cursor = document.createElement("canvas");
    this.cursor.className = "cursor";
    this.plot.append(this.canvas, this.cursor);
    figure.querySelector("figcaption").after(this.plot);
  }

  xOf(line) {
    return line.xs[this.options.axes ? view.x : "step"];
  }

  visibleLines() {
    return this.lines.filter(line => !view.hidden.has(line.run) && !this.kindsOff.has(line.kind) && this.xOf(line));
  }

  // What is drawn as the line: smoothed where the reader asks for it.
  main(line) {
    return smoothed(line, view.smoothing) || line.y;
  }

  draw() {
    const width = this.plot.clientWidth, height = this.plot.clientHeight;
    if (!width || !height) return;
    const context = sized(this.canvas, width, height);
    sized(this.cursor, width, height);
    const lines = this.visibleLines();
    this.scales = this.makeScales(lines, width, height, context);
    if (!this.scales) {
      context.fillStyle = resolved("var(--faint)");
      context.textAlign = "center";
      context.fillText(lines.length ? "no finite values" : "nothing is shown", width / 2, height / 2);
      return;
    }
    this.drawGrid(context, width, height);
    context.save();
    const {x, y} = this.scales;
    context.beginPath();
    context.rect(x.first, y.last - 2, x.last - x.first, y.first - y.last + 4);
    context.clip();
    const runs = new Set(lines.map(line => line.run)).size;
    const near = this.near >= 0 ? this.near : view.highlight;
    const isNear = line => near >= 0 && line.run === near;
    for (const line of [...lines.filter(each => !isNear(each)), ...lines.filter(isNear)]) {
      this.drawLine(context, line, near < 0 ? 1 : isNear(line) ? 1 : 0.16, runs <= MOST_NOISY_RUNS || isNear(line),
                    isNear(line) ? 2.4 : runs > MOST_NOISY_RUNS ? 1.3 : 1.7);
    }
    context.restore();
  }

  makeScales(lines, width, height, context) {
    let [xLow, xHigh] = [Infinity, -Infinity];
    for (const line of lines) {
      const x = this.xOf(line);
      for (let i = 0; i < x.length; ++i) {
        if (Number.isNaN(line.y[i]) || (this.options.logX && !(x[i] > 0))) continue;
        xLow = Math.min(xLow, x[i]);
        xHigh = Math.max(xHigh, x[i]);
      }
    }
    if (xLow > xHigh) return null;
    if (this.zoom) [xLow, xHigh] = this.zoom;
    if (xLow === xHigh) [xLow, xHigh] = padded(xLow, xHigh, this.options.logX);
    const range = this.yRange(lines, xLow, xHigh);
    if (!range) return null;
    const logY = view.logY && range[0] > 0;
    const [yLow, yHigh] = padded(range[0], range[1], logY);
    const y = new Scale(yLow, yHigh, height - 36, 8, logY);
    y.marks = logY ? logTicks(yLow, yHigh) : ticks(yLow, yHigh, Math.max(3, Math.round(height / 45)));
    const left = 10 + Math.max(...y.marks.map(mark => context.measureText(short(mark)).width), 18);
    const x = new Scale(xLow, xHigh, left, width - 8, this.options.logX);
    const count = Math.max(3, Math.round((width - left) / 90));
    this.isTime = this.options.axes && view.x === "time";
    x.marks = this.options.logX ? logTicks(xLow, xHigh)
              : this.isTime     ? timeTicks(xLow, xHigh, count)
                                : ticks(xLow, xHigh, count);
    return {x, y};
  }

  // All of the lines themselves; of the noise around them, all but its extremes.
  yRange(lines, xLow, xHigh) {
    let [low, high] = [Infinity, -Infinity];
    const add = value => {
      if (Number.isFinite(value)) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    };
    for (const line of lines) {
      const x = this.xOf(line), main = this.main(line);
      const noise = [];
      for (let i = 0; i < x.length; ++i) {
        if (x[i] < xLow || x[i] > xHigh) continue;
        add(main[i]);
        if (line.errors) {
          add(line.y[i] - line.errors[i]);
          add(line.y[i] + line.errors[i]);
        }
        if (main !== line.y && Number.isFinite(line.y[i])) noise.push(line.y[i]);
      }
      if (noise.length) {
        noise.sort((a, b) => a - b);
        add(noise[Math.floor(noise.length * 0.02)]);
        add(noise[Math.ceil(noise.length * 0.98) - 1]);
      }
    }
    return low > high ? null : [low, high];
  }

  drawGrid(context, width, height) {
    const {x, y} = this.scales;
    context.strokeStyle = resolved("var(--grid)");
    context.fillStyle = resolved("var(--faint)");
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.beginPath();
    for (const mark of y.marks) {
      const at = Math.round(y.pixel(mark)) + 0.5;
      context.moveTo(x.first, at);
      context.lineTo(x.last, at);
      context.fillText(short(mark), x.first - 6, at);
    }
    context.stroke();
    context.textBaseline = "top";
    for (const mark of x.marks) {
      const at = x.pixel(mark);
      const text = this.isTime ? timeText(mark, x.high - x.low) : tickLabel(mark);
      const half = context.measureText(text).width / 2;
      context.textAlign = at + half > width ? "right" : "center";
      context.fillText(text, Math.min(at, width), y.first + 6);
    }
    context.textAlign = "center";
    context.fillText(this.options.axes ? AXES[view.x].label : this.options.xLabel, (x.first + x.last) / 2, height - 13);
  }

  drawLine(context, line, alpha, noise, width) {
    const main = this.main(line);
    const colour = resolved(line.colour);
    context.strokeStyle = context.fillStyle = colour;
    context.lineJoin = "round";
    if (noise && line.low) {
      context.globalAlpha = 0.13 * alpha;
      this.fillBand(context, line);
    }
    if (noise && main !== line.y) {
      context.globalAlpha = 0.26 * alpha;
      context.lineWidth = 1;
      this.trace(context, line, line.y);
    }
    context.globalAlpha = alpha;
    context.lineWidth = width;
    context.setLineDash(line.dashed ? [6, 4] : []);
    this.trace(context, line, main);
    context.setLineDash([]);
    if (line.errors) this.drawErrors(context, line);
    this.drawDots(context, line, main);
    context.globalAlpha = 1;
  }

  trace(context, line, values) {
    const {x, y} = this.scales, xs = this.xOf(line);
    let open = false;
    context.beginPath();
    for (let i = 0; i < values.length; ++i) {
      const px = x.pixel(xs[i]), py = y.pixel(values[i]);
      if (!Number.isFinite(px) || !Number.isFinite(py)) {
        open = false;
      } else if (open) {
        context.lineTo(px, py);
      } else {
        context.moveTo(px, py);
        open = true;
      }
    }
    context.stroke();
  }

  fillBand(context, line) {
    const {x, y} = this.scales, xs = this.xOf(line);
    const inside = value => (this.scales.y.log ? Math.max(value, y.low) : value);
    context.beginPath();
    for (let i = 0; i < xs.length; ++i) {
      if (Number.isFinite(line.high[i])) context.lineTo(x.pixel(xs[i]), y.pixel(inside(line.high[i])));
    }
    for (let i = xs.length - 1; i >= 0; --i) {
      if (Number.isFinite(line.low[i])) context.lineTo(x.pixel(xs[i]), y.pixel(inside(line.low[i])));
    }
    context.fill();
  }

  // Of evaluations, and of points that no line would show.
  drawDots(context, line, values) {
    const {x, y} = this.scales, xs = this.xOf(line);
    const all = line.dots && values.length <= MOST_DOTS;
    context.beginPath();
    for (let i = 0; i < values.length; ++i) {
      const alone = !Number.isFinite(values[i - 1]) && !Number.isFinite(values[i + 1]);
      const px = x.pixel(xs[i]), py = y.pixel(values[i]);
      if ((all || alone) && Number.isFinite(px) && Number.isFinite(py)) {
        context.moveTo(px + 2.6, py);
        context.arc(px, py, 2.6, 0, 2 * Math.PI);
      }
    }
    context.fill();
  }

  drawErrors(context, line) {
    const {x, y} = this.scales, xs = this.xOf(line);
    context.lineWidth = 1.2;
    context.beginPath();
    for (let i = 0; i < xs.length; ++i) {
      const reach = Math.abs(line.errors[i]);
      if (!(reach > 0) || !Number.isFinite(line.y[i])) continue;
      const at = x.pixel(xs[i]), low = y.pixel(line.y[i] - reach), high = y.pixel(line.y[i] + reach);
      context.moveTo(at, low);
      context.lineTo(at, high);
      for (const end of [low, high]) {
        context.moveTo(at - 3, end);
        context.lineTo(at + 3, end);
      }
    }
    context.stroke();
  }
}

// "12,000", and shorter from a million on.
function tickLabel(mark) {
  return Math.abs(mark) >= 1e4 && Math.abs(mark) < 1e7 && Number.isInteger(mark) ? grouped(mark) : short(mark);
}

// A canvas of this many CSS pixels, cleared, as sharp as the screen.
function sized(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.font = "11px system-ui, sans-serif";
  return context;
}
