// What callers get wrong is an error in their words, and nothing is rounded or wrapped in silence.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Memory, Sampler, digest } from "gumbel";

const logits = new Float32Array([0, 1, 2, 3]);
const good = { categories: 2, seed: 1n };

/** Calls, and the errors that they are refused with. */
const REFUSED = [
  [(s) => s.sample(logits, { ...good, draws: 1.5 }), RangeError, "draws must be an integer from 1 to 2147483648, got 1.5"],
  [(s) => s.sample(logits, { ...good, draws: -1 }), RangeError, "draws must be an integer from 1 to 2147483648, got -1"],
  [(s) => s.sample(logits, { ...good, draws: 0 }), RangeError, "draws must be an integer from 1 to 2147483648, got 0"],
  [(s) => s.sample(logits, { ...good, draws: "3" }), TypeError, 'draws must be an integer from 1 to 2147483648, got "3"'],
  [(s) => s.sample(logits, { ...good, draws: NaN }), RangeError, "draws must be an integer from 1 to 2147483648, got NaN"],
  [(s) => s.sample(logits, { ...good, firstDraw: 2 ** 31 - 1, draws: 2 }), Error, "firstDraw + draws must not exceed 2147483648 (2**31), got 2147483647 + 2"],
  [(s) => s.sample(logits, { categories: 2 }), TypeError, "seed is missing: a bigint, as randomSeed() gives one, or a number from 0 to 2 ** 53 - 1"],
  [(s) => s.sample(logits, { ...good, seed: 2 ** 53 }), RangeError, /^seed must be a bigint .*, got 9007199254740992$/],
  [(s) => s.sample(logits, { ...good, seed: -1n }), RangeError, /^seed must be a bigint .*, got -1n$/],
  [(s) => s.sample(logits, { ...good, seed: 2n ** 64n }), RangeError, /^seed must be a bigint .*, got 18446744073709551616n$/],
  [(s) => s.sample(logits, { ...good, seed: 0.5 }), RangeError, /^seed must be a bigint .*, got 0.5$/],
  [(s) => s.sample(logits, { ...good, seed: "1" }), TypeError, /^seed must be a bigint .*, got "1"$/],
  [(s) => s.sample(logits, { ...good, seed: new Uint32Array(2) }), TypeError, "seed must be a BigUint64Array, or a Memory of that type, got a Uint32Array"],
  [(s) => s.sample(logits, { ...good, rowIds: [1n, 2n] }), TypeError, "rowIds must be a BigUint64Array, or a Memory of that type, got a Array"],
  [(s) => s.sample(logits, { ...good, rowIds: new BigUint64Array(3) }), Error, "2 rows need as many rowIds, got 3"],
  [(s) => s.sample(logits, { ...good, categories: 3 }), Error, "4 logits do not divide into rows of 3 categories"],
  [(s) => s.sample(logits, { ...good, categories: 0 }), RangeError, "categories must be an integer from 1 to 4294967295, got 0"],
  [(s) => s.sample(logits, { seed: 1n }), TypeError, "categories must be an integer from 1 to 4294967295, got undefined"],
  [(s) => s.sample(logits, { ...good, rows: 3 }), Error, "3 rows of 2 categories with a row stride of 2 need 6 logits, got 4"],
  [(s) => s.sample(logits, { ...good, rowStride: 2 }), TypeError, "rowStride needs rows, the number of rows"],
  [(s) => s.sample(logits, { ...good, temperature: -1 }), Error, "the temperature must be 0 (greedy) or from 7.888609e-31 to 1.2676506e30, got -1"],
  [(s) => s.sample(logits, { ...good, temperature: 1e-60 }), Error, /^the temperature must be 0 \(greedy\) or from .*, got 1e-45$/],
  [(s) => s.sample(logits, { ...good, temperature: "1" }), TypeError, 'temperature must be a number, got "1"'],
  [(s) => s.sample(logits, { ...good, temperature: [1, -2] }), Error, /^row 1: the temperature must be 0/],
  [(s) => s.sample(logits, { ...good, temperature: [1] }), Error, "2 rows need as many temperatures, got 1"],
  [(s) => s.sample(logits, { ...good, temperature: [1, "x"] }), TypeError, 'temperature[1] must be a number, got "x"'],
  [(s) => s.sample(logits, { ...good, topK: 0 }), RangeError, "topK must be an integer from 1 to 4294967295, got 0"],
  [(s) => s.sample(logits, { ...good, topK: [1, 2, 3] }), Error, "2 rows need as many truncations, got 3"],
  [(s) => s.sample(logits, { ...good, topP: [1, 1], topK: [1] }), RangeError, "topK, topP must have one number for each row, got 1 and 2"],
  [(s) => s.sample(logits, { ...good, topP: 0 }), Error, "topP must be above 0 (and cuts nothing from 1 on), got 0"],
  [(s) => s.sample(logits, { ...good, minP: 2 }), Error, "minP must be from 0 to 1, got 2"],
  [(s) => s.sample(logits, { ...good, allowed: new Uint32Array(3) }), Error, /^masks for 2 rows of 2 categories/],
  [(s) => s.sample(logits, { ...good, method: "cdf" }), TypeError, 'method must be "gumbel" or "inverse-cdf" or "auto", got "cdf"'],
  [(s) => s.sample(logits, { ...good, top_k: 1 }), TypeError, /^sample has no option "top_k"; its options are categories, rows,/],
  [(s) => s.sample(logits, { ...good, rowIndices: new Uint32Array([2]) }), Error, "row index 0 is 2, but there are 2 rows to draw from, numbered from 0"],
  [(s) => s.sample(new Int32Array(4), good), TypeError, /^the rows must be a Float32Array, .*, got a Int32Array$/],
  [(s) => s.sample([0, "1"], good), TypeError, 'the rows[1] must be a number, got "1"'],
  [(s) => s.sample({ weights: new Int32Array(4) }, good), TypeError, "weights must be a Float32Array or a Float64Array or a Uint32Array, or a Memory of that type, got a Int32Array"],
  [(s) => s.sample({ f16: new Float32Array(4) }, good), TypeError, "f16 must be a Uint16Array, or a Memory of that type, got a Float32Array"],
  [(s) => s.sample({ logits }, good), TypeError, /^the rows must be a Float32Array/],
  [(s) => s.sample({ weights: new Float32Array([1, -1]) }, good), Error, "row 0 has no draw: its weight of category 1 is -1; a weight is 0 or positive, and finite"],
  [(s) => s.soften({ weights: logits }, { ...good, tau: 1 }), TypeError, "soft samples are of logits; give the logarithms of the weights"],
  [(s) => s.soften(logits, { ...good, tau: 0 }), Error, /^tau must be from 7.888609e-31 to 1.2676506e30, got 0$/],
  [(s) => s.soften(logits, good), TypeError, "tau must be a number, got undefined"],
  [(s) => s.soften(logits, { ...good, tau: 1, hard: 1 }), TypeError, "hard must be true or false, got 1"],
  [(s) => s.softenVjp(logits, new Float32Array(3), { ...good, tau: 1 }), Error, "the cotangents need a slice of 4 floats, got 3"],
  [(s) => s.race(logits, { ...good, k: 0 }), RangeError, "k must be an integer from 1 to 4294967295, got 0"],
  [(s) => s.race(logits, { ...good, k: 1, temperature: 0 }), Error, /has no meaning at temperature 0/],
  [(s) => s.sample(logits, { ...good, draws: 2 ** 31 }), Error, "2147483648 draws from each of 2 rows do not fit into memory"],
  [() => Sampler.gpu({ chunkBytes: 10 }), RangeError, "chunkBytes must be an integer from 1024 to 4294967295, got 10"],
  [() => Sampler.gpu({ powerPreference: "fast" }), TypeError, 'powerPreference must be "low-power" or "high-performance", got "fast"'],
  [() => Sampler.gpu({ adapter: "x" }), TypeError, 'Sampler.gpu has no option "adapter"; its options are powerPreference, software, chunkBytes'],
  [() => Memory.allocate("Float32Array", 2 ** 30 - 2), Error, /^4294967288 bytes of the module's memory are not to be had$/],
  [() => Memory.allocate("Int8Array", 1), TypeError, /^type must be the name of a typed array/],
  [() => digest([1]), TypeError, "the draws must be a Uint32Array, got a Array"],
];

test("every mistake is refused in words", async () => {
  const sampler = await Sampler.cpu();
  for (const [call, type, message] of REFUSED) {
    const error = await call(sampler).then(() => undefined, (error) => error);
    assert.ok(error instanceof type && error.constructor === type, `${call}: ${error?.stack}`);
    message instanceof RegExp ? assert.match(error.message, message) : assert.equal(error.message, message);
  }
  // and afterwards all is well
  assert.equal((await sampler.sample(logits, good)).length, 2);
});
