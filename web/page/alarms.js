// 1. Alarms that race in real time.

import { currentSeed, engines, whenChosen } from "./engines.js";
import { NAMES, colour, picture, sliders, text } from "./plot.js";

/** Rates, in rings a second. */
export const rates = [0.2, 0.3, 0.5, 0.8, 1.2];
const canvas = document.getElementById("alarm-canvas");
const told = document.getElementById("alarm-told");
const run = document.getElementById("alarm-run");
const speed = document.getElementById("alarm-speed");
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** How often each alarm has won, under these rates. */
let wins = rates.map(() => 0);
/** The number of the next race. */
let next = 0;
/** The race that is on: when each alarm rings, and how far the clock is. */
let race;
let running = false;
let last = 0;
/** Listeners to other rates. */
const changes = [];
export function whenRatesChange(listener) {
  changes.push(listener);
}

async function races(number) {
  const { categories, times } = await engines.cpu.race(
    { weights: Float32Array.from(rates) },
    { categories: rates.length, seed: currentSeed(), firstDraw: next, draws: number, k: rates.length },
  );
  next += number;
  return { categories, times };
}

async function begin() {
  const { categories, times } = await races(1);
  const rings = [];
  categories.forEach((category, place) => (rings[category] = times[place]));
  race = { rings, winner: categories[0], end: times[0], clock: 0, rested: 0 };
}

function show() {
  const { context, width, height } = picture(canvas);
  const line = (height - 30) / rates.length;
  const total = wins.reduce((sum, count) => sum + count, 0);
  const sum = rates.reduce((sum, rate) => sum + rate, 0);
  const middle = width * 0.55;
  text(context, "this race, in seconds", 30, 12, { fill: "soft" });
  text(context, width < 480 ? "wins" : "wins, and the share of the rate", middle + 16, 12, { fill: "soft" });
  const reach = race ? Math.max(1.5 * race.end, 1) : 1;
  rates.forEach((rate, i) => {
    const y = 28 + line * (i + 0.5);
    text(context, NAMES[i], 8, y);
    context.fillStyle = colour("line");
    context.fillRect(30, y - line * 0.3, middle - 40, line * 0.6);
    if (race) {
      const done = Math.min(race.clock, race.rings[i]) / reach;
      const rung = race.clock >= race.rings[i];
      context.fillStyle = colour(rung ? "win" : "bar");
      context.fillRect(30, y - line * 0.3, Math.min(done, 1) * (middle - 40), line * 0.6);
      if (rung) text(context, `rings at ${race.rings[i].toFixed(2)}`, 38, y, { fill: "back" });
    }
    const room = width - middle - 80;
    context.fillStyle = colour("bar");
    context.fillRect(middle + 16, y - line * 0.3, total ? (wins[i] / total) * room : 0, line * 0.6);
    context.fillStyle = colour("win");
    context.fillRect(middle + 15 + (rate / sum) * room, y - line * 0.4, 2, line * 0.8);
    text(context, String(wins[i]), width - 8, y, { align: "right" });
  });
}

function tell() {
  const total = wins.reduce((sum, count) => sum + count, 0);
  const sum = rates.reduce((sum, rate) => sum + rate, 0);
  const parts = rates.map((rate, i) => `${NAMES[i]} ${total ? ((100 * wins[i]) / total).toFixed(1) : "–"} % of ${((100 * rate) / sum).toFixed(1)} %`);
  told.textContent = `${total} races. ${parts.join(", ")}.`;
}

async function frame(now) {
  if (!running) return;
  const passed = Math.min(now - last, 100) / 1000;
  last = now;
  if (!race || race.rested > 0.5) await begin();
  const before = race.clock;
  race.clock = Math.min(race.clock + passed * Number(speed.value), race.end);
  if (race.clock === race.end) {
    if (before < race.end) {
      wins[race.winner]++;
      tell();
    }
    // a moment to see who has won
    race.rested += still.matches ? 1 : passed;
  }
  show();
  requestAnimationFrame(frame);
}

function stop() {
  running = false;
  run.textContent = "Start";
  run.setAttribute("aria-pressed", "false");
}

function again() {
  wins = rates.map(() => 0);
  next = 0;
  race = undefined;
  show();
  tell();
}

/** Sets the section up. */
export function alarms() {
  sliders("alarm-rates", rates, {
    id: "alarm-rate",
    label: (i) => `Alarm ${NAMES[i]}`,
    min: 0.05,
    max: 3,
    step: 0.05,
    show: (rate) => `${rate.toFixed(2)}/s`,
    changed: () => {
      again();
      changes.forEach((listener) => listener());
    },
  });
  run.addEventListener("click", () => {
    running = !running;
    run.textContent = running ? "Stop" : "Start";
    run.setAttribute("aria-pressed", String(running));
    last = performance.now();
    if (running) requestAnimationFrame(frame);
  });
  document.getElementById("alarm-many").addEventListener("click", async () => {
    const { categories } = await races(1000);
    for (let i = 0; i < categories.length; i += rates.length) wins[categories[i]]++;
    show();
    tell();
  });
  document.getElementById("alarm-reset").addEventListener("click", () => {
    stop();
    again();
  });
  whenChosen(again);
  addEventListener("resize", show);
  again();
}

export { show as showAlarms };
