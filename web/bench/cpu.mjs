// Times the CPU engine in Node, on one thread: nanoseconds of processor time for each logit, the least of some calls.
//
//     node bench/cpu.mjs [CALLS]

import { Memory, Sampler } from "../dist/index.js";

const calls = Number(process.argv[2] ?? 40);
const sampler = await Sampler.cpu();
for (const [rows, categories] of [[64, 128256], [100000, 16], [1000, 1000]]) {
  const memory = await Memory.allocate("Float32Array", rows * categories);
  let state = 1;
  const word = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const { view } = memory;
  for (let i = 0; i < view.length; i++) view[i] = 3 * 1.732 * (word() + word() + word() + word() - 2);
  const least = { draws: Infinity, argmax: Infinity };
  for (let call = 0; call < calls; call++) {
    for (const [what, temperature] of [["draws", 1], ["argmax", 0]]) {
      const before = process.cpuUsage();
      await sampler.sample(memory, { categories, seed: call, temperature });
      const { user, system } = process.cpuUsage(before);
      // the first calls are compiled meanwhile
      if (call >= 5) least[what] = Math.min(least[what], user + system);
    }
  }
  const each = (time) => ((1000 * time) / (rows * categories)).toFixed(3);
  console.log(`${rows} x ${categories}: ${each(least.draws)} ns a logit, ${each(least.argmax)} for an argmax (temperature 0)`);
  memory.free();
}
