// Values under the pointer or under the keyboard's cursor, and zooming into a chart.

const MOST_ROWS = 9;  // of the box of values
const spoken = document.createElement("div");  // for screen readers
spoken.className = "sr";
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
  constructor(chart, redraw) {
    this.chart = chart;
    this.redraw = redraw;
    this.tip = document.createElement("div");
    this.tip.className = "tip";
    this.tip.hidden = true;
    chart.plot.append(this.tip);
    const plot = chart.plot;
    plot.tabIndex = 0;
    plot.setAttribute("role", "img");
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

  move(event) {
    if (!this.chart.scales) return;
    const [px, py] = this.place(event);
    if (this.pressed !== undefined && Math.abs(px - this.pressed) > 5) {
      this.tip.hidden = true;
      this.drawSelection(this.pressed, px);
      return;
    }
    this.show(px, py);
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
    const {x} = this.chart.scales;
    const ends = [from, to].map(pixel => x.value(Math.min(Math.max(pixel, x.first), x.last)));
    ends.sort((a, b) => a - b);
    if (ends[1] > ends[0]) this.zoom(ends);
  }

  zoom(range) {
    this.chart.zoom = range;
    this.chart.unzoom.hidden = range === null;
    this.leave();
    this.redraw();
  }

  leave() {
    this.pressed = undefined;
    this.tip.hidden = true;
    clear(this.chart.cursor);
    this.setNear(-1);
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
      const rows = this.show(Math.min(Math.max(to, x.first), x.last), null);
      spoken.textContent = rows ? this.tip.querySelector("b").textContent + ": " +
        rows.slice(0, 5).map(row => `${row.label} ${short(row.value)}`).join(", ") : "";
    }
  }

  // The values at a pixel; the line nearest to py stands out.
  show(px, py) {
    const {x, y} = this.chart.scales;
    this.at = px;
    const wanted = x.value(Math.min(Math.max(px, x.first), x.last));
    const rows = [];
    for (const line of this.chart.visibleLines()) {
      const xs = this.chart.xOf(line), main = this.chart.main(line);
      const i = nearestEntry(xs, wanted);
      const far = Math.abs(x.pixel(xs[i]) - x.pixel(wanted));
      if (Number.isFinite(main[i]) && far < 40) {
        rows.push({line, i, x: xs[i], value: main[i], far, label: this.chart.labelOf(line),
                   away: py === null ? 0 : Math.abs(y.pixel(main[i]) - py)});
      }
    }
    if (!rows.length) {
      this.tip.hidden = true;
      return null;
    }
    const near = rows.reduce((best, row) => (row.away < best.away ? row : best));
    rows.sort((a, b) => b.value - a.value);
    const reference = rows.reduce((best, row) => (row.far < best.far ? row : best));
    this.drawCursor(x.pixel(reference.x), rows, near);
    this.fill(rows, near, reference.x, py !== null);
    this.put(x.pixel(reference.x));
    if (py !== null) this.setNear(near.line.run);
    return rows;
  }

  setNear(run) {
    const runs = new Set(this.chart.lines.map(line => line.run)).size;
    if (this.chart.near !== run && runs > 1) {
      this.chart.near = run;
      this.redraw();
    }
  }

  drawCursor(px, rows, near) {
    const {x, y} = this.chart.scales;
    const context = clear(this.chart.cursor);
    context.strokeStyle = resolved("var(--faint)");
    context.lineWidth = 1;
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(Math.round(px) + 0.5, y.last);
    context.lineTo(Math.round(px) + 0.5, y.first);
    context.stroke();
    context.setLineDash([]);
    for (const row of rows) {
      if (rows.length > MOST_NOISY_RUNS && row !== near) continue;
      context.fillStyle = resolved(row.line.colour);
      context.strokeStyle = resolved("var(--ground)");
      context.beginPath();
      context.arc(x.pixel(row.x), y.pixel(row.value), row === near ? 4.5 : 3.5, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
  }

  drawSelection(from, to) {
    const {x, y} = this.chart.scales;
    const context = clear(this.chart.cursor);
    context.globalAlpha = 0.18;
    context.fillStyle = resolved("var(--accent)");
    const begin = Math.max(Math.min(from, to), x.first), end = Math.min(Math.max(from, to), x.last);
    context.fillRect(begin, y.last, end - begin, y.first - y.last);
  }

  // As many rows as there is room for, around the nearest.
  fill(rows, near, x, mark) {
    const middle = rows.indexOf(near);
    const begin = Math.max(0, Math.min(middle - Math.floor(MOST_ROWS / 2), rows.length - MOST_ROWS));
    const axis = this.chart.options.axes ? AXES[view.x].text : value => `${this.chart.options.xLabel} ${short(value)}`;
    const title = document.createElement("b");
    title.textContent = axis(x);
    this.tip.replaceChildren(title);
    for (const row of rows.slice(begin, begin + MOST_ROWS)) {
      const item = document.createElement("div");
      item.className = mark && row === near && rows.length > 1 ? "near" : "";
      item.append(swatch(row.line.colour), span("name", row.label), span("value", this.valueText(row, row === near)));
      this.tip.append(item);
    }
    if (rows.length > MOST_ROWS) {
      this.tip.append(span("note", `${rows.length - MOST_ROWS} more, higher or lower`));
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
    this.tip.style.top = "6px";
  }
}

function clear(canvas) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  return context;
}

function span(className, text) {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}

function swatch(colour) {
  const element = document.createElement("i");
  element.className = "swatch";
  element.style.background = colour;
  return element;
}
