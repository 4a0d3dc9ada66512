// The package in Node, and in Deno: its CPU engine against the reference and the command line.
//
// The environment says where things are: GUMBEL (the command), CASES (what `gumbel check --write-cases` has written),
// EXPECTED (a folder for what the command makes of the table).

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { Memory, NO_DRAW, Sampler, digest, randomSeed } from "gumbel";

import { npy } from "./command.mjs";
import { conformance, differences } from "./suite.mjs";
import { compareTable, valuesOf } from "./table.mjs";

const { GUMBEL, CASES, EXPECTED } = process.env;
const file = (name) => {
  const bytes = fs.readFileSync(name);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
};
const index = JSON.parse(fs.readFileSync(path.join(CASES, "cases.json"), "utf8"));
const data = file(path.join(CASES, "cases.bin"));
const load = (name) => file(path.join(EXPECTED, name));

test("the CPU engine draws what the reference draws", async (t) => {
  const report = await conformance(await Sampler.cpu(), index, data);
  assert.deepEqual(report.wrong, []);
  assert.ok(report.cases > 400 && report.left.length <= 1, `${report.cases} cases, left out: ${report.left}`);
  for (const what of ["sums", "samples", "gradients"]) assert.ok(report[what] <= 1, `${what}: ${report[what]}`);
  t.diagnostic(`${report.cases} cases, ${report.words} words, 0 mismatches; left out: ${report.left.join("; ")}`);
});

test("a wrong word is noticed", async () => {
  const wrong = data.slice(0);
  const entry = index.find(({ rows }) => rows > 1);
  new Uint32Array(wrong, entry.draws[0])[1] ^= 1;
  const report = await conformance(await Sampler.cpu(), [entry], wrong);
  assert.equal(report.mismatches, 1);
  assert.equal(differences([1, 2], [1]), 2);
  const expected = async (name) => {
    const bytes = load(name);
    if (name === "plain-37x129.draws") new Uint32Array(bytes)[36] ^= 1;
    return bytes;
  };
  assert.equal((await compareTable(await Sampler.cpu(), expected)).mismatches, 1);
});

test("the CPU engine draws what the command draws", async (t) => {
  const report = await compareTable(await Sampler.cpu(), load, { near: 1e-6 });
  assert.deepEqual(report.wrong, []);
  t.diagnostic(`${report.cases} cases, ${report.words} words, 0 mismatches; floats apart by ${report.apart}`);
});

const gpu = globalThis.navigator?.gpu !== undefined && "there is WebGPU here";
test("without WebGPU auto takes the CPU and says why", { skip: gpu }, async () => {
  const sampler = await Sampler.auto();
  assert.equal(sampler.engine, "cpu");
  assert.equal(sampler.reason, "no adapter is a hardware GPU; WebGPU offers none here");
  assert.equal(sampler.adapter, undefined);
  await assert.rejects(Sampler.gpu({ software: true }), /^Error: no adapter can be used; WebGPU offers none here$/);
});

test("the digest is the command's", async () => {
  const values = valuesOf({ kind: "f32", rows: 37, categories: 129 });
  const draws = await (await Sampler.cpu()).sample(values, { categories: 129, seed: 7n });
  const input = path.join(EXPECTED, "digest.npy");
  fs.writeFileSync(input, npy(values, "<f4", [37, 129]));
  const said = execFileSync("sh", ["-c", '"$0" sample "$1" --seed 7 --digest --quiet --engine cpu 2>&1 >/dev/null', GUMBEL, input]);
  assert.equal(`digest ${await digest(draws)}\n`, said.toString());
  assert.equal(await digest(new Uint32Array(0)), "00000000");
});

test("rows in the module's memory, with strides, gathered and masked", async () => {
  const sampler = await Sampler.cpu();
  const values = valuesOf({ kind: "f32", rows: 20, categories: 50 });
  const expected = await sampler.sample(values, { categories: 50, seed: 1 });
  const memory = await Memory.allocate("Float32Array", values.length);
  memory.view.set(values);
  assert.deepEqual(await sampler.sample(memory, { categories: 50, seed: 1 }), expected);
  // rows that lie 60 apart, with poison between
  const spread = new Float32Array(20 * 60).fill(NaN);
  for (let row = 0; row < 20; row++) spread.set(values.subarray(row * 50, row * 50 + 50), row * 60);
  assert.deepEqual(await sampler.sample(spread, { categories: 50, rows: 20, rowStride: 60, seed: 1 }), expected);
  const rowIndices = new Uint32Array([3, 3, 19]);
  const rowIds = new BigUint64Array([3n, 3n, 19n]);
  const gathered = await sampler.sample(memory, { categories: 50, seed: 1n, rowIndices, rowIds });
  assert.deepEqual([...gathered], [3, 3, 19].map((row) => expected[row]));
  const allowed = new Uint32Array([1 << 7, 0]);
  const masked = await sampler.sample(memory, { categories: 50, seed: 1n, allowed });
  assert.ok(masked.every((draw) => draw === 7));
  // the module's memory grows, and the view is made again
  const more = await Memory.allocate("Float64Array", 1 << 22);
  assert.equal(memory.view[5], values[5]);
  more.free();
  memory.free();
  // numbers that 32 bits do not hold
  const far = new Float64Array([1e9, 1e9 + 30, 1e9]);
  assert.deepEqual([...(await sampler.sample(far, { categories: 3, seed: 1, draws: 5 }))], [1, 1, 1, 1, 1]);
  assert.deepEqual([...(await sampler.sample([1e9, 1e9 + 30, 1e9], { categories: 3, seed: 1, draws: 2 }))], [1, 1]);
});

test("options of rows are those of calls", async () => {
  const sampler = await Sampler.cpu();
  const values = valuesOf({ kind: "f32", rows: 3, categories: 50 });
  const seed = new BigUint64Array([5n, 2n ** 63n, 0n]);
  const options = { categories: 50, seed, temperature: [0.5, 0, 2], firstDraw: new Uint32Array([0, 9, 1]), topK: [3, 50, 1], topP: new Float32Array([1, 0.5, 1]) };
  const all = await sampler.sample(values, options);
  for (let row = 0; row < 3; row++) {
    const alone = await sampler.sample(values.subarray(row * 50, row * 50 + 50), {
      categories: 50,
      seed: seed[row],
      firstRow: row,
      temperature: options.temperature[row],
      firstDraw: options.firstDraw[row],
      topK: options.topK[row],
      topP: options.topP[row],
    });
    assert.equal(alone[0], all[row]);
  }
});

test("an inverse CDF that is kept draws what the method draws", async () => {
  const sampler = await Sampler.cpu();
  const weights = new Float32Array([1, 2, 3, 4, 0, 1]);
  const kept = await sampler.inverseCdf({ weights }, { categories: 3, seed: 9n });
  assert.deepEqual([kept.rows, kept.categories], [2, 3]);
  const expected = await sampler.sample({ weights }, { categories: 3, seed: 9n, draws: 100, firstDraw: 7, method: "inverse-cdf" });
  assert.deepEqual(await kept.sample({ draws: 100, firstDraw: 7 }), expected);
  kept.free();
});

test("sums, estimates, cuts and gradients", async () => {
  const sampler = await Sampler.cpu();
  const logits = new Float32Array([0, 1, 2]);
  const [sum] = await sampler.logsumexp(logits, { categories: 3 });
  assert.ok(Math.abs(sum - 2.40760596) < 1e-7);
  const { estimates, standardErrors } = await sampler.estimateLogZ(logits, { categories: 3, seed: 1, draws: 10000 });
  assert.ok(Math.abs(estimates[0] - sum) < 5 * standardErrors[0]);
  const cuts = await sampler.cuts(logits, { categories: 3, topK: 2 });
  assert.deepEqual([cuts.thresholds[0], cuts.kept[0]], [1, 2]);
  assert.ok(Math.abs(cuts.shares[0] - (Math.E + Math.E ** 2) / (1 + Math.E + Math.E ** 2)) < 1e-9);
  // the derivative of a sample's first number by the logits, and by differences
  const soft = { categories: 3, seed: 4n, tau: 0.7 };
  const gradients = await sampler.softenVjp(logits, new Float32Array([1, 0, 0]), soft);
  for (let i = 0; i < 3; i++) {
    const moved = (by) => logits.map((x, j) => x + (i === j ? by : 0));
    const [up, down] = [await sampler.soften(moved(1 / 256), soft), await sampler.soften(moved(-1 / 256), soft)];
    assert.ok(Math.abs((up[0] - down[0]) * 128 - gradients[i]) < 1e-3);
  }
});

test("a row without a draw is an error that names it, or is marked", async () => {
  const sampler = await Sampler.cpu();
  const rows = new Float32Array([0, 0, 0, NaN, -Infinity, -Infinity]);
  await assert.rejects(sampler.sample(rows, { categories: 2, seed: 1 }), { message: "row 1 has no draw: its logit of category 1 is NaN" });
  const marked = await sampler.sample(rows, { categories: 2, seed: 1, invalid: "mark" });
  assert.deepEqual([...marked.subarray(1)], [NO_DRAW, NO_DRAW]);
});

test("seeds of the system differ", () => {
  assert.equal(typeof randomSeed(), "bigint");
  assert.notEqual(randomSeed(), randomSeed());
});
