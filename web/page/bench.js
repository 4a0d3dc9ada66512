// 8. The reader's machine, measured.

import { DeviceDraws, Memory } from "gumbel";

import { engines, ownDevice, whenChosen } from "./engines.js";

const told = document.getElementById("bench-told");
const [run, copy] = ["run", "copy"].map((name) => document.getElementById(`bench-${name}`));

/** The shapes, and smaller ones for what emulates a GPU. */
const SHAPES = [[64, 128256], [100000, 16]];
const SMALL = [[4, 16384], [4000, 16]];

const middle = (times) => times.sort((a, b) => a - b)[times.length >> 1];

/** Milliseconds of a call, the median of some. */
async function time(call, most = 15) {
  const times = [];
  const began = performance.now();
  await call();
  while (times.length < most && (times.length < 3 || performance.now() - began < 2500)) {
    const start = performance.now();
    await call();
    times.push(performance.now() - start);
  }
  return middle(times);
}

function normals(length) {
  let state = 1;
  const word = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  return Float32Array.from({ length }, () => 3 * (word() + word() + word() + word() - 2) * 1.732);
}

async function ofCpu([rows, categories]) {
  const memory = await Memory.allocate("Float32Array", rows * categories);
  try {
    memory.view.set(normals(memory.length));
    let seed = 0;
    const draws = await time(() => engines.cpu.sample(memory, { categories, seed: seed++ }));
    const greedy = await time(() => engines.cpu.sample(memory, { categories, seed: 0, temperature: 0 }));
    return [draws, greedy];
  } finally {
    memory.free();
  }
}

async function ofDevice({ device }, [rows, categories]) {
  const values = normals(rows * categories);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const [logits, draws] = [values.byteLength, 4 * rows].map((size) => device.createBuffer({ size, usage }));
  device.queue.writeBuffer(logits, 0, values);
  try {
    const times = [];
    for (const temperature of [1, 0]) {
      const draw = await DeviceDraws.create(device, logits, draws, { rows, categories, seed: 1, temperature });
      const repeated = (count) => async () => {
        const encoder = device.createCommandEncoder();
        for (let i = 0; i < count; i++) draw.encode(encoder, i);
        device.queue.submit([encoder.finish()]);
        await device.queue.onSubmittedWorkDone();
      };
      // the time of more, less that of fewer: what it takes to ask the device is in both
      const few = await time(repeated(1), 5);
      const count = few > 200 ? 3 : 21;
      times.push(Math.max((await time(repeated(count), 5)) - few, 0) / (count - 1));
    }
    return times;
  } finally {
    logits.destroy();
    draws.destroy();
  }
}

async function measure() {
  run.disabled = true;
  const lines = [navigator.userAgent, `${navigator.hardwareConcurrency} threads; ${new Date().toISOString().slice(0, 10)}`, ""];
  const show = () => (told.textContent = lines.join("\n"));
  const row = (who, [rows, categories], [draws, greedy]) => {
    const each = (time) => `${((1e6 * time) / (rows * categories)).toFixed(3)} ns a logit`;
    const part = greedy > 0 ? `, ${(draws / greedy).toFixed(2)} times an argmax` : "";
    lines.push(`${who}, ${rows} x ${categories}: ${draws.toFixed(2)} ms, ${each(draws)}${part}`);
    show();
  };
  show();
  try {
    const own = await ownDevice();
    const shapes = own?.isSoftware ? SMALL : SHAPES;
    for (const shape of shapes) {
      row("CPU, WebAssembly, one thread", shape, await ofCpu(shape));
      // let the page breathe
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    if (own) for (const shape of shapes) row(`GPU, ${own.name}`, shape, await ofDevice(own, shape));
    else lines.push("There is no GPU here to measure.");
    lines.push("", "Measured by the page of gumbel (draws of one category a row).");
    copy.disabled = false;
  } catch (error) {
    lines.push(error.message);
  }
  show();
  run.disabled = false;
}

/** Copies the report, also where a page may not write to the clipboard. */
async function copied() {
  try {
    await navigator.clipboard.writeText(told.textContent);
    copy.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(told);
    copy.textContent = "Selected: press Ctrl+C";
  }
  setTimeout(() => (copy.textContent = "Copy the report"), 2000);
}

/** Sets the section up. */
export function bench() {
  run.addEventListener("click", measure);
  copy.addEventListener("click", copied);
  whenChosen(() => {
    told.textContent = "";
    copy.disabled = true;
  });
}
