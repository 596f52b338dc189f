// Numbers of axes and for people.

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

function duration(seconds) {
  if (seconds < 100) return `${short(seconds, 3)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 172800) return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor(whole / 3600) % 24} h`;
}

// Round numbers (1, 2 or 5 times a power of ten) inside [low, high].
function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const digit = rough / power;
  const step = power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
  const marks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9 && marks.length < 50; ++i) {
    marks.push(Math.abs(i * step) < step * 1e-6 ? 0 : i * step);
  }
  return marks;
}

// Of time: steps of seconds, minutes, hours, days.
function timeTicks(low, high, count) {
  const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
  const step = steps.find(each => (high - low) / each <= count + 1);
  if (!step || high - low < 2) return ticks(low, high, count);
  const marks = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) marks.push(value);
  return marks;
}

function timeText(value, span) {
  const pad = number => String(number).padStart(2, "0");
  if (span < 100) return `${short(value, 3)} s`;
  if (span < 7200) return `${Math.floor(value / 60)}:${pad(Math.round(value % 60))}`;
  const hours = Math.floor(value / 3600);
  return `${hours}:${pad(Math.round((value % 3600) / 60))} h`;
}

// Powers of ten and, where these are few, 2 and 5 times them, inside [low, high].
function logTicks(low, high) {
  const first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  const digits = last - first <= 2 ? [1, 2, 5] : [1];
  const marks = [];
  for (let power = first; power <= last; ++power) {
    for (const digit of digits) {
      const value = digit * 10 ** power;
      if (value >= low * 0.999999 && value <= high * 1.000001) marks.push(value);
    }
  }
  const every = Math.ceil(marks.length / 8);
  return marks.filter((_, i) => i % every === 0);
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

// The range of values with a little room, never empty.
function padded(low, high, log) {
  if (low > high) return null;
  if (log) return low === high ? [low / 2, high * 2] : [low / 1.05, high * 1.05];
  const room = low === high ? Math.abs(low) * 0.1 || 1 : (high - low) * 0.05;
  return [low - room, high + room];
}
