// Numbers as text, and from numbers to pixels.

function grouped(value) {
  return Math.abs(value) < 1e15 ? Math.round(value).toLocaleString("en-US") : String(value);
}

function short(value, digits = 4) {
  if (!Number.isFinite(value)) return "–";
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)) {
    return value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e");
  }
  return String(Number(value.toPrecision(digits)));
}

// A tick: "12,000", and shorter from a million on.
function tickText(mark) {
  return Math.abs(mark) >= 1e4 && Math.abs(mark) < 1e7 && Number.isInteger(mark) ? grouped(mark) : short(mark);
}

// The unit of a time axis, and how a time is told.
function timeUnit(seconds) {
  return [[172800, 86400, "days"], [7200, 3600, "h"], [100, 60, "min"], [0, 1, "s"]].find(([from]) => seconds >= from);
}

function duration(seconds) {
  const [, size, unit] = timeUnit(seconds);
  return `${short(seconds / size, 3)} ${unit}`;
}

// Round numbers (1, 2 or 5 times a power of ten) inside [low, high]; on a logarithmic axis that is
// long enough, powers of ten.
function ticks(low, high, count, log) {
  const marks = [];
  if (log && high > 10 * low) {
    const [first, last] = [low, high].map(Math.log10);
    const digits = last - first <= 3 ? [1, 2, 5] : [1];
    for (let each = Math.floor(first); each <= last; ++each) marks.push(...digits.map(digit => digit * 10 ** each));
    const inside = marks.filter(mark => mark >= low * 0.999999 && mark <= high * 1.000001);
    return inside.filter((_, i) => i % Math.ceil(inside.length / 8) === 0);
  }
  const power = 10 ** Math.floor(Math.log10((high - low) / count));
  const step = power * [1, 2, 5, 10].find(digit => digit * power * count >= (high - low) * 0.999999);
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9 && marks.length < 50; ++i) {
    marks.push(Math.abs(i * step) < step * 1e-6 ? 0 : i * step);
  }
  return marks;
}

// From numbers to pixels and back.
class Scale {
  constructor(low, high, first, last, log) {
    Object.assign(this, {low, high, first, last, log});
    this.begin = log ? Math.log(low) : low;
    this.size = (log ? Math.log(high) : high) - this.begin;
  }
  pixel(value) {
    return this.first + (((this.log ? Math.log(value) : value) - this.begin) / this.size) * (this.last - this.first);
  }
  value(pixel) {
    const place = this.begin + ((pixel - this.first) / (this.last - this.first)) * this.size;
    return this.log ? Math.exp(place) : place;
  }
}

// The range with a little room, never empty.
function padded(low, high, log) {
  if (log) return low === high ? [low / 2, high * 2] : [low / 1.05, high * 1.05];
  const room = low === high ? Math.abs(low) * 0.1 || 1 : (high - low) * 0.05;
  return [low - room, high + room];
}
