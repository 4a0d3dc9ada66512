// Dawn, the WebGPU of Chromium, in Node: its compiler is given every variant of the shaders, and its device draws.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, test } from "node:test";

import { create, globals } from "webgpu";

import { compiled, drawn, opened } from "./device.mjs";

Object.assign(globalThis, globals);
const { CASES, VK_DRIVER_FILES } = process.env;

// an adapter lasts as long as its instance, and Node as long as there is one
const instances = [];
const adapterOf = (backend) => {
  const instance = create([`backend=${backend}`]);
  instances.push(instance);
  return instance.requestAdapter();
};
after(() => instances.splice(0));

test("Dawn compiles every variant of the shaders, those with subgroups among them", async (t) => {
  const variants = JSON.parse(fs.readFileSync(path.join(CASES, "shaders.json"), "utf8"));
  // which has a compiler, every feature, and no driver
  const device = await opened(await adapterOf("null"));
  const report = await compiled(device, variants);
  assert.deepEqual(report.refused, []);
  assert.deepEqual([report.taken, report.left], [variants.length, 0]);
  assert.ok(variants.length > 1000 && variants.some(({ source }) => source.startsWith("enable subgroups;")));
  t.diagnostic(`${report.taken} variants`);
});

test("a variant that Dawn must refuse is noticed", async () => {
  const device = await opened(await adapterOf("null"));
  const variants = ["fn f() -> u32 { return 1; }", "fn f() -> u32 { return 1.5; }", "enable subgroups; fn f( {"];
  const { taken, refused } = await compiled(device, variants.map((source, name) => ({ name, source })));
  assert.equal(taken, 1);
  assert.deepEqual([...new Set(refused.map((words) => words.slice(0, 2)))], ["1:", "2:"]);
});

test("a device of Dawn's draws the same", { skip: VK_DRIVER_FILES === undefined && "Chromium's SwiftShader is not here" }, async (t) => {
  const adapter = await adapterOf("vulkan");
  assert.ok(adapter, "Dawn has no adapter");
  const device = await adapter.requestDevice();
  const { wrong, words } = await drawn(device);
  assert.deepEqual(wrong, []);
  t.diagnostic(`${words} words on ${adapter.info.vendor} ${adapter.info.architecture}, 0 mismatches`);
  device.destroy();
});
