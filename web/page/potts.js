// 6. A Potts lattice, on the reader's GPU where there is one.

import { DeviceDraws } from "gumbel";

import { currentSeed, engines, ownDevice, whenChosen } from "./engines.js";

const canvas = document.getElementById("potts-canvas");
const told = document.getElementById("potts-told");
const run = document.getElementById("potts-run");
const [q, beta] = ["q", "beta"].map((name) => document.getElementById(`potts-${name}`));
const COLOURS = [[36, 86, 199], [226, 163, 59], [194, 59, 59], [63, 145, 92], [122, 85, 178], [80, 160, 180]];

let running = false;
/** The lattice: how it moves, and how its cells are read. */
let lattice;
let sweeps = 0;
/** Grows with each new lattice, so that those before end. */
let generation = 0;

/** The cells of a colour of the chessboard: row and column of the i-th. */
const cellOf = (i, parity, side) => {
  const row = Math.floor((2 * i) / side);
  return [row, ((2 * i) % side) + ((row + parity) % 2)];
};

/** A lattice in the module's memory, for the CPU engine. */
function onCpu(side, colours) {
  const cells = new Uint32Array(side * side);
  const half = cells.length / 2;
  const logits = new Float32Array(half * colours);
  return {
    side,
    who: "the CPU",
    async sweep(step, coupling, seed) {
      for (const parity of [0, 1]) {
        logits.fill(0);
        for (let i = 0; i < half; i++) {
          const [row, column] = cellOf(i, parity, side);
          for (const [r, c] of [[row + 1, column], [row + side - 1, column], [row, column + 1], [row, column + side - 1]]) {
            logits[i * colours + cells[(r % side) * side + (c % side)]]++;
          }
        }
        for (let i = 0; i < logits.length; i++) logits[i] *= coupling;
        const draws = await engines.cpu.sample(logits, { categories: colours, seed, firstDraw: 2 * step + parity });
        for (let i = 0; i < half; i++) {
          const [row, column] = cellOf(i, parity, side);
          cells[row * side + column] = draws[i];
        }
      }
    },
    read: async () => cells,
    free() {},
  };
}

/** WGSL that counts neighbours into logits, and sets cells to draws. */
const kernels = (side, colours) => `
const SIDE = ${side}u;
const COLOURS = ${colours}u;
// the logits of a colour that 1 to 4 neighbours have
struct Step { logits: vec4<f32>, parity: u32 }
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read_write> cells: array<u32>;
@group(0) @binding(2) var<storage, read_write> logits: array<f32>;
@group(0) @binding(3) var<storage, read_write> draws: array<u32>;

fn cell(i: u32) -> vec2<u32> {
  let row = 2u * i / SIDE;
  return vec2<u32>(row, 2u * i % SIDE + (row + step.parity) % 2u);
}
fn at(row: u32, column: u32) -> u32 {
  return cells[(row % SIDE) * SIDE + column % SIDE];
}
@compute @workgroup_size(64)
fn count(@builtin(global_invocation_id) id: vec3<u32>) {
  if id.x >= SIDE * SIDE / 2u { return; }
  let p = cell(id.x);
  let near = vec4<u32>(at(p.x + 1u, p.y), at(p.x + SIDE - 1u, p.y), at(p.x, p.y + 1u), at(p.x, p.y + SIDE - 1u));
  for (var colour = 0u; colour < COLOURS; colour++) {
    let count = dot(select(vec4<u32>(0u), vec4<u32>(1u), near == vec4<u32>(colour)), vec4<u32>(1u));
    logits[id.x * COLOURS + colour] = select(0.0, step.logits[max(count, 1u) - 1u], count > 0u);
  }
}
@compute @workgroup_size(64)
fn apply(@builtin(global_invocation_id) id: vec3<u32>) {
  if id.x >= SIDE * SIDE / 2u { return; }
  let p = cell(id.x);
  cells[p.x * SIDE + p.y] = draws[id.x];
}`;

/** A lattice that stays on a device. */
async function onDevice({ device, name }, side, colours) {
  const half = (side * side) / 2;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
  const buffer = (size, usage) => device.createBuffer({ size, usage });
  const cells = buffer(8 * half, usage);
  const logits = buffer(4 * half * colours, usage);
  const draws = buffer(4 * half, usage);
  const taken = buffer(8 * half, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  const module = device.createShaderModule({ code: kernels(side, colours) });
  const types = ["uniform", "storage", "storage", "storage"];
  const layout = device.createBindGroupLayout({
    entries: types.map((type, binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type } })),
  });
  const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
  const [count, apply] = ["count", "apply"].map((entryPoint) =>
    device.createComputePipeline({ layout: pipelineLayout, compute: { module, entryPoint } }),
  );
  const steps = [0, 1].map(() => buffer(32, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST));
  const groups = steps.map((step) =>
    device.createBindGroup({
      layout,
      entries: [step, cells, logits, draws].map((buffer, binding) => ({ binding, resource: { buffer } })),
    }),
  );
  const seed = currentSeed();
  const draw = await DeviceDraws.create(device, logits, draws, { rows: half, categories: colours, seed });
  return {
    side,
    who: name,
    async sweep(step, coupling) {
      const encoder = device.createCommandEncoder();
      for (const parity of [0, 1]) {
        // rounded here, so that no device's arithmetic has a part in the lattice
        device.queue.writeBuffer(steps[parity], 0, Float32Array.from([1, 2, 3, 4], (count) => count * coupling));
        device.queue.writeBuffer(steps[parity], 16, new Uint32Array([parity]));
        for (const [pipeline, before] of [[count, true], [apply, false]]) {
          if (!before) draw.encode(encoder, 2 * step + parity);
          const pass = encoder.beginComputePass();
          pass.setPipeline(pipeline);
          pass.setBindGroup(0, groups[parity]);
          pass.dispatchWorkgroups(Math.ceil(half / 64));
          pass.end();
        }
      }
      device.queue.submit([encoder.finish()]);
    },
    async read() {
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(cells, 0, taken, 0, 8 * half);
      device.queue.submit([encoder.finish()]);
      await taken.mapAsync(GPUMapMode.READ);
      const words = new Uint32Array(taken.getMappedRange().slice(0));
      taken.unmap();
      return words;
    },
    free() {
      for (const buffer of [cells, logits, draws, taken, ...steps]) buffer.destroy();
    },
  };
}

async function show() {
  const { side } = lattice;
  const cells = await lattice.read();
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  const image = context.createImageData(side, side);
  cells.forEach((cell, i) => image.data.set([...COLOURS[cell], 255], 4 * i));
  context.putImageData(image, 0, 0);
  const counts = new Float64Array(Number(q.value));
  cells.forEach((cell) => counts[cell]++);
  const most = Math.max(...counts) / cells.length;
  const order = (counts.length * most - 1) / (counts.length - 1);
  told.textContent = `${side} × ${side} cells on ${lattice.who}, ${sweeps - 1} sweeps. Order ${order.toFixed(3)} (0 none, 1 all alike); it sets in at β = ${Math.log(1 + Math.sqrt(counts.length)).toFixed(3)}.`;
}

async function frame(mine) {
  if (!running || mine !== generation) return;
  const began = performance.now();
  // as many sweeps as leave the page at ease
  for (let i = 0; i < 8 && performance.now() - began < 12; i++) {
    await lattice.sweep(sweeps, Number(beta.value), currentSeed());
    sweeps++;
  }
  await show();
  if (mine === generation) requestAnimationFrame(() => frame(mine).catch(failedIn(mine)));
}

async function again() {
  const mine = ++generation;
  const own = await ownDevice();
  const colours = Number(q.value);
  const made = own && !own.isSoftware ? await onDevice(own, 256, colours) : own ? await onDevice(own, 64, colours) : onCpu(96, colours);
  if (mine !== generation) return made.free();
  lattice?.free();
  lattice = made;
  // without coupling the first sweep is disorder
  await lattice.sweep(0, 0, currentSeed());
  sweeps = 1;
  await show();
  if (running) requestAnimationFrame(() => frame(mine).catch(failedIn(mine)));
}

/** Says what went wrong, unless it was with a lattice that has been given up. */
const failedIn = (mine) => (error) => {
  if (mine === generation) failed(error);
};

function failed(error) {
  running = false;
  run.textContent = "Start";
  run.setAttribute("aria-pressed", "false");
  told.textContent = error.message;
}

/** The cells after some sweeps on the CPU and, if there is one, on the device: for the test that both are alike. */
export async function both(side, colours, coupling, number) {
  const own = await ownDevice();
  const made = [onCpu(side, colours), ...(own ? [await onDevice(own, side, colours)] : [])];
  for (const one of made) for (let step = 0; step < number; step++) await one.sweep(step, coupling, currentSeed());
  return Promise.all(made.map((one) => one.read()));
}

/** Sets the section up. */
export function potts() {
  run.addEventListener("click", () => {
    running = !running;
    run.textContent = running ? "Stop" : "Start";
    run.setAttribute("aria-pressed", String(running));
    if (running) requestAnimationFrame(() => frame(generation).catch(failedIn(generation)));
  });
  document.getElementById("potts-reset").addEventListener("click", () => again().catch(failed));
  q.addEventListener("input", () => {
    document.getElementById("potts-q-value").textContent = q.value;
    again().catch(failed);
  });
  beta.addEventListener("input", () => {
    document.getElementById("potts-beta-value").textContent = beta.value;
  });
  whenChosen(() => again().catch(failed));
}
