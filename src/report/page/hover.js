// Values under the pointer or under the keyboard's cursor, and zooming into a chart.

const MOST_ROWS = 9;  // of the box of values
const spoken = element("div", "sr");  // for screen readers
spoken.setAttribute("aria-live", "polite");
document.body.append(spoken);

// The entry whose x is nearest; entries are in order of x.
function nearestEntry(xs, x) {
  let low = 0, high = xs.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] < x) low = middle;
    else high = middle;
  }
  return Math.abs(xs[low] - x) <= Math.abs(xs[high] - x) ? low : high;
}

class Hover {
  constructor(chart) {
    this.chart = chart;
    this.tip = element("div", "tip");
    this.tip.hidden = true;
    const plot = chart.plot;
    plot.append(this.tip);
    plot.tabIndex = 0;
    plot.addEventListener("pointermove", event => this.move(event));
    plot.addEventListener("pointerleave", () => this.leave());
    plot.addEventListener("pointerdown", event => this.press(event));
    plot.addEventListener("pointerup", event => this.release(event));
    plot.addEventListener("dblclick", () => this.zoom(null));
    plot.addEventListener("keydown", event => this.key(event));
    plot.addEventListener("blur", () => this.leave());
  }

  place(event) {
    const box = this.chart.plot.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  // A pixel inside the plot.
  inside(px) {
    const {x} = this.chart.scales;
    return Math.min(Math.max(px, x.first), x.last);
  }

  move(event) {
    if (!this.chart.scales) return;
    const [px, py] = this.place(event);
    if (this.pressed === undefined || Math.abs(px - this.pressed) <= 5) return this.show(px, py);
    this.tip.hidden = true;
    const {y} = this.chart.scales, [from, to] = [this.pressed, px].map(each => this.inside(each));
    this.chart.cursor.innerHTML = `<rect x="${Math.min(from, to)}" y="${y.last}" width="${Math.abs(to - from)}" height="${y.first - y.last}"/>`;
  }

  press(event) {
    if (event.pointerType === "mouse" && event.button === 0 && this.chart.scales) {
      this.pressed = this.place(event)[0];
      this.chart.plot.setPointerCapture(event.pointerId);
    }
  }

  release(event) {
    const from = this.pressed, to = this.place(event)[0];
    this.pressed = undefined;
    if (from === undefined || Math.abs(to - from) <= 5) return;
    const ends = [from, to].map(pixel => this.chart.scales.x.value(this.inside(pixel))).sort((a, b) => a - b);
    if (ends[1] > ends[0]) this.zoom(ends);
  }

  zoom(range) {
    this.leave();
    zoom(this.chart, range);
  }

  leave() {
    this.pressed = undefined;
    this.tip.hidden = true;
    this.chart.cursor.innerHTML = "";
    this.chart.highlight(-1);
  }

  key(event) {
    const {scales} = this.chart;
    const step = {ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10}[event.key];
    if (event.key === "Escape") {
      this.leave();
    } else if (scales && (step || event.key === "Home" || event.key === "End")) {
      event.preventDefault();
      const {x} = scales;
      const share = (x.last - x.first) / 60;
      const from = this.at === undefined || this.tip.hidden ? (step > 0 ? x.first - share : x.last + share) : this.at;
      const to = event.key === "Home" ? x.first : event.key === "End" ? x.last : from + step * share;
      const rows = this.show(this.inside(to), null);
      spoken.textContent = rows ? this.tip.querySelector("b").textContent + ": " +
        rows.slice(0, 5).map(row => `${row.line.name} ${short(row.value)}`).join(", ") : "";
    }
  }

  // The values at a pixel; the line nearest to py stands out.
  show(px, py) {
    const {x, y} = this.chart.scales;
    this.at = px;
    const wanted = x.value(this.inside(px));
    const rows = [];
    for (const line of this.chart.visibleLines()) {
      const xs = this.chart.xOf(line), main = this.chart.main(line);
      const i = nearestEntry(xs, wanted);
      const far = Math.abs(x.pixel(xs[i]) - x.pixel(wanted));
      if (Number.isFinite(main[i]) && far < 40) {
        rows.push({line, i, x: xs[i], value: main[i], far, away: py === null ? 0 : Math.abs(y.pixel(main[i]) - py)});
      }
    }
    if (!rows.length) {
      this.tip.hidden = true;
      return null;
    }
    const least = key => rows.reduce((best, row) => (row[key] < best[key] ? row : best));
    const near = least("away"), reference = least("far");
    rows.sort((a, b) => b.value - a.value);
    this.drawCursor(x.pixel(reference.x), rows, near);
    this.fill(rows, near, reference.x, py !== null);
    this.put(x.pixel(reference.x));
    if (py !== null) this.chart.highlight(near.line.run);
    return rows;
  }

  drawCursor(px, rows, near) {
    const {x, y} = this.chart.scales;
    const dots = rows.length > MOST_NOISY_RUNS ? [near] : rows;
    this.chart.cursor.innerHTML = `<path d="M${Math.round(px) + 0.5} ${y.last}V${y.first}"/>` + dots.map(row =>
      `<circle cx="${x.pixel(row.x)}" cy="${y.pixel(row.value)}" r="${row === near ? 4.5 : 3.5}"/>`).join("");
    dots.forEach((row, i) => (this.chart.cursor.children[i + 1].style.fill = row.line.colour));
  }

  xText(x) {
    if (!this.chart.ofRuns) return `${this.chart.data.xLabel} ${short(x)}`;
    return {step: () => `step ${grouped(x)}`, epoch: () => `epoch ${short(x)}`, time: () => duration(x)}[view.x]();
  }

  // As many rows as there is room for, around the nearest.
  fill(rows, near, x, mark) {
    const begin = Math.max(0, Math.min(rows.indexOf(near) - Math.floor(MOST_ROWS / 2), rows.length - MOST_ROWS));
    this.tip.replaceChildren(element("b", "", this.xText(x)));
    for (const row of rows.slice(begin, begin + MOST_ROWS)) {
      this.tip.append(element("div", mark && row === near && rows.length > 1 ? "near" : "", swatch(row.line.colour),
                              element("span", "name", row.line.name),
                              element("span", "value", this.valueText(row, row === near))));
    }
    if (rows.length > MOST_ROWS) {
      this.tip.append(element("span", "note", `${rows.length - MOST_ROWS} more, higher or lower`));
    }
    this.tip.hidden = false;
  }

  valueText(row, detailed) {
    const {line, i} = row;
    let text = short(row.value);
    if (line.errors && line.errors[i] > 0) text += ` ± ${short(line.errors[i], 2)}`;
    if (detailed && line.low && line.low[i] < line.high[i]) {
      text += `  (${short(line.low[i], 3)} to ${short(line.high[i], 3)})`;
    } else if (detailed && row.value !== line.y[i]) {
      text += `  (${short(line.y[i], 3)} itself)`;
    }
    return text;
  }

  put(px) {
    const room = this.chart.plot.clientWidth, width = this.tip.offsetWidth;
    const right = px + 14 + width <= room;
    this.tip.style.left = `${Math.max(0, right ? px + 14 : px - 14 - width)}px`;
  }
}
