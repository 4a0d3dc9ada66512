// Samplers: the engines, and the operations.

import { choice, flag, integer, kind, known, single, wrongType } from "./arguments.js";
import { type Memory, numbers } from "./memory.js";
import { guarded, load, settled } from "./module.js";
import type { Call, Choice, Engine, Memory as NativeMemory, Rows as NativeRows, Table as NativeTable } from "./native/module.js";
import { OPTIONS, type Options, type SampleOptions, callOf, flagOf } from "./options.js";
import { type LogitRows, type Rows, rowsOf } from "./rows.js";

/** Which adapter a sampler takes, and how it uses the adapter. */
export interface GpuOptions {
  /** A wish of which the browser makes what it likes. */
  powerPreference?: "low-power" | "high-performance";
  /** Whether a software adapter, which emulates a GPU on the CPU, is taken where there is no other. The CPU engine is faster. */
  software?: boolean;
  /** The most bytes of the rows that are on the device at once, three times over: 1024 or more, 16 MiB by default. */
  chunkBytes?: number;
}

/** Draws with the logarithms of their probabilities. */
export interface ScoredDraws {
  /** The draws: rows x draws. */
  draws: Uint32Array;
  /** The logarithm of each draw's probability. */
  logProbs: Float64Array;
  /** The logarithm of the sum of each row: rows. */
  logsumexps: Float64Array;
}

/** The first k categories of races, the first to arrive first: rows x draws x k. Where there are no more categories, `NO_DRAW` and infinite times. */
export interface TopK {
  /** The categories. */
  categories: Uint32Array;
  /** Their logits with the noise. */
  perturbedLogits: Float64Array;
  /** The times at which their alarms rang: exp(-perturbed logit). */
  times: Float64Array;
}

/** Where truncations cut rows: an element for each row. */
export interface Cuts {
  /** The least value that is kept. */
  thresholds: Float64Array;
  /** The number of categories that are kept. */
  kept: Uint32Array;
  /** Their share of the probability. */
  shares: Float64Array;
}

/** The options of soft samples. */
export interface SoftOptions extends Options {
  /** How soft: towards 0 a sample becomes 1 at the draw and 0 elsewhere. 2 ** -100 to 2 ** 100. */
  tau: number;
}

/** The draw of a row that has none, with `invalid: "mark"`. */
export const NO_DRAW = 4294967295;

/**
 * Draws from categorical distributions. Category i of a row of logits is drawn with probability exp(logit i) / the sum of
 * all exp(logit), exactly to the far tail; one of -Infinity never. The draws of a seed are the same on every engine and
 * every machine, bit for bit.
 *
 * ```js
 * import { Sampler } from "gumbel";
 * const sampler = await Sampler.auto();
 * const draws = await sampler.sample(new Float32Array([0, 1, 2, 0, 0, 9]), { categories: 3, seed: 7n, draws: 4 });
 * ```
 *
 * Calls may run side by side. Arrays that are given may be changed as soon as a call has returned its promise. The CPU
 * engine does its work before that: for rows that take long, run it in a worker.
 */
export class Sampler {
  /** The engine: "gpu", or "auto" for a GPU that takes large calls and a CPU that takes the others, or "cpu". */
  readonly engine: "cpu" | "gpu" | "auto";
  /** Why `Sampler.auto` has taken the CPU engine alone; undefined otherwise. */
  readonly reason: string | undefined;
  readonly #native: Engine;

  private constructor(engine: "cpu" | "gpu" | "auto", native: Engine, reason?: string) {
    this.engine = engine;
    this.#native = native;
    this.reason = reason;
  }

  /**
   * The engines of this machine. Calls of 2 ** 18 logits and more, counted once for each draw, run on the GPU if there is
   * one, all others on the CPU. If the device is lost during a call, the call is repeated on the CPU, as are all later ones.
   */
  static async auto(options: GpuOptions = {}): Promise<Sampler> {
    const { choice } = await chosen(options, "Sampler.auto");
    const found = await settled(guarded(({ Engine }) => Engine.auto(choice) as Promise<{ engine: Engine; reason?: Error }>));
    const reason = found.reason?.message;
    return new Sampler(reason === undefined ? "auto" : "cpu", found.engine, reason);
  }

  /** The CPU engine, which is WebAssembly on this thread. */
  static async cpu(): Promise<Sampler> {
    await load();
    return new Sampler("cpu", guarded(({ Engine }) => Engine.cpu()));
  }

  /**
   * A GPU, for all calls.
   *
   * @throws Error if there is none, or if it cannot be used.
   */
  static async gpu(options: GpuOptions = {}): Promise<Sampler> {
    const { choice } = await chosen(options, "Sampler.gpu");
    return new Sampler("gpu", await settled(guarded(({ Engine }) => Engine.gpu(choice) as Promise<Engine>)));
  }

  /** The name of the adapter, as far as the browser tells; undefined without a GPU. */
  get adapter(): string | undefined {
    return guarded(() => this.#native.adapter());
  }

  /** Whether the adapter emulates a GPU on the CPU. */
  get isSoftware(): boolean {
    return guarded(() => this.#native.isSoftware());
  }

  /** How the device of `Sampler.auto` was lost, once the CPU has finished a call for that reason. */
  get lost(): string | undefined {
    return guarded(() => this.#native.lost());
  }

  /** Draws from each row: rows x draws categories. */
  async sample(rows: Rows, options: SampleOptions): Promise<Uint32Array> {
    known(options, [...OPTIONS, "method"], "sample");
    return this.#run(rows, options, (rows, call) => this.#native.sample(rows, call));
  }

  /** Draws as `sample` does, and gives the logarithms of the draws' probabilities, to within 0.00002. */
  async sampleScored(rows: Rows, options: SampleOptions): Promise<ScoredDraws> {
    known(options, [...OPTIONS, "method"], "sampleScored");
    return this.#run(rows, options, (rows, call) => this.#native.sampleScored(rows, call));
  }

  /** The first k categories of each race: draws without replacement, of which the first is the draw of `sample`. */
  async race(rows: Rows, options: Options & { k: number }): Promise<TopK> {
    known(options, [...OPTIONS, "k"], "race");
    const k = integer(options.k, "k", 1, 4294967295);
    return this.#run(rows, options, (rows, call) => this.#native.race(rows, call, k));
  }

  /** The logarithm of the sum of each row: of exp(logit / temperature), or of the weights. No noise takes part, and no seed. */
  async logsumexp(rows: Rows, options: Omit<Options, "seed" | "draws" | "firstDraw">): Promise<Float64Array> {
    known(options, OPTIONS, "logsumexp");
    return this.#run(rows, { seed: 0n, ...options }, (rows, call) => this.#native.logsumexp(rows, call));
  }

  /** Estimates what `logsumexp` computes from the times of `draws` races, with standard errors of pi / sqrt(6 draws). */
  async estimateLogZ(rows: Rows, options: Options): Promise<{ estimates: Float64Array; standardErrors: Float64Array }> {
    known(options, OPTIONS, "estimateLogZ");
    return this.#run(rows, options, (rows, call) => this.#native.estimateLogZ(rows, call));
  }

  /** Where topK, topP, minP and epsilon cut each row. */
  async cuts(rows: Rows, options: Omit<Options, "seed" | "draws" | "firstDraw">): Promise<Cuts> {
    known(options, OPTIONS, "cuts");
    return this.#run(rows, { seed: 0n, ...options }, (rows, call) => this.#native.cuts(rows, call));
  }

  /** Soft samples of draws, softmax((logits / temperature + noise) / tau): rows x draws x categories. The drawn category has the largest number. With `hard`, 1 at the draw and 0 elsewhere. */
  async soften(logits: LogitRows, options: SoftOptions & { hard?: boolean }): Promise<Float32Array> {
    known(options, [...OPTIONS, "tau", "hard"], "soften");
    const [tau, hard] = [single(options.tau, "tau"), flagOf(options.hard, "hard")];
    return this.#run(logits, options, (rows, call) => this.#native.soften(rows, call, tau, hard), false);
  }

  /** The gradients of logits, rows x categories, from those of `soften`'s samples (hard or not): rows x draws x categories. */
  async softenVjp(
    logits: LogitRows,
    cotangents: Float32Array | Memory<"Float32Array">,
    options: SoftOptions,
  ): Promise<Float32Array> {
    known(options, [...OPTIONS, "tau"], "softenVjp");
    const tau = single(options.tau, "tau");
    const temporary: NativeMemory[] = [];
    await load();
    try {
      const native = numbers(cotangents, "cotangents", ["Float32Array"], temporary);
      return await this.#run(logits, options, (rows, call) => this.#native.softenVjp(rows, call, tau, native), false);
    } finally {
      temporary.forEach((memory) => memory.free());
    }
  }

  /** Adds rows up once, to be drawn from again and again: what `method: "inverse-cdf"` draws, a draw in constant time. */
  async inverseCdf(rows: Rows, options: Omit<Options, "draws" | "firstDraw">): Promise<InverseCdf> {
    known(options, OPTIONS, "inverseCdf");
    const native = await this.#run<NativeTable>(rows, options, (rows, call) => this.#native.inverseCdf(rows, call));
    return new InverseCdf(native);
  }

  /** Gives the GPU's memory back. All calls of this sampler fail from now on, unless a CPU engine takes them. */
  destroy(): void {
    guarded(() => this.#native.destroy());
  }

  /** Hands a call to the module. What is copied for the call is freed when the module has taken hold of it. */
  async #run<T>(
    given: unknown,
    options: SampleOptions,
    operation: (rows: NativeRows, call: Call) => unknown,
    weightsToo = true,
  ): Promise<T> {
    if (typeof options !== "object" || options === null) {
      throw wrongType("the options", "an object", options);
    }
    const temporary: NativeMemory[] = [];
    let [rows, call]: [NativeRows?, Call?] = [];
    let outcome: T | Promise<T>;
    try {
      rows = rowsOf(given, options, weightsToo, temporary);
      call = callOf(options, temporary);
      const [ofRows, ofCall] = [rows, call];
      outcome = guarded(() => operation(ofRows, ofCall)) as T | Promise<T>;
    } finally {
      rows?.free();
      call?.free();
      temporary.forEach((memory) => memory.free());
    }
    return settled(outcome);
  }
}

/** Rows that are added up once. */
export class InverseCdf {
  readonly #native: NativeTable;

  /** @internal */
  constructor(native: NativeTable) {
    this.#native = native;
  }

  /** The number of rows. */
  get rows(): number {
    return guarded(() => this.#native.rows());
  }

  /** The number of categories in each row. */
  get categories(): number {
    return guarded(() => this.#native.categories());
  }

  /** Draws from each row: rows x draws categories, the draws from `firstDraw` on. */
  async sample(options: { draws?: number; firstDraw?: number } = {}): Promise<Uint32Array> {
    known(options, ["draws", "firstDraw"], "sample");
    const draws = integer(options.draws ?? 1, "draws", 1, 2147483648);
    const first = integer(options.firstDraw ?? 0, "firstDraw", 0, 2147483647);
    return settled(guarded(() => this.#native.sample(first, draws) as Uint32Array | Promise<Uint32Array>));
  }

  /** Gives the memory back now. */
  free(): void {
    this.#native.free();
  }
}

async function chosen(options: GpuOptions, operation: string): Promise<{ choice: Choice }> {
  if (kind(options) !== "Object") {
    throw wrongType("the options", "an object", options);
  }
  known(options, ["powerPreference", "software", "chunkBytes"], operation);
  await load();
  const native = guarded(({ Choice }) => new Choice());
  const { powerPreference, software, chunkBytes } = options;
  if (powerPreference !== undefined) {
    const wish = choice(powerPreference, "powerPreference", ["low-power", "high-performance"]);
    wish === "low-power" ? native.lowPower() : native.highPerformance();
  }
  if (software !== undefined && flag(software, "software")) {
    native.software();
  }
  if (chunkBytes !== undefined) {
    native.chunkBytes(integer(chunkBytes, "chunkBytes", 1024, 4294967295));
  }
  return { choice: native };
}
