// The rows of a call.

import { integer, kind, wrongType } from "./arguments.js";
import { Memory, copied } from "./memory.js";
import { guarded, loaded } from "./module.js";
import type { Format, Memory as NativeMemory, Rows as NativeRows } from "./native/module.js";

/**
 * Rows of logits, one after the other: numbers of 32 or 64 bits, or bits of 16-bit floats. A plain array is taken as one of
 * 64-bit numbers. (A `Float16Array` is taken where there are such arrays.)
 */
export type LogitRows =
  | Float32Array
  | Float64Array
  | readonly number[]
  | Memory<"Float32Array">
  | Memory<"Float64Array">
  | { readonly f16: Uint16Array | Memory<"Uint16Array"> }
  | { readonly bf16: Uint16Array | Memory<"Uint16Array"> };

/** Rows of weights, which are unnormalised probabilities of which no logarithm is taken. A `Uint32Array` has counts. */
export type WeightRows = {
  readonly weights:
    | Float32Array
    | Float64Array
    | Uint32Array
    | readonly number[]
    | Memory<"Float32Array">
    | Memory<"Float64Array">
    | Memory<"Uint32Array">;
};

/** Rows to draw from. */
export type Rows = LogitRows | WeightRows;

/** How values are divided into rows. */
export interface Shape {
  /** The number of categories in each row, 1 to 2 ** 32 - 1. */
  categories: number;
  /** The number of rows; by default as many as there are values for. */
  rows?: number;
  /** How many values lie from the first of a row to the first of the next, `categories` by default; 0 for one row for all. Needs `rows`. */
  rowStride?: number;
}

type FormatName = keyof typeof Format;

const LOGITS: Record<string, FormatName> = { Float32Array: "F32", Float64Array: "F64", Float16Array: "F16" };
const WEIGHTS: Record<string, FormatName> = { Float32Array: "Weights", Float64Array: "WeightsF64", Uint32Array: "Counts" };
const EXPECTED =
  "a Float32Array, a Float64Array, an array of numbers or a Memory of logits, { f16 } or { bf16 } with their bits in a Uint16Array, or { weights }";

/** What was given for rows: the values, what they are, and their name in errors. */
function told(rows: unknown, weightsToo: boolean): { values: unknown; formats: Record<string, FormatName>; name: string } {
  if (typeof rows === "object" && rows !== null && !Array.isArray(rows) && !ArrayBuffer.isView(rows) && !(rows instanceof Memory)) {
    const [name, ...others] = Object.keys(rows);
    const values = (rows as Record<string, unknown>)[name ?? ""];
    if (others.length === 0 && (name === "f16" || name === "bf16")) {
      return { values, formats: { Uint16Array: name === "f16" ? "F16" : "Bf16" }, name };
    }
    if (others.length === 0 && name === "weights") {
      if (!weightsToo) {
        throw new TypeError("soft samples are of logits; give the logarithms of the weights");
      }
      return { values, formats: WEIGHTS, name };
    }
    throw wrongType("the rows", EXPECTED, rows);
  }
  return { values: rows, formats: LOGITS, name: "the rows" };
}

/** Puts rows into the module's memory, unless they are there. */
export function rowsOf(rows: unknown, shape: Shape, weightsToo: boolean, temporary: NativeMemory[]): NativeRows {
  const { values, formats, name } = told(rows, weightsToo);
  let type = values instanceof Memory ? values.type : kind(values);
  let memory: NativeMemory;
  if (values instanceof Memory && type in formats) {
    memory = values.native;
  } else if (Array.isArray(values) && "Float64Array" in formats) {
    const at = values.findIndex((value) => typeof value !== "number");
    if (at >= 0) {
      throw wrongType(`${name}[${at}]`, "a number", values[at]);
    }
    type = "Float64Array";
    memory = copied(Float64Array.from(values as number[]));
    temporary.push(memory);
  } else if (type in formats && ArrayBuffer.isView(values)) {
    memory = copied(values);
    temporary.push(memory);
  } else if (name === "the rows") {
    throw wrongType(name, EXPECTED, values);
  } else {
    throw wrongType(name, `a ${Object.keys(formats).join(" or a ")}, or a Memory of that type`, values);
  }
  const { Format } = loaded();
  const format = Format[formats[type] as FormatName];
  const categories = integer(shape.categories, "categories", 1, 4294967295);
  const native = guarded(({ Rows }) => new Rows(memory, format, categories));
  if (shape.rows !== undefined || shape.rowStride !== undefined) {
    if (shape.rows === undefined) {
      native.free();
      throw new TypeError("rowStride needs rows, the number of rows");
    }
    const rows = integer(shape.rows, "rows", 0, 4294967295);
    native.spread(rows, integer(shape.rowStride ?? categories, "rowStride", 0, 4294967295));
  }
  return native;
}
