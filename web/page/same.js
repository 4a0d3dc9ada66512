// 7. The same draws from both engines, with the digest of the command line.

import { Sampler, digest } from "gumbel";

import { currentSeed, engines, ownDevice, whenChosen } from "./engines.js";

const [ROWS, CATEGORIES] = [64, 8192];
const told = document.getElementById("same-told");
const file = document.getElementById("same-file");

/** Roughly normal logits, which are the same everywhere: integers, over a power of two. */
export function logits() {
  return Float32Array.from({ length: ROWS * CATEGORIES }, (_, i) => {
    let x = Math.imul(i + 1, 0x9e3779b9);
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    x ^= x >>> 16;
    return ((x & 255) + ((x >>> 8) & 255) + ((x >>> 16) & 255) + (x >>> 24) - 510) / 64;
  });
}

/** The logits as a .npy file. */
function npy() {
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${ROWS}, ${CATEGORIES}), }`.padEnd(117) + "\n";
  const begin = new Uint8Array([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, dictionary.length, 0]);
  return new Blob([begin, dictionary, logits()], { type: "application/octet-stream" });
}

function command() {
  return `gumbel sample logits.npy --seed ${currentSeed()} --digest --quiet > /dev/null`;
}

async function compare() {
  const lines = [];
  const say = (line) => {
    lines.push(line);
    told.textContent = lines.join("\n");
  };
  say("Drawing…");
  const options = { categories: CATEGORIES, seed: currentSeed() };
  const of = async (sampler, name) => {
    const began = performance.now();
    const draws = await sampler.sample(logits(), options);
    say(`${name}: digest ${await digest(draws)} (${(performance.now() - began).toFixed(0)} ms)`);
    return draws;
  };
  lines.pop();
  const cpu = await of(engines.cpu, "CPU, WebAssembly");
  const own = await ownDevice();
  if (own) {
    const gpu = await Sampler.gpu({ software: true });
    const draws = await of(gpu, `GPU, ${gpu.adapter}`);
    gpu.destroy();
    const wrong = draws.reduce((count, draw, i) => count + (draw === cpu[i] ? 0 : 1), 0);
    say(wrong === 0 ? `The same ${ROWS} draws, bit for bit.` : `${wrong} of ${ROWS} DRAWS DIFFER. Please report it.`);
  } else {
    say("There is no GPU here to compare with.");
  }
  say(`And on your machine's command line:\n${command()}`);
}

/** Sets the section up. */
export function same() {
  file.href = URL.createObjectURL(npy());
  document.getElementById("same-run").addEventListener("click", () => {
    compare().catch((error) => (told.textContent = error.message));
  });
  whenChosen(() => {
    told.textContent = command();
  });
}
