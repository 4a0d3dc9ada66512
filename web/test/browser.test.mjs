// The package in Chromium: both engines against the reference and the command line.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { open, start } from "./chromium.mjs";
import { serve } from "./serve.mjs";

const { CASES, EXPECTED } = process.env;

let served, browser, page, errors;

before(async () => {
  served = await serve({ cases: CASES, expected: EXPECTED });
  browser = await start();
  ({ page, errors } = await open(browser, `${served.url}/test/blank.html`));
});

after(async () => {
  await browser?.close();
  served?.server.close();
});

/** What an engine makes of the cases, in the page. */
const checked = (engine, options) =>
  page.evaluate(
    async ([engine, options]) => {
      const { Sampler } = await import("gumbel");
      const { PROMISES, conformance } = await import("/test/suite.mjs");
      const [index, data] = await Promise.all([
        fetch("/cases/cases.json").then((answer) => answer.json()),
        fetch("/cases/cases.bin").then((answer) => answer.arrayBuffer()),
      ]);
      const sampler = engine === "cpu" ? await Sampler.cpu() : await Sampler.gpu(engine);
      const report = await conformance(sampler, index, data, { ...options, promise: PROMISES[engine === "cpu" ? "cpu" : "gpu"] });
      sampler.destroy();
      return report;
    },
    [engine, options],
  );

function agrees(t, report, least) {
  assert.deepEqual(report.wrong, []);
  assert.ok(report.cases >= least, `${report.cases} cases`);
  for (const what of ["sums", "samples", "gradients"]) assert.ok(report[what] <= 1, `${what}: ${report[what]}`);
  t.diagnostic(`${report.cases} cases, ${report.words} words, 0 mismatches`);
}

test("the adapter has a name", async (t) => {
  const told = await page.evaluate(async () => {
    const { Sampler } = await import("gumbel");
    const sampler = await Sampler.gpu({ software: true, powerPreference: "low-power" });
    const auto = await Sampler.auto();
    return { adapter: sampler.adapter, isSoftware: sampler.isSoftware, auto: auto.engine, reason: auto.reason };
  });
  assert.deepEqual([told.adapter, told.isSoftware, told.auto], ["google swiftshader", true, "cpu"]);
  assert.equal(told.reason, "no adapter is a hardware GPU; WebGPU offers google swiftshader (webgpu) (software: true takes it)");
  t.diagnostic(told.adapter);
});

test("the CPU engine draws what the reference draws", async (t) => {
  agrees(t, await checked("cpu", {}), 400);
});

test("the GPU engine draws what the reference draws", async (t) => {
  agrees(t, await checked({ software: true }, { operations: false }), 400);
});

test("all operations of the GPU engine are the reference's", async (t) => {
  agrees(t, await checked({ software: true }, { most: 600 }), 50);
});

test("rows in the smallest chunks are the same", async (t) => {
  agrees(t, await checked({ software: true, chunkBytes: 1024 }, { most: 3000, operations: false }), 100);
});

for (const engine of ["cpu", "gpu"]) {
  test(`the ${engine} engine draws what the command draws`, async (t) => {
    const report = await page.evaluate(async (engine) => {
      const { Sampler } = await import("gumbel");
      const { compareTable } = await import("/test/table.mjs");
      const sampler = engine === "cpu" ? await Sampler.cpu() : await Sampler.gpu({ software: true });
      const load = (name) => fetch(`/expected/${name}`).then((answer) => answer.arrayBuffer());
      return compareTable(sampler, load, { near: engine === "cpu" ? 1e-6 : 2e-5 });
    }, engine);
    assert.deepEqual(report.wrong, []);
    t.diagnostic(`${report.cases} cases, ${report.words} words, 0 mismatches; floats apart by ${report.apart}`);
  });
}

test("an emulated adapter has work for every core that the browser tells", async () => {
  const told = await page.evaluate(async () => {
    const { Sampler } = await import("gumbel");
    const values = Float32Array.from({ length: 200000 }, (_, i) => Math.sin(i));
    const passes = GPUComputePassEncoder.prototype;
    const dispatch = passes.dispatchWorkgroups;
    const told = [];
    try {
      for (const cores of [1, 16]) {
        Object.defineProperty(navigator, "hardwareConcurrency", { configurable: true, get: () => cores });
        let workgroups = 0;
        passes.dispatchWorkgroups = function (x, y = 1, z = 1) {
          workgroups += x * y * z;
          return dispatch.call(this, x, y, z);
        };
        const sampler = await Sampler.gpu({ software: true });
        const [draw] = await sampler.sample(values, { categories: 200000, seed: 3 });
        told.push([draw, workgroups]);
        sampler.destroy();
      }
    } finally {
      delete navigator.hardwareConcurrency;
      passes.dispatchWorkgroups = dispatch;
    }
    return told;
  });
  const [[one, few], [same, many]] = told;
  assert.equal(same, one);
  assert.ok(many > few && few > 0, `${few} and ${many} workgroups`);
});

test("four calls at once draw the same as one after the other", async () => {
  const same = await page.evaluate(async () => {
    const { Sampler } = await import("gumbel");
    const sampler = await Sampler.gpu({ software: true });
    const values = Float32Array.from({ length: 37 * 5000 }, (_, i) => Math.sin(i));
    const call = (seed) => sampler.sample(values, { categories: 5000, seed });
    const together = await Promise.all([1, 2, 3, 4].map(call));
    const cpu = await Sampler.cpu();
    for (const [i, seed] of [1, 2, 3, 4].entries()) {
      const alone = await cpu.sample(values, { categories: 5000, seed });
      if (!alone.every((draw, j) => draw === together[i][j])) return seed;
    }
    return "all";
  });
  assert.equal(same, "all");
});

test("both engines run in a worker", async () => {
  const told = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const worker = new Worker("/test/worker.mjs", { type: "module" });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => resolve({ error: event.message });
        worker.postMessage(0);
      }),
  );
  assert.deepEqual(told, { same: true, adapter: "google swiftshader" });
});

test("a lost device is an error, and another sampler can be made", async () => {
  const told = await page.evaluate(async () => {
    const { Sampler } = await import("gumbel");
    const devices = [];
    const request = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (...args) {
      const device = await request.apply(this, args);
      devices.push(device);
      return device;
    };
    try {
      const values = Float32Array.from({ length: 40 * 5000 }, (_, i) => Math.sin(i));
      const options = { categories: 5000, seed: 7n };
      const expected = await (await Sampler.cpu()).sample(values, options);
      const same = (draws) => draws.every((draw, i) => draw === expected[i]);
      const told = {};
      const words = (promise) => promise.then(same, (error) => error.message);

      const before = await Sampler.gpu({ software: true });
      devices.at(-1).destroy();
      told.before = await words(before.sample(values, options));

      const during = await Sampler.gpu({ software: true });
      const call = during.sample(values, options);
      devices.at(-1).destroy();
      told.during = await words(call);
      told.after = await words(during.sample(values, options));

      const given = await Sampler.gpu({ software: true });
      given.destroy();
      told.destroyed = await words(given.sample(values, options));

      told.again = await words((await Sampler.gpu({ software: true })).sample(values, options));

      const auto = await Sampler.auto({ software: true });
      told.auto = auto.engine;
      devices.at(-1).destroy();
      // so many logits go to the GPU
      const many = Float32Array.from({ length: 60 * 5000 }, (_, i) => Math.sin(i));
      told.finished = (await auto.sample(many, options)).length;
      told.lost = auto.lost;
      return told;
    } finally {
      GPUAdapter.prototype.requestDevice = request;
    }
  });
  const lost = /^the device of google swiftshader \(webgpu\) was lost while .*: it was destroyed; make a new Sampler, or draw with Sampler.cpu\(\)$/;
  for (const when of ["before", "during", "after", "destroyed"]) assert.match(String(told[when]), lost, when);
  assert.deepEqual([told.again, told.auto, told.finished], [true, "auto", 60]);
  assert.match(told.lost, /was lost/);
});

test("without WebGPU auto takes the CPU", async () => {
  const plain = await start({ webgpu: false });
  try {
    const { page, errors } = await open(plain, `${served.url}/test/blank.html`);
    const told = await page.evaluate(async () => {
      const { Sampler } = await import("gumbel");
      const sampler = await Sampler.auto();
      return [sampler.engine, (await sampler.sample([0, 0], { categories: 2, seed: 1 })).length];
    });
    assert.deepEqual(told, ["cpu", 1]);
    assert.deepEqual(errors, []);
  } finally {
    await plain.close();
  }
});

// dawn.test.mjs has Tint compile them all, without a browser's processes and in a quarter of the time
test("the browser takes every seventh variant of the shaders", async (t) => {
  const report = await page.evaluate(async () => {
    const { compiled, opened } = await import("/test/device.mjs");
    const variants = await fetch("/cases/shaders.json").then((answer) => answer.json());
    const device = await opened(await navigator.gpu.requestAdapter());
    const report = await compiled(device, variants.filter((_, i) => i % 7 === 0));
    device.destroy();
    return report;
  });
  assert.deepEqual(report.refused, []);
  assert.ok(report.taken > 150, `${report.taken} variants`);
  t.diagnostic(`${report.taken} variants; left out, as the device lacks subgroups: ${report.left}`);
});

test("a device of the caller's draws the same", async (t) => {
  const told = await page.evaluate(async () => {
    const { drawn } = await import("/test/device.mjs");
    // with the limits that every device has
    const device = await (await navigator.gpu.requestAdapter()).requestDevice();
    const told = await drawn(device);
    device.destroy();
    return told;
  });
  assert.deepEqual(told.wrong, []);
  t.diagnostic(`${told.words} words, 0 mismatches`);
});

test("nothing was said on the console", () => {
  assert.deepEqual(errors, []);
});
