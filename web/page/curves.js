// 2 and 3. The time of the first ring, and the same on a logarithmic clock.

import { rates, whenRatesChange } from "./alarms.js";
import { currentSeed, engines, whenChosen } from "./engines.js";
import { densities, histogram } from "./plot.js";

const RACES = 10000;
const logit = document.getElementById("curve-logit");

async function minimum() {
  const sum = rates.reduce((sum, rate) => sum + rate, 0);
  const { times } = await engines.cpu.race(
    { weights: Float32Array.from(rates) },
    { categories: rates.length, seed: currentSeed(), draws: RACES, k: 1 },
  );
  const high = 4 / sum;
  const bars = densities(times, 0, high, 40);
  histogram(document.getElementById("minimum-canvas"), bars, 0, high, (t) => sum * Math.exp(-sum * t), (t) => `${t.toFixed(2)} s`);
  const mean = times.reduce((sum, time) => sum + time, 0) / RACES;
  document.getElementById("minimum-told").textContent =
    `The mean of ${RACES} first rings is ${mean.toFixed(4)} s; 1/Λ = ${(1 / sum).toFixed(4)} s, with a standard error of ${(1 / sum / Math.sqrt(RACES)).toFixed(4)} s.`;
}

async function curve() {
  const at = Number(logit.value);
  document.getElementById("curve-value").textContent = at.toFixed(1);
  const { perturbedLogits } = await engines.cpu.race([at], { categories: 1, seed: currentSeed(), draws: RACES, k: 1 });
  const bars = densities(perturbedLogits, -5, 12, 68);
  const density = (g) => Math.exp(-(g - at) - Math.exp(-(g - at)));
  histogram(document.getElementById("curve-canvas"), bars, -5, 12, density, (g) => g.toFixed(1));
  const mean = perturbedLogits.reduce((sum, number) => sum + number, 0) / RACES;
  document.getElementById("curve-told").textContent =
    `Mean ${mean.toFixed(3)}; expected ℓ + γ = ${(at + 0.5772156649).toFixed(3)}, γ Euler's constant.`;
}

/** Sets the sections up. */
export function curves() {
  whenRatesChange(minimum);
  logit.addEventListener("input", curve);
  const both = () => Promise.all([minimum(), curve()]);
  whenChosen(both);
  addEventListener("resize", both);
}

export { curve as showCurve, minimum as showMinimum };
