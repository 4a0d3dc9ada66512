// 4 and 5. Draws by Gumbel-max, and soft samples of them.

import { currentSeed, engines, whenChosen } from "./engines.js";
import { NAMES, colour, picture, sliders, text } from "./plot.js";

const logits = [1.5, 0.5, 0, -0.5, 1, -1, 2, -2];
const CATEGORIES = logits.length;
const of = (id) => document.getElementById(id);
const controls = { temperature: of("max-temperature"), topK: of("max-top-k"), topP: of("max-top-p") };

let counts = new Float64Array(CATEGORIES);
let next = 0;
/** The draw that is shown. */
let shown = 0;

function options() {
  return {
    categories: CATEGORIES,
    seed: currentSeed(),
    temperature: Number(controls.temperature.value),
    topK: Number(controls.topK.value),
    topP: Number(controls.topP.value),
  };
}

/** The probabilities of what the cuts keep. */
async function probabilities() {
  const { seed, ...cut } = options();
  const { thresholds } = await engines.cpu.cuts(Float32Array.from(logits), cut);
  const weights = logits.map((logit) => (logit >= thresholds[0] ? Math.exp(logit / cut.temperature) : 0));
  const sum = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Draws, and counts the draws. */
async function draw(number) {
  const draws = await engines.chosen.sample(Float32Array.from(logits), { ...options(), firstDraw: next, draws: number });
  for (const category of draws) counts[category]++;
  next += number;
  shown = next - 1;
  await show();
}

/** The noise of the draw that is shown: what it adds to each logit over the temperature. */
async function noise() {
  const { topK, topP, ...whole } = options();
  const { categories, perturbedLogits } = await engines.cpu.race(Float32Array.from(logits), { ...whole, firstDraw: shown, k: CATEGORIES });
  const found = new Float64Array(CATEGORIES);
  categories.forEach((category, place) => (found[category] = perturbedLogits[place] - logits[category] / whole.temperature));
  return found;
}

async function show() {
  const [added, chances, [winner]] = await Promise.all([
    noise(),
    probabilities(),
    engines.cpu.sample(Float32Array.from(logits), { ...options(), firstDraw: shown }),
  ]);
  const temperature = Number(controls.temperature.value);
  race(logits.map((logit) => logit / temperature), added, chances, winner);
  histogram(chances);
  const total = next;
  const worst = Math.max(...chances.map((chance, i) => (total ? Math.abs(counts[i] / total - chance) : 0)));
  const error = Math.max(...chances.map((chance) => (total ? Math.sqrt((chance * (1 - chance)) / total) : 0)));
  of("max-told").textContent = total
    ? `Draw number ${shown} is ${NAMES[winner]}. ${total} draws: no share is further than ${worst.toFixed(5)} from its probability; the largest standard error is ${error.toFixed(5)}.`
    : `Draw number 0 will be ${NAMES[winner]}.`;
  await soft();
}

/** Logits, with noise on top of them. */
function race(scaled, added, chances, winner) {
  const { context, width, height } = picture(of("max-canvas"));
  const all = scaled.flatMap((logit, i) => [logit, logit + added[i]]);
  const [low, high] = [Math.min(0, ...all) - 0.3, Math.max(0, ...all) + 0.6];
  const y = (value) => 16 + ((high - value) / (high - low)) * (height - 44);
  const step = (width - 16) / CATEGORIES;
  context.strokeStyle = colour("line");
  context.beginPath();
  context.moveTo(8, y(0));
  context.lineTo(width - 8, y(0));
  context.stroke();
  for (let i = 0; i < CATEGORIES; i++) {
    const left = 8 + step * i + step * 0.15;
    const cut = chances[i] === 0;
    context.globalAlpha = cut ? 0.3 : 1;
    const end = scaled[i] + added[i];
    context.fillStyle = colour("bar");
    context.fillRect(left, Math.min(y(0), y(scaled[i])), step * 0.34, Math.abs(y(scaled[i]) - y(0)) + 1);
    context.fillStyle = colour("noise");
    context.fillRect(left + step * 0.36, Math.min(y(scaled[i]), y(end)), step * 0.34, Math.abs(y(end) - y(scaled[i])) + 1);
    context.fillStyle = colour(i === winner ? "win" : "ink");
    context.fillRect(left + step * 0.3, y(end) - 1.5, step * 0.46, 3);
    text(context, cut ? `${NAMES[i]} cut` : NAMES[i], left + step * 0.35, height - 12, { align: "center", fill: i === winner ? "win" : "soft" });
    context.globalAlpha = 1;
  }
  text(context, "logit / T", 12, 10, { fill: "bar" });
  text(context, "+ noise", 76, 10, { fill: "noise" });
  text(context, `= ${NAMES[winner]} wins`, 130, 10, { fill: "win" });
}

/** How often each category was drawn, beside its probability. */
function histogram(chances) {
  const { context, width, height } = picture(of("max-histogram"));
  const step = (width - 16) / CATEGORIES;
  const most = Math.max(...chances, ...counts.map((count) => (next ? count / next : 0))) * 1.15;
  const y = (share) => 14 + (1 - share / most) * (height - 44);
  for (let i = 0; i < CATEGORIES; i++) {
    const left = 8 + step * i + step * 0.15;
    const share = next ? counts[i] / next : 0;
    context.fillStyle = colour("bar");
    context.fillRect(left, y(share), step * 0.7, height - 30 - y(share));
    context.fillStyle = colour("win");
    context.fillRect(left - 2, y(chances[i]) - 1, step * 0.7 + 4, 2);
    text(context, NAMES[i], left + step * 0.35, height - 18, { align: "center" });
    text(context, next ? `${(100 * share).toFixed(1)} %` : "", left + step * 0.35, height - 5, { align: "center", fill: "soft" });
  }
  text(context, "drawn, and probabilities", 12, 8, { fill: "soft" });
}

async function soft() {
  const tau = 10 ** Number(of("soft-tau").value);
  of("soft-value").textContent = tau < 0.1 ? tau.toExponential(0) : tau.toFixed(2);
  const sample = await engines.cpu.soften(Float32Array.from(logits), { ...options(), firstDraw: shown, tau });
  const { context, width, height } = picture(of("soft-canvas"));
  const step = (width - 16) / CATEGORIES;
  sample.forEach((share, i) => {
    const left = 8 + step * i + step * 0.15;
    const bar = share * (height - 50);
    context.fillStyle = colour(share === Math.max(...sample) ? "win" : "bar");
    context.fillRect(left, height - 30 - bar, step * 0.7, bar);
    text(context, NAMES[i], left + step * 0.35, height - 18, { align: "center" });
    text(context, share.toFixed(3), left + step * 0.35, height - 5, { align: "center", fill: "soft" });
  });
  const entropy = sample.reduce((sum, share) => sum - (share > 0 ? share * Math.log2(share) : 0), 0);
  of("soft-told").textContent = `The sample has ${entropy.toFixed(2)} bits of entropy; the draw has 0, and the same for all would have ${Math.log2(CATEGORIES)}.`;
}

function forget() {
  counts = new Float64Array(CATEGORIES);
  next = 0;
  shown = 0;
  return show();
}

/** Sets the sections up. */
export function gumbelMax() {
  sliders("max-logits", logits, {
    id: "max-logit",
    label: (i) => `Logit ${NAMES[i]}`,
    min: -4,
    max: 4,
    step: 0.1,
    show: (logit) => logit.toFixed(1),
    changed: forget,
  });
  for (const control of Object.values(controls)) {
    control.addEventListener("input", () => {
      control.parentElement.querySelector("output").textContent = control.value;
      forget();
    });
  }
  for (const [id, number] of [["one", 1], ["thousand", 1000], ["million", 1000000]]) {
    of(`max-${id}`).addEventListener("click", () => draw(number));
  }
  of("max-reset").addEventListener("click", forget);
  of("soft-tau").addEventListener("input", soft);
  whenChosen(forget);
  addEventListener("resize", show);
}

export { show as showDraws };
