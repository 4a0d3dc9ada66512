// The digest by which draws are compared by eye, and seeds.

import { copied } from "./memory.js";
import { guarded, load } from "./module.js";
import { kind, wrongType } from "./arguments.js";

/** The CRC-32 of draws as little-endian words, in 8 hexadecimal digits: what `gumbel sample --digest` prints. */
export async function digest(draws: Uint32Array): Promise<string> {
  await load();
  if (kind(draws) !== "Uint32Array") {
    throw wrongType("the draws", "a Uint32Array", draws);
  }
  const memory = copied(draws);
  try {
    return (guarded(({ crc32 }) => crc32(memory)) >>> 0).toString(16).padStart(8, "0");
  } finally {
    memory.free();
  }
}

/** A random seed of 64 bits, from the system. */
export function randomSeed(): bigint {
  const [seed] = crypto.getRandomValues(new BigUint64Array(1));
  return seed as bigint;
}
