// A chart that the program drew (src/report/chart.cpp), shown as the reader asks for it. What a line
// looks like is the program's; here its coordinates change, and with them the grid.

const MOST_NOISY_RUNS = 12;  // more are drawn without their noise
const MOST_DOTS = 80;

class Chart {
  constructor(figure) {
    this.figure = figure;
    this.data = DATA.charts[figure.dataset.chart];
    this.ofRuns = Boolean(this.data.curves);  // follows the reader's x axis
    this.plot = figure.querySelector(".plot");
    this.svg = this.plot.querySelector(".chart");
    this.svg.insertAdjacentHTML("beforeend", `<g class="cursor"></g>`);
    [this.grid, this.area, this.cursor] = [".grid", ".lines", ".cursor"].map(part => this.svg.querySelector(part));
    this.area.removeAttribute("overflow");
    this.lines = [...this.area.children].map(group => lineOf(group, this.data));
    this.kindsOff = new Set();
    this.zoom = null;  // [low, high] of x
    this.near = -1;    // the run that stands out
  }

  xOf(line) {
    return line.xs[this.ofRuns ? view.x : "step"];
  }

  visibleLines() {
    return this.lines.filter(line => !view.hidden.has(line.run) && !this.kindsOff.has(line.kind) && this.xOf(line));
  }

  // What is drawn as the line: smoothed where the reader asks for it.
  main(line) {
    return smoothed(line, view.smoothing) || line.y;
  }

  draw() {
    const {clientWidth: width, clientHeight: height} = this.plot;
    if (!width || !height) return;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const lines = this.visibleLines();
    this.scales = this.makeScales(lines, width, height);
    for (const line of this.lines) line.group.classList.toggle("off", !this.scales || !lines.includes(line));
    if (!this.scales) {
      const text = lines.length ? "no finite values" : "nothing is shown";
      this.grid.innerHTML = `<text x="${width / 2}" y="${height / 2}" text-anchor="middle">${text}</text>`;
      return;
    }
    this.drawGrid(width);
    const {x, y} = this.scales;
    const box = {x: x.first, y: y.last - 2, width: x.last - x.first, height: y.first - y.last + 4};
    for (const name in box) this.area.setAttribute(name, box[name]);
    this.area.setAttribute("viewBox", Object.values(box).join(" "));
    const noisy = new Set(lines.map(line => line.run)).size <= MOST_NOISY_RUNS;
    for (const line of lines) this.drawLine(line, noisy);
  }

  // Makes a run stand out; -1: none.
  highlight(run) {
    if (run === this.near || DATA.runs.length < 2) return;
    this.near = run;
    this.area.classList.toggle("focused", run >= 0);
    for (const line of this.lines) line.group.classList.toggle("near", line.run === run);
  }

  makeScales(lines, width, height) {
    let [xLow, xHigh] = [Infinity, -Infinity];
    for (const line of lines) {
      this.xOf(line).forEach((x, i) => {
        if (Number.isNaN(line.y[i]) || (this.data.logX && !(x > 0))) return;
        xLow = Math.min(xLow, x);
        xHigh = Math.max(xHigh, x);
      });
    }
    if (xLow > xHigh) return null;
    if (this.zoom) [xLow, xHigh] = this.zoom;
    if (xLow === xHigh) [xLow, xHigh] = padded(xLow, xHigh, this.data.logX);
    const range = this.yRange(lines, xLow, xHigh);
    if (!range) return null;
    const logY = view.logY && range[0] > 0;
    const y = new Scale(...padded(...range, logY), height - 36, 8, logY);
    y.marks = ticks(y.low, y.high, Math.max(3, Math.round(height / 45)), logY);
    const left = 10 + 6.3 * Math.max(3, ...y.marks.map(mark => short(mark).length));
    const x = new Scale(xLow, xHigh, left, width - 8, this.data.logX);
    x.label = this.ofRuns ? view.x : this.data.xLabel;
    x.unit = 1;
    if (this.ofRuns && view.x === "time") {
      let name;
      [, x.unit, name] = timeUnit(xHigh);
      x.label = `time in ${name}`;
    }
    const count = Math.max(3, Math.round((width - left) / 90));
    x.marks = ticks(xLow / x.unit, xHigh / x.unit, count, this.data.logX);
    return {x, y};
  }

  // All of the lines themselves; of the noise around them, all but its extremes.
  yRange(lines, xLow, xHigh) {
    const found = [];
    for (const line of lines) {
      const main = this.main(line);
      const noise = [];
      this.xOf(line).forEach((x, i) => {
        if (x < xLow || x > xHigh) return;
        const reach = line.errors ? Math.abs(line.errors[i]) || 0 : 0;
        found.push(main[i] - reach, main[i] + reach);
        if (main !== line.y && Number.isFinite(line.y[i])) noise.push(line.y[i]);
      });
      noise.sort((a, b) => a - b);
      if (noise.length) found.push(noise[Math.floor(noise.length * 0.02)], noise[Math.ceil(noise.length * 0.98) - 1]);
    }
    const finite = found.filter(Number.isFinite);
    return finite.length ? [finite.reduce((a, b) => Math.min(a, b)), finite.reduce((a, b) => Math.max(a, b))] : null;
  }

  drawGrid(width) {
    const {x, y} = this.scales;
    const text = (px, py, anchor, content) => `<text x="${px}" y="${py}" text-anchor="${anchor}">${content}</text>`;
    const rows = y.marks.map(mark => {
      const at = Math.round(y.pixel(mark)) + 0.5;
      return `<path d="M${x.first} ${at}H${x.last}"/>` + text(x.first - 6, at + 4, "end", short(mark));
    });
    const columns = x.marks.map(mark => {
      const at = x.pixel(mark * x.unit), label = tickText(mark);
      const inside = at + 3.2 * label.length < width;
      return text(inside ? at : width, y.first + 15, inside ? "middle" : "end", label);
    });
    this.grid.innerHTML = rows.join("") + columns.join("") + text((x.first + x.last) / 2, y.first + 32, "middle", "");
    this.grid.lastChild.textContent = x.label;
  }

  drawLine(line, noisy) {
    const main = this.main(line);
    const paths = {
      band: noisy && line.low ? this.band(line) : "",
      noise: noisy && main !== line.y ? this.trace(line, line.y) : "",
      main: this.trace(line, main),
      dots: this.dots(line, main),
      errors: line.errors ? this.errors(line) : "",
    };
    for (const name in paths) line.group.querySelector("." + name).setAttribute("d", paths[name]);
  }

  // Each point as its pixels; not finite where it cannot be drawn.
  pixels(line, values) {
    const {x, y} = this.scales, xs = this.xOf(line);
    return Array.from(values, (value, i) => [x.pixel(xs[i]), y.pixel(value)].map(pixel => Math.round(pixel * 10) / 10));
  }

  trace(line, values) {
    const {x, y} = this.scales, xs = this.xOf(line);
    let path = "", open = false;
    for (let i = 0; i < values.length; ++i) {
      const px = Math.round(x.pixel(xs[i]) * 10) / 10, py = Math.round(y.pixel(values[i]) * 10) / 10;
      const known = Number.isFinite(px) && Number.isFinite(py);
      if (known) path += `${open ? "L" : "M"}${px} ${py}`;
      open = known;
    }
    return path;
  }

  band(line) {
    const {y} = this.scales;
    const inside = values => (y.log ? values.map(value => Math.max(value, y.low)) : values);
    const edge = [...this.pixels(line, inside(line.high)), ...this.pixels(line, inside(line.low)).reverse()];
    return "M" + edge.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y)).map(([x, y]) => `${x} ${y}`).join("L");
  }

  // Of marked lines, and of points that no line would show.
  dots(line, values) {
    const all = line.dots && values.length <= MOST_DOTS;
    const known = i => Number.isFinite(values[i]);
    return this.pixels(line, values).map(([x, y], i) =>
      (all || (!known(i - 1) && !known(i + 1))) && Number.isFinite(x) && Number.isFinite(y) ? `M${x} ${y}h0` : "").join("");
  }

  errors(line) {
    const high = this.pixels(line, line.y.map((y, i) => y + line.errors[i]));
    const low = this.pixels(line, line.y.map((y, i) => y - line.errors[i]));
    return high.map(([x, top], i) => Number.isFinite(x + top + low[i][1]) && line.errors[i] > 0
      ? `M${x - 3} ${top}h6m-3 0V${low[i][1]}m-3 0h6` : "").join("");
  }
}
