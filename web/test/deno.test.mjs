// The package in Deno, whose WebGPU is wgpu's, on an adapter that may be emulated: the GPU engine against the reference.
// What does not depend on WebGPU is tested by the tests of Node, which run in Deno, too.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { Sampler } from "gumbel";

import { drawn } from "./device.mjs";
import { PROMISES, conformance } from "./suite.mjs";

const { CASES } = process.env;
const index = JSON.parse(fs.readFileSync(path.join(CASES, "cases.json"), "utf8"));
const { buffer: data } = new Uint8Array(fs.readFileSync(path.join(CASES, "cases.bin")));

/** Holds the GPU engine against the reference, in one case of `each` of those of at most `most` logits. */
async function agrees(t, { each, least, ...options }) {
  const sampler = await Sampler.gpu({ software: true });
  const some = index.filter((_, i) => i % each === 0);
  const report = await conformance(sampler, some, data, { ...options, promise: PROMISES.gpu });
  assert.deepEqual(report.wrong, []);
  assert.ok(report.cases >= least, `${report.cases} cases`);
  for (const what of ["sums", "samples", "gradients"]) assert.ok(report[what] <= 1, `${what}: ${report[what]}`);
  t.diagnostic(`${report.cases} cases, ${report.words} words on ${sampler.adapter}, 0 mismatches`);
  sampler.destroy();
}

// Few cases, as llvmpipe compiles a shader in a tenth of a second and more. The same engine has all of them in
// Chromium and, on the same driver, in the crate's own tests.
test("the GPU engine draws what the reference draws", (t) => agrees(t, { each: 8, operations: false, least: 50 }));

test("all operations of the GPU engine are the reference's", (t) => agrees(t, { each: 5, most: 100, least: 10 }));

test("auto says what it takes", async () => {
  const sampler = await Sampler.auto({ software: true });
  assert.deepEqual([sampler.engine, sampler.reason], ["auto", undefined]);
  assert.equal((await sampler.sample([0, 0], { categories: 2, seed: 1 })).length, 1);
});

test("a device of the caller's draws the same", async (t) => {
  const device = await (await navigator.gpu.requestAdapter()).requestDevice();
  const { wrong, words } = await drawn(device);
  assert.deepEqual(wrong, []);
  t.diagnostic(`${words} words, 0 mismatches`);
  device.destroy();
});

test("both engines run in a worker", async () => {
  const worker = new Worker(new URL("./worker.mjs", import.meta.url), { type: "module" });
  const told = await new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => resolve({ error: event.message });
    worker.postMessage(0);
  });
  worker.terminate();
  assert.equal(told.same, true, told.error);
});
