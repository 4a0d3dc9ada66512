// Draws on a GPUDevice of the caller's.

import { integer, known, single, word64 } from "./arguments.js";
import { guarded, load } from "./module.js";
import type { Word64 } from "./options.js";

/** WGSL for devices without 64-bit integers: the functions of the noise (`philox4x32_10`, `noise`, `gumbel`, ...), for shaders of your own. */
export async function noiseWgsl(): Promise<string> {
  await load();
  return guarded(({ noiseSource }) => noiseSource());
}

/** What a kernel draws. */
export interface KernelOptions {
  rows: number;
  categories: number;
  seed: Word64;
  /** The number of draws from each row, 1 by default. */
  draws?: number;
  /** 0 (greedy) or 2 ** -100 to 2 ** 100; 1 by default. */
  temperature?: number;
  /** The number of the first row, 0 by default. */
  firstRow?: Word64;
}

/** A kernel that draws, as a device takes it. */
export interface Kernel {
  /** WGSL. Bind group 0 has the uniform at 0, the logits (f32, read) at 1, 16 bytes to be read at 2, 16 bytes to be written at 3, and the draws (u32, written) at 4. */
  source: string;
  entryPoint: string;
  /** The bytes of the uniform. */
  uniform: Uint8Array<ArrayBuffer>;
  /** Where the uniform has the number of the first draw, a u32 that is 0. */
  firstDrawOffset: number;
  /** The workgroups to dispatch. */
  workgroups: Uint32Array;
}

const OPTIONS = ["rows", "categories", "seed", "draws", "temperature", "firstRow"];

/** Makes a kernel that draws from rows of f32 logits, for any device. */
export async function drawKernel(options: KernelOptions): Promise<Kernel> {
  known(options, OPTIONS, "drawKernel");
  await load();
  const rows = integer(options.rows, "rows", 1, 4294967295);
  const categories = integer(options.categories, "categories", 1, 4294967295);
  const draws = integer(options.draws ?? 1, "draws", 1, 2147483648);
  const temperature = single(options.temperature ?? 1, "temperature");
  const seed = word64(options.seed, "seed");
  const firstRow = word64(options.firstRow ?? 0, "firstRow");
  return guarded((native) => native.drawKernel(rows, categories, draws, temperature, seed, firstRow) as Kernel);
}

/**
 * Draws from logits that are on a device already: for those who have a GPUDevice of their own, as onnxruntime-web and
 * transformers.js do. The draws are those of `Sampler.sample`.
 *
 * ```js
 * const draw = await DeviceDraws.create(device, logits, draws, { rows: 1, categories: 128256, seed: 7n });
 * const encoder = device.createCommandEncoder();
 * // ... passes of your own that write the logits ...
 * draw.encode(encoder, step);
 * device.queue.submit([encoder.finish()]);
 * ```
 */
export class DeviceDraws {
  readonly #device: GPUDevice;
  readonly #kernel: Kernel;
  readonly #pipeline: GPUComputePipeline;
  readonly #layout: GPUBindGroupLayout;
  readonly #bindings: readonly GPUBufferBinding[];
  readonly #largestFirstDraw: number;

  private constructor(
    device: GPUDevice,
    kernel: Kernel,
    pipeline: GPUComputePipeline,
    layout: GPUBindGroupLayout,
    bindings: readonly GPUBufferBinding[],
    largestFirstDraw: number,
  ) {
    this.#device = device;
    this.#kernel = kernel;
    this.#pipeline = pipeline;
    this.#layout = layout;
    this.#bindings = bindings;
    this.#largestFirstDraw = largestFirstDraw;
  }

  /**
   * Compiles the kernel. Both buffers need the usage STORAGE: `logits` holds rows x categories f32, and `draws` rows x draws
   * u32, and either may be larger: the rest is neither read nor written.
   *
   * @throws Error if a buffer is too small, or if the device refuses the kernel.
   */
  static async create(device: GPUDevice, logits: GPUBuffer, draws: GPUBuffer, options: KernelOptions): Promise<DeviceDraws> {
    const kernel = await drawKernel(options);
    const needs = { logits: options.rows * options.categories * 4, draws: options.rows * (options.draws ?? 1) * 4 };
    for (const [name, buffer] of Object.entries({ logits, draws })) {
      const needed = needs[name as keyof typeof needs];
      if (buffer.size < needed) {
        throw new RangeError(`the ${name} need a buffer of ${needed} bytes, got ${buffer.size}`);
      }
      if ((buffer.usage & GPUBufferUsage.STORAGE) === 0) {
        throw new TypeError(`the buffer of the ${name} lacks the usage STORAGE`);
      }
    }
    const module = device.createShaderModule({ label: "gumbel", code: kernel.source });
    const types = ["uniform", "read-only-storage", "read-only-storage", "storage", "storage"] as const;
    const layout = device.createBindGroupLayout({
      label: "gumbel",
      entries: types.map((type, binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type } })),
    });
    const pipeline = await device.createComputePipelineAsync({
      label: "gumbel",
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: kernel.entryPoint },
    });
    const spare = () => ({ buffer: device.createBuffer({ label: "gumbel", size: 16, usage: GPUBufferUsage.STORAGE }) });
    const bindings = [{ buffer: logits, size: needs.logits }, spare(), spare(), { buffer: draws, size: needs.draws }];
    return new DeviceDraws(device, kernel, pipeline, layout, bindings, 2147483648 - (options.draws ?? 1));
  }

  /** Adds the draws from `firstDraw` on, 0 to 2 ** 31 - draws, as a compute pass of their own. Nothing is submitted. */
  encode(encoder: GPUCommandEncoder, firstDraw = 0): void {
    const number = integer(firstDraw, "firstDraw", 0, this.#largestFirstDraw);
    const { uniform, firstDrawOffset, workgroups } = this.#kernel;
    // a uniform for each time: commands that are submitted together have one of their own
    const buffer = this.#device.createBuffer({
      label: "gumbel",
      size: uniform.byteLength,
      usage: GPUBufferUsage.UNIFORM,
      mappedAtCreation: true,
    });
    const bytes = buffer.getMappedRange();
    new Uint8Array(bytes).set(uniform);
    new DataView(bytes).setUint32(firstDrawOffset, number, true);
    buffer.unmap();
    const entries = [{ buffer }, ...this.#bindings].map((resource, binding) => ({ binding, resource }));
    const pass = encoder.beginComputePass({ label: "gumbel" });
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, this.#device.createBindGroup({ layout: this.#layout, entries }));
    pass.dispatchWorkgroups(workgroups[0] as number, workgroups[1]);
    pass.end();
  }
}
