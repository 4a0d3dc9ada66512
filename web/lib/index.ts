/**
 * Draws from categorical distributions, with the same draws on every GPU and CPU.
 *
 * @packageDocumentation
 */

export { digest, randomSeed } from "./digest.js";
export { Memory, type TypeName } from "./memory.js";
export { load } from "./module.js";
export type { Numbering, Options, PerRow, Restriction, SampleOptions, Word64 } from "./options.js";
export type { LogitRows, Rows, Shape, WeightRows } from "./rows.js";
export {
  type Cuts,
  type GpuOptions,
  InverseCdf,
  NO_DRAW,
  Sampler,
  type ScoredDraws,
  type SoftOptions,
  type TopK,
} from "./sampler.js";
export { DeviceDraws, type Kernel, type KernelOptions, drawKernel, noiseWgsl } from "./own_device.js";
