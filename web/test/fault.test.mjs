// A trap in the module becomes an error, and all later calls say so.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Memory, Sampler } from "gumbel";

test("a fault leaves a clear error", async () => {
  const sampler = await Sampler.cpu();
  const broken = await Memory.allocate("Float32Array", 4);
  // an object where there is no memory: what a bug of the module's would come to
  broken.native.__wbg_ptr = 0xfffffff0;
  const options = { categories: 2, seed: 1n };
  await assert.rejects(sampler.sample(broken, options), /^Error: gumbel has stopped by a fault of its own; please report it, with these words: RuntimeError: memory access out of bounds/);
  const later = /^Error: gumbel has stopped after a fault, and takes no more calls until the page or the process is loaded again: RuntimeError/;
  await assert.rejects(sampler.sample(new Float32Array(4), options), later);
  await assert.rejects(Sampler.cpu(), later);
});
