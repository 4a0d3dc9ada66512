// The options of a call.

import { choice, flag, integer, kind, single, word64, wrongType } from "./arguments.js";
import { type Memory, copied, numbers } from "./memory.js";
import { guarded, loaded } from "./module.js";
import type { Call, Memory as NativeMemory } from "./native/module.js";
import type { Shape } from "./rows.js";

/** One number for all rows, or one for each. */
export type PerRow<A> = number | A | readonly number[];

/** A number of 64 bits: a bigint, or a number that is exact (0 to 2 ** 53 - 1). */
export type Word64 = bigint | number;

/** Which draws are made. A draw depends on its row, on these numbers, on the temperature and the method, and on nothing else. */
export interface Numbering {
  /** The seed, or one for each row. Draws under different seeds are independent. `randomSeed()` makes one. */
  seed: Word64 | BigUint64Array | Memory<"BigUint64Array">;
  /** The number of draws from each row, 1 by default. */
  draws?: number;
  /** The number of the first draw, 0 by default, or one for each row: in a loop, the step. */
  firstDraw?: number | Uint32Array | Memory<"Uint32Array">;
  /** The number of the first row, 0 by default. */
  firstRow?: Word64;
  /** An id for each row in place of its number. Rows with the same id have the same noise. */
  rowIds?: BigUint64Array | Memory<"BigUint64Array">;
}

/** Which categories of a row can be drawn. */
export interface Restriction {
  /** Keeps the k most probable categories. */
  topK?: PerRow<Uint32Array>;
  /** Keeps the most probable categories until they have this share of the probability; above 0, and 1 cuts nothing. */
  topP?: PerRow<Float32Array>;
  /** Keeps categories with at least this share of the largest probability, 0 to 1. */
  minP?: PerRow<Float32Array>;
  /** Keeps categories of at least this probability, and the most probable, 0 to 1. */
  epsilon?: PerRow<Float32Array>;
  /** The temperature at which categories are cut, in place of the draw's. */
  cutTemperature?: number;
  /** What topP is a share of: what topK keeps (the default), all categories, or what the other cuts keep. */
  topPOf?: "top-k" | "all" | "rest";
  /** The categories that may be drawn, a bit for each (bit i % 32 of word i / 32): one mask for all rows, or one for each. */
  allowed?: Uint32Array | Memory<"Uint32Array">;
}

/** The options of draws. */
export interface Options extends Shape, Numbering, Restriction {
  /** Divides the logits: 0 (greedy, the largest logit) or 2 ** -100 to 2 ** 100, or one for each row. 1 by default. */
  temperature?: PerRow<Float32Array>;
  /** Which row of the values each row of the call is, so that there are as many rows as indices. */
  rowIndices?: Uint32Array | Memory<"Uint32Array">;
  /** What a row without a draw does (one with NaN, +Infinity, or nothing that can be drawn): "throw" (the default), or "mark", which gives it `NO_DRAW`. */
  invalid?: "throw" | "mark";
}

/** The options of draws by one method or the other. */
export interface SampleOptions extends Options {
  /** "gumbel" (the default) reads the row for each draw; "inverse-cdf" adds it up once, for many draws; "auto" is what is likely faster. The methods draw differently. */
  method?: "gumbel" | "inverse-cdf" | "auto";
}

/** The names of these options. */
export const OPTIONS = [
  "categories",
  "rows",
  "rowStride",
  "seed",
  "draws",
  "firstDraw",
  "firstRow",
  "rowIds",
  "rowIndices",
  "temperature",
  "topK",
  "topP",
  "minP",
  "epsilon",
  "cutTemperature",
  "topPOf",
  "allowed",
  "invalid",
] as const;

/** Fills memory with the numbers of rows. */
function ofRows(values: unknown, name: string, temporary: NativeMemory[]): NativeMemory {
  if (!Array.isArray(values)) {
    return numbers(values, name, ["Float32Array"], temporary);
  }
  const native = copied(Float32Array.from(values, (value: unknown, row) => single(value, `${name}[${row}]`)));
  temporary.push(native);
  return native;
}

/** Makes the options of a call. What is allocated for them is added to `temporary`. */
export function callOf(options: SampleOptions, temporary: NativeMemory[]): Call {
  const call = guarded(({ Call }) => new Call());
  const { seed, firstDraw, temperature } = options;
  if (seed === undefined) {
    throw new TypeError("seed is missing: a bigint, as randomSeed() gives one, or a number from 0 to 2 ** 53 - 1");
  }
  if (typeof seed === "object") {
    call.seeds(numbers(seed, "seed", ["BigUint64Array"], temporary));
  } else {
    call.seed(word64(seed, "seed"));
  }
  if (options.draws !== undefined) {
    call.draws(integer(options.draws, "draws", 1, 2147483648));
  }
  if (typeof firstDraw === "object") {
    call.firstDraws(numbers(firstDraw, "firstDraw", ["Uint32Array"], temporary));
  } else if (firstDraw !== undefined) {
    call.firstDraw(integer(firstDraw, "firstDraw", 0, 2147483647));
  }
  if (options.firstRow !== undefined) {
    call.firstRow(word64(options.firstRow, "firstRow"));
  }
  if (options.rowIds !== undefined) {
    call.rowIds(numbers(options.rowIds, "rowIds", ["BigUint64Array"], temporary));
  }
  if (options.rowIndices !== undefined) {
    call.rowIndices(numbers(options.rowIndices, "rowIndices", ["Uint32Array"], temporary));
  }
  if (typeof temperature === "object") {
    call.temperatures(ofRows(temperature, "temperature", temporary));
  } else if (temperature !== undefined) {
    call.temperature(single(temperature, "temperature"));
  }
  if (options.method !== undefined) {
    call.method(choice(options.method, "method", ["gumbel", "inverse-cdf", "auto"]));
  }
  if (choice(options.invalid ?? "throw", "invalid", ["throw", "mark"]) === "mark") {
    call.sentinels();
  }
  restrict(call, options);
  if (options.allowed !== undefined) {
    const words = numbers(options.allowed, "allowed", ["Uint32Array"], temporary);
    const each = Math.ceil(integer(options.categories, "categories", 1, 4294967295) / 32);
    call.allowed(words, options.allowed.length === each ? undefined : each);
  }
  return call;
}

const CUTS = ["topK", "topP", "minP", "epsilon"] as const;

/** Makes the cuts of a call. */
function restrict(call: Call, options: Restriction): void {
  const { ShareOf } = loaded();
  if (options.topPOf !== undefined || options.cutTemperature !== undefined) {
    const of = choice(options.topPOf ?? "top-k", "topPOf", ["top-k", "all", "rest"]);
    const share = { "top-k": ShareOf.TopK, all: ShareOf.All, rest: ShareOf.Rest }[of];
    const at = options.cutTemperature;
    call.cuts(share, at === undefined ? undefined : single(at, "cutTemperature"));
  }
  const lists = CUTS.filter((name) => typeof options[name] === "object");
  const rows = lists.length === 0 ? undefined : (options[lists[0] as (typeof CUTS)[number]] as { length: number }).length;
  /** The cut of a row, or of all rows. */
  const cut = (name: (typeof CUTS)[number], row: number) => {
    const given: unknown = options[name];
    if (given === undefined) {
      return undefined;
    }
    const isList = typeof given === "object" && given !== null;
    if (isList && !Array.isArray(given) && !["Float32Array", "Float64Array", "Uint32Array"].includes(kind(given))) {
      throw wrongType(name, "a number, or an array with one for each row", given);
    }
    const list = given as ArrayLike<unknown>;
    if (isList && list.length !== rows) {
      throw new RangeError(`${lists.join(", ")} must have one number for each row, got ${rows} and ${list.length}`);
    }
    const value = isList ? list[row] : given;
    const place = isList ? `${name}[${row}]` : name;
    return name === "topK" ? integer(value, place, 1, 4294967295) : single(value, place);
  };
  if (rows === undefined) {
    call.truncation(cut("topK", 0), cut("topP", 0), cut("minP", 0), cut("epsilon", 0));
    return;
  }
  for (let row = 0; row < rows; row++) {
    call.addTruncation(cut("topK", row), cut("topP", row), cut("minP", row), cut("epsilon", row));
  }
}

/** Checks a flag of an operation. */
export function flagOf(value: unknown, name: string): boolean {
  return value === undefined ? false : flag(value, name);
}
