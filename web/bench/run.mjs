// Times draws of gumbel and of tfjs's `tf.multinomial` in the same page, in turn, and writes a table.
//
//     node bench/run.mjs RESULTS      writes RESULTS.csv and RESULTS.md
//
// A call begins with a Float32Array of logits and ends with an array of draws. In a round each contestant has a call, one
// after the other, so that what else the machine does meets all of them.

import fs from "node:fs";
import os from "node:os";

import { open, start } from "../test/chromium.mjs";
import { serve } from "../test/serve.mjs";

const SHAPES = [[64, 128256], [100000, 16]];
/** Rounds, and those of contestants of which a call takes long. */
const [ROUNDS, SLOW_ROUNDS] = [15, 4];

const results = process.argv[2];
const served = await serve();
const browser = await start();
const { page, errors } = await open(browser, `${served.url}/bench/`);
page.setDefaultTimeout(0);
const rows = await page.evaluate(
  async ([shapes, rounds, slowRounds]) => {
    const { Memory, Sampler } = await import("gumbel");
    const tf = globalThis.tf;
    tf.wasm.setWasmPaths("node_modules/@tensorflow/tfjs-backend-wasm/dist/");
    const [cpu, gpu] = [await Sampler.cpu(), await Sampler.gpu({ software: true })];
    const out = [];
    for (const [rows, categories] of shapes) {
      let state = 1;
      const word = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
      const values = Float32Array.from({ length: rows * categories }, () => 3 * 1.732 * (word() + word() + word() + word() - 2));
      const memory = await Memory.allocate("Float32Array", values.length);
      memory.view.set(values);
      const multinomial = (backend) => async (seed) => {
        await tf.setBackend(backend);
        const logits = tf.tensor2d(values, [rows, categories]);
        const drawn = tf.multinomial(logits, 1, seed + 1);
        const draws = await drawn.data();
        logits.dispose();
        drawn.dispose();
        return draws;
      };
      const contestants = [
        ["gumbel, CPU engine", (seed) => cpu.sample(values, { categories, seed }), rounds],
        ["gumbel, CPU engine, logits in the module's memory", (seed) => cpu.sample(memory, { categories, seed }), rounds],
        ["tfjs, wasm", multinomial("wasm"), rounds],
        ["gumbel, GPU engine", (seed) => gpu.sample(values, { categories, seed }), slowRounds],
        ["tfjs, webgpu", multinomial("webgpu"), slowRounds],
      ].map(([name, call, rounds]) => ({ name, call, rounds, times: [] }));
      for (const contestant of contestants) {
        const draws = await contestant.call(0);
        if (draws.length !== rows) throw new Error(`${contestant.name}: ${draws.length} draws`);
      }
      for (let round = 0; round < rounds; round++) {
        for (const { call, rounds, times } of contestants) {
          if (round >= rounds) continue;
          const began = performance.now();
          await call(round);
          times.push(performance.now() - began);
        }
      }
      memory.free();
      for (const { name, times } of contestants) {
        times.sort((a, b) => a - b);
        out.push({ rows, categories, name, calls: times.length, median: times[times.length >> 1], least: times[0] });
      }
    }
    return out;
  },
  [SHAPES, ROUNDS, SLOW_ROUNDS],
);
const version = browser.version();
await browser.close();
served.server.close();
if (errors.length > 0) console.error(errors.join("\n"));

const each = (row, time) => ((1e6 * time) / (row.rows * row.categories)).toFixed(2);
const header = "rows,categories,name,calls,median_ms,least_ms";
const csv = rows.map((row) => [row.rows, row.categories, `"${row.name}"`, row.calls, row.median.toFixed(2), row.least.toFixed(2)].join(","));
fs.writeFileSync(`${results}.csv`, `${[header, ...csv].join("\n")}\n`);
const names = [...new Set(rows.map(({ name }) => name))];
const cell = (name, [r, c]) => {
  const row = rows.find((row) => row.name === name && row.rows === r && row.categories === c);
  return `${each(row, row.median)} (${each(row, row.least)})`;
};
const lines = [
  `Chromium ${version} without a screen, WebGPU on SwiftShader, on ${os.cpus()[0].model} (${os.cpus().length} threads, shared: load ${os.loadavg()[0].toFixed(0)}).`,
  "Nanoseconds for each logit, whole calls, in turn: the median, and the least in brackets.",
  "",
  `| | ${SHAPES.map(([r, c]) => `${r.toLocaleString("en")} × ${c.toLocaleString("en")}`).join(" | ")} |`,
  `| --- |${SHAPES.map(() => " --- |").join("")}`,
  ...names.map((name) => `| ${name} | ${SHAPES.map((shape) => cell(name, shape)).join(" | ")} |`),
];
fs.writeFileSync(`${results}.md`, `${lines.join("\n")}\n`);
console.log(lines.join("\n"));
