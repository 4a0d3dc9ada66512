// Canvases with bars and curves, in the colours of the page.

/** A colour of the page's style, as it is now. */
export function colour(name) {
  const probe = colour.probe ?? document.createElement("span");
  if (!colour.probe) {
    probe.hidden = true;
    document.body.append(probe);
    colour.probe = probe;
  }
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

/** Begins a picture: a context in units of CSS pixels, with its width and height. */
export function picture(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "13px system-ui, sans-serif";
  context.textBaseline = "middle";
  return { context, width, height };
}

/** Text, cut to where it begins or ends. */
export function text(context, words, x, y, { align = "left", fill = "ink" } = {}) {
  context.textAlign = align;
  context.fillStyle = colour(fill);
  context.fillText(words, x, y);
}

/** A histogram of numbers between two bounds, as densities. */
export function densities(numbers, low, high, bins) {
  const counts = new Float64Array(bins);
  const scale = bins / (high - low);
  for (const number of numbers) {
    const bin = Math.floor((number - low) * scale);
    if (bin >= 0 && bin < bins) counts[bin]++;
  }
  return counts.map((count) => (count * scale) / numbers.length);
}

/** Draws a histogram with a density over it. */
export function histogram(canvas, bars, low, high, density, label) {
  const { context, width, height } = picture(canvas);
  const [left, bottom, top] = [8, height - 22, 12];
  const bins = bars.length;
  const most = Math.max(...bars, ...Array.from({ length: 200 }, (_, i) => density(low + ((high - low) * (i + 0.5)) / 200))) * 1.05;
  const x = (value) => left + ((value - low) / (high - low)) * (width - 2 * left);
  const y = (value) => bottom - (value / most) * (bottom - top);
  context.fillStyle = colour("bar");
  bars.forEach((bar, i) => {
    const [from, to] = [x(low + ((high - low) * i) / bins), x(low + ((high - low) * (i + 1)) / bins)];
    context.fillRect(from + 0.5, y(bar), to - from - 1, bottom - y(bar));
  });
  context.strokeStyle = colour("win");
  context.lineWidth = 2;
  context.beginPath();
  for (let i = 0; i <= 300; i++) {
    const value = low + ((high - low) * i) / 300;
    context.lineTo(x(value), y(density(value)));
  }
  context.stroke();
  context.strokeStyle = colour("line");
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(left, bottom + 0.5);
  context.lineTo(width - left, bottom + 0.5);
  context.stroke();
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    const value = low + (high - low) * part;
    text(context, label(value), x(value), height - 10, { align: part === 0 ? "left" : part === 1 ? "right" : "center", fill: "soft" });
  }
}

/** Names of categories. */
export const NAMES = ["A", "B", "C", "D", "E", "F", "G", "H"];

/** Sliders for some numbers. */
export function sliders(parent, numbers, { id, label, min, max, step, show, changed }) {
  const container = document.getElementById(parent);
  numbers.forEach((number, i) => {
    const line = document.createElement("label");
    const [name, input, output] = ["span", "input", "output"].map((tag) => document.createElement(tag));
    name.textContent = label(i);
    Object.assign(input, { type: "range", id: `${id}-${i}`, min, max, step, value: number });
    output.textContent = show(number);
    input.addEventListener("input", () => {
      numbers[i] = Number(input.value);
      output.textContent = show(numbers[i]);
      changed(i);
    });
    line.append(name, input, output);
    container.append(line);
  });
}
