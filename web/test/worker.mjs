// Both engines in a dedicated worker.

import { Sampler } from "../dist/index.js";

self.onmessage = async () => {
  try {
    const values = Float32Array.from({ length: 16000 }, (_, i) => Math.sin(i));
    const options = { categories: 16, seed: 1n, draws: 3 };
    const [cpu, gpu] = [await Sampler.cpu(), await Sampler.gpu({ software: true })];
    const [a, b] = [await cpu.sample(values, options), await gpu.sample(values, options)];
    self.postMessage({ same: a.length === 3000 && a.every((draw, i) => draw === b[i]), adapter: gpu.adapter });
  } catch (error) {
    self.postMessage({ error: String(error.stack ?? error) });
  }
};
