// What a GPUDevice makes of the shaders, and of draws from logits that it has already: in a page, in Node and in Deno.

import { DeviceDraws, NO_DRAW, Sampler, noiseWgsl } from "gumbel";

/** A device with subgroups, if its adapter has them, and with as many buffers for a shader as the adapter has. */
export function opened(adapter) {
  const requiredFeatures = ["subgroups"].filter((name) => adapter.features.has(name));
  const { maxStorageBuffersPerShaderStage } = adapter.limits;
  return adapter.requestDevice({ requiredFeatures, requiredLimits: { maxStorageBuffersPerShaderStage } });
}

/** Compiles variants of the shaders, those with subgroups only if the device has them. */
export async function compiled(device, variants) {
  const report = { taken: 0, left: 0, refused: [] };
  for (const { name, source } of variants) {
    if (source.includes("enable subgroups;") && !device.features.has("subgroups")) {
      report.left++;
      continue;
    }
    device.pushErrorScope("validation");
    const { messages } = await device.createShaderModule({ code: source }).getCompilationInfo();
    // a device says nothing more of a module that its compiler refuses
    const error = await device.popErrorScope();
    const errors = messages.filter(({ type }) => type === "error").map(({ message }) => message);
    if (errors.length === 0 && error) errors.push(error.message);
    report.taken += errors.length === 0 ? 1 : 0;
    report.refused.push(...errors.map((words) => `${name}: ${words}`));
  }
  return report;
}

/** Holds draws of `DeviceDraws` against the CPU engine's, and the shader of the noise against the device's compiler. */
export async function drawn(device) {
  const cpu = await Sampler.cpu();
  const wrong = [];
  let words = 0;
  for (const [rows, categories, draws, temperature] of [[3, 5, 1, 1], [37, 129, 2, 0.7], [100, 16, 1, 0], [2, 50257, 2, 1], [5, 4100, 1, 3]]) {
    const values = Float32Array.from({ length: rows * categories }, (_, i) => 3 * Math.sin(i * i));
    if (rows === 37) values[130] = NaN;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    // larger than they need to be; nothing after the draws is written
    const [logits, drawn] = [values.byteLength, rows * draws * 4].map((size) => device.createBuffer({ size: size + 64, usage }));
    device.queue.writeBuffer(logits, 0, values);
    const taken = device.createBuffer({ size: 3 * rows * draws * 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const options = { rows, categories, draws, temperature, seed: 2n ** 63n + 5n, firstRow: 9 };
    const draw = await DeviceDraws.create(device, logits, drawn, options);
    try {
      draw.encode(device.createCommandEncoder(), 2 ** 31 + 1 - draws);
      wrong.push("a draw after the last was taken");
    } catch (error) {
      const words = `firstDraw must be an integer from 0 to ${2 ** 31 - draws}, got ${2 ** 31 + 1 - draws}`;
      if (error.message !== words) wrong.push(error.message);
    }
    const encoder = device.createCommandEncoder();
    for (const step of [0, 1, 2]) {
      draw.encode(encoder, 1000 * step);
      encoder.copyBufferToBuffer(drawn, 0, taken, step * rows * draws * 4, rows * draws * 4);
    }
    device.queue.submit([encoder.finish()]);
    await taken.mapAsync(GPUMapMode.READ);
    const found = new Uint32Array(taken.getMappedRange());
    for (const step of [0, 1, 2]) {
      const { rows: _, ...same } = options;
      const expected = await cpu.sample(values, { ...same, firstDraw: 1000 * step, invalid: "mark" });
      expected.forEach((word, i) => found[step * rows * draws + i] !== word && wrong.push(`${rows}x${categories} step ${step} at ${i}`));
      words += expected.length;
      if (rows === 37 && expected[2] !== NO_DRAW) wrong.push("a NaN was drawn from");
    }
  }
  // the noise alone, in a shader of one's own
  const code = `${await noiseWgsl()}
    @group(0) @binding(0) var<storage, read_write> out: array<i32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
      let stream = Stream(vec2<u32>(7u, 0u), vec2<u32>(id.x, 0u), 0u);
      out[id.x] = gumbel(noise(stream, 0u, coarse(coarse_block(stream, 0u), 0u)));
    }`;
  const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
  for (const { message } of messages) wrong.push(message);
  const small = device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE });
  const refused = await DeviceDraws.create(device, small, small, { rows: 3, categories: 5, seed: 1 }).then(() => "taken", (error) => error.message);
  if (refused !== "the logits need a buffer of 60 bytes, got 16") wrong.push(refused);
  return { wrong, words };
}
