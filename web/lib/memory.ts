// Memory of the module, from which rows are read without a copy.

import { integer, kind, wrongType } from "./arguments.js";
import { buffer, guarded, load } from "./module.js";
import type { Memory as NativeMemory } from "./native/module.js";

/** An array of numbers, as JavaScript has them. */
export type Numbers = Float32Array | Float64Array | Uint32Array | Uint16Array | BigUint64Array;

const TYPES = { Float32Array, Float64Array, Uint32Array, Uint16Array, BigUint64Array } as const;

/** The name of an array's type. */
export type TypeName = keyof typeof TYPES;

/**
 * Numbers that lie in the module's memory: what a call is given in a `Memory` it reads in place, and what it is given in
 * an array of JavaScript's it copies there first.
 *
 * ```js
 * const logits = await Memory.allocate("Float32Array", 64 * 128256);
 * logits.view.set(model.output);
 * const draws = await sampler.sample(logits, { categories: 128256, seed: 7n });
 * ```
 */
export class Memory<T extends TypeName = TypeName> {
  readonly type: T;
  readonly length: number;
  /** @internal */
  readonly native: NativeMemory;
  #view: InstanceType<(typeof TYPES)[T]> | undefined;

  private constructor(type: T, length: number, native: NativeMemory) {
    this.type = type;
    this.length = length;
    this.native = native;
  }

  /**
   * Memory for so many numbers, all 0.
   *
   * @throws Error if there is no more memory.
   */
  static async allocate<T extends TypeName>(type: T, length: number): Promise<Memory<T>> {
    await load();
    if (!(type in TYPES)) {
      throw wrongType("type", `the name of a typed array (${Object.keys(TYPES).join(", ")})`, type);
    }
    const size = TYPES[type].BYTES_PER_ELEMENT;
    const numbers = integer(length, "length", 0, Math.floor((2 ** 32 - 8) / size));
    return new Memory(type, numbers, guarded(({ Memory }) => new Memory(numbers * size)));
  }

  /**
   * The numbers, to be read and written. The view ends when the module's memory grows, which any call may cause: ask for it
   * each time. (An ended view has the length 0.)
   */
  get view(): InstanceType<(typeof TYPES)[T]> {
    const memory = buffer();
    if (this.#view?.buffer !== memory) {
      const pointer = guarded(() => this.native.pointer()) >>> 0;
      this.#view = new TYPES[this.type](memory, pointer, this.length) as InstanceType<(typeof TYPES)[T]>;
    }
    return this.#view;
  }

  /** Gives the memory back now, and not when the garbage is collected. A call that reads it goes on to do so. */
  free(): void {
    this.#view = undefined;
    this.native.free();
  }
}

/** Copies an array into the module. */
export function copied(array: ArrayBufferView): NativeMemory {
  const { byteLength, byteOffset } = array;
  const native = guarded(({ Memory }) => new Memory(byteLength));
  const source = new Uint8Array(array.buffer, byteOffset, byteLength);
  new Uint8Array(buffer(), native.pointer() >>> 0, byteLength).set(source);
  return native;
}

/** Memory with an array of one of these types, or the memory that somebody has put them into. */
export function numbers(value: unknown, name: string, types: readonly string[], temporary: NativeMemory[]): NativeMemory {
  if (value instanceof Memory) {
    if (types.includes(value.type)) {
      return value.native;
    }
  } else if (types.includes(kind(value))) {
    const native = copied(value as ArrayBufferView);
    temporary.push(native);
    return native;
  }
  throw wrongType(name, `a ${types.join(" or a ")}, or a Memory of that type`, value instanceof Memory ? value.type : value);
}
