// The types, as users' compilers see them: this file is checked, and never run.

import { DeviceDraws, InverseCdf, Memory, type Options, Sampler, type TopK, digest, randomSeed } from "gumbel";

async function right(device: GPUDevice, buffer: GPUBuffer): Promise<void> {
  const sampler: Sampler = await Sampler.auto({ powerPreference: "low-power" });
  const draws: Uint32Array = await sampler.sample(new Float32Array(6), { categories: 3, seed: randomSeed(), topP: 0.9 });
  const text: string = await digest(draws);
  const memory: Memory<"Float32Array"> = await Memory.allocate("Float32Array", 6);
  const view: Float32Array = memory.view;
  const options: Options = { categories: 3, seed: new BigUint64Array(2), temperature: [1, 0.5], allowed: new Uint32Array(1) };
  const race: TopK = await sampler.race({ weights: [1, 2, 3] }, { ...options, k: 2 });
  const table: InverseCdf = await sampler.inverseCdf({ weights: new Uint32Array(3) }, { categories: 3, seed: 1 });
  const again: Uint32Array = await table.sample({ draws: 4 });
  const soft: Float32Array = await sampler.soften(memory, { ...options, tau: 0.5, hard: true });
  await sampler.softenVjp([0, 1], new Float32Array(2), { categories: 2, seed: 1n, tau: 1 });
  await sampler.logsumexp({ bf16: new Uint16Array(4) }, { categories: 2 });
  (await DeviceDraws.create(device, buffer, buffer, { rows: 1, categories: 2, seed: 1n })).encode(device.createCommandEncoder(), 3);
  void [text, view, race.times, again, soft];
}

async function wrong(sampler: Sampler): Promise<void> {
  // @ts-expect-error a call without a seed
  await sampler.sample(new Float32Array(6), { categories: 3 });
  // @ts-expect-error integers are counts, and counts are weights
  await sampler.sample(new Uint32Array(6), { categories: 3, seed: 1n });
  // @ts-expect-error no such option
  await sampler.sample(new Float32Array(6), { categories: 3, seed: 1n, top_k: 3 });
  // @ts-expect-error soft samples are of logits
  await sampler.soften({ weights: new Float32Array(6) }, { categories: 3, seed: 1n, tau: 1 });
}

void [right, wrong];
