// The page: every control, with WebGPU and without, small and large, dark and light.
//
// PICTURES, if set, is a folder for pictures of the page.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";

import { open, start } from "./chromium.mjs";
import { serve } from "./serve.mjs";

const { PICTURES } = process.env;
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
let served, browser;

before(async () => {
  served = await serve();
  browser = await start();
  if (PICTURES) fs.mkdirSync(PICTURES, { recursive: true });
});

after(async () => {
  await browser?.close();
  served?.server.close();
});

async function opened(options = {}, by = browser) {
  const { page, errors, context } = await open(by, `${served.url}/page/`, { viewport: { width: 1000, height: 900 }, ...options });
  page.setDefaultTimeout(60_000);
  await page.waitForSelector("body[data-ready]");
  return { page, errors, context };
}

const picture = async (page, name, fullPage = true) => {
  if (PICTURES) await page.screenshot({ path: path.join(PICTURES, `${name}.png`), fullPage });
};
const told = (page, id) => page.textContent(`#${id}`);
/** Waits until an element's text is as it should be. */
const says = (page, id, pattern) =>
  page.waitForFunction(([id, source]) => new RegExp(source).test(document.getElementById(id).textContent), [id, pattern.source]);
/** Sets a slider, as a reader does. */
const slide = (page, id, value) => page.locator(`#${id}`).fill(String(value));
/** A canvas's picture. */
const painted = (page, id) => page.evaluate((id) => document.getElementById(id).toDataURL(), id);

/** Changes something, and waits for a canvas to change. */
async function repaints(page, id, change) {
  const before = await painted(page, id);
  await change();
  await page.waitForFunction(([id, before]) => document.getElementById(id).toDataURL() !== before, [id, before]);
}

test("alarms race, and win by their rates", async () => {
  const { page, errors, context } = await opened();
  await page.click("#alarm-many");
  await says(page, "alarm-told", /^1000 races\./);
  const shares = [...(await told(page, "alarm-told")).matchAll(/([\d.]+) % of ([\d.]+) %/g)].map(([, share, expected]) => [share, expected].map(Number));
  assert.equal(shares.length, 5);
  // five standard errors
  for (const [share, expected] of shares) assert.ok(Math.abs(share - expected) < 8, `${share} % of ${expected} %`);
  await repaints(page, "alarm-canvas", () => slide(page, "alarm-rate-0", 2));
  await says(page, "alarm-told", /^0 races\./);
  await slide(page, "alarm-speed", 5);
  await page.focus("#alarm-run");
  await page.keyboard.press("Enter");
  await says(page, "alarm-told", /^[2-9] races\./);
  assert.equal(await page.getAttribute("#alarm-run", "aria-pressed"), "true");
  await page.click("#alarm-reset");
  await says(page, "alarm-told", /^0 races\./);
  assert.equal(await told(page, "alarm-run"), "Start");
  await says(page, "minimum-told", /^The mean of 10000 first rings is/);
  const [mean, expected, error] = (await told(page, "minimum-told")).match(/\d+\.\d+/g).map(Number);
  assert.ok(Math.abs(mean - expected) < 5 * error);
  assert.deepEqual(errors, []);
  await context.close();
});

test("curves and draws follow their controls", async () => {
  const { page, errors, context } = await opened();
  await repaints(page, "curve-canvas", () => slide(page, "curve-logit", 2));
  assert.equal(await told(page, "curve-value"), "2.0");
  await page.click("#max-one");
  await says(page, "max-told", /^Draw number 0 is [A-H]\. 1 draws/);
  await page.click("#max-thousand");
  await says(page, "max-told", /1001 draws/);
  await page.click("#max-million");
  await says(page, "max-told", /1001001 draws/);
  const [worst, error] = (await told(page, "max-told")).match(/0\.\d{5}/g).map(Number);
  assert.ok(worst < 6 * error, `${worst} of ${error}`);
  await picture(page, "draws", false);
  for (const [id, value] of [["max-logit-3", 3], ["max-temperature", 0.5], ["max-top-k", 3], ["max-top-p", 0.5]]) {
    await repaints(page, "max-histogram", () => slide(page, id, value));
    await says(page, "max-told", /^Draw number 0 will be/);
  }
  await slide(page, "max-top-p", 1);
  await page.click("#max-thousand");
  await says(page, "max-told", /1000 draws/);
  await page.click("#max-reset");
  await says(page, "max-told", /^Draw number 0 will be/);
  await slide(page, "soft-tau", -3);
  await says(page, "soft-told", /0\.00 bits/);
  await slide(page, "soft-tau", 2);
  await says(page, "soft-told", /[12]\.\d\d bits/);
  await repaints(page, "max-canvas", () => page.fill("#seed", "18446744073709551615").then(() => page.press("#seed", "Enter")));
  assert.match(await told(page, "same-told"), /--seed 18446744073709551615 /);
  await page.fill("#seed", "1.5");
  await page.press("#seed", "Enter");
  assert.equal(await page.evaluate(() => document.getElementById("seed").validity.valid), false);
  assert.deepEqual(errors, []);
  await context.close();
});

test("both engines draw the same, with the command's digest", async () => {
  const { page, errors, context } = await opened();
  await page.selectOption("#engine", "gpu");
  await says(page, "status", /^The CPU draws, in WebAssembly: no adapter is a hardware GPU/);
  await page.selectOption("#engine", "cpu");
  await says(page, "status", /^The CPU draws, in WebAssembly\.$/);
  // what was said before is gone as soon as the engine has changed: later it would take what a reader has asked for since
  const after = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const [engine, status, told] = ["engine", "status", "same-told"].map((id) => document.getElementById(id));
        told.textContent = "said before";
        new MutationObserver((_, observer) => {
          observer.disconnect();
          setTimeout(() => resolve(told.textContent));
        }).observe(status, { childList: true });
        engine.value = "software";
        engine.dispatchEvent(new Event("change"));
      }),
  );
  assert.match(after, /^gumbel sample/);
  await says(page, "status", /^google swiftshader draws, which emulates a GPU on the CPU\.$/);
  await page.click("#same-run");
  await says(page, "same-told", /bit for bit|DIFFER|no GPU/);
  const words = await told(page, "same-told");
  assert.match(words, /The same 64 draws, bit for bit\./);
  const digests = [...words.matchAll(/digest ([0-9a-f]{8})/g)].map(([, digest]) => digest);
  assert.equal(digests.length, 2);
  assert.equal(digests[0], digests[1]);
  // the file that the reader can take away, with the command line
  const download = page.waitForEvent("download");
  await page.click("#same-file");
  const file = await (await download).path();
  const { execFileSync } = await import("node:child_process");
  const said = execFileSync("sh", ["-c", '"$0" sample "$1" --seed 42 --digest --quiet --engine cpu 2>&1 >/dev/null', process.env.GUMBEL, file]);
  assert.equal(said.toString().trim(), `digest ${digests[0]}`);
  assert.deepEqual(errors, []);
  await context.close();
});

test("a lattice is the same on the CPU and on a GPU, and moves", async () => {
  const { page, errors, context } = await opened();
  await page.selectOption("#engine", "software");
  await says(page, "potts-told", /64 × 64 cells on google swiftshader, 0 sweeps/);
  const same = await page.evaluate(async () => {
    const { both } = await import("./potts.js");
    const [cpu, gpu] = await both(32, 3, 1.01, 6);
    return [cpu.length, gpu.length, cpu.every((cell, i) => cell === gpu[i]), new Set(cpu).size];
  });
  assert.deepEqual(same, [1024, 1024, true, 3]);
  await slide(page, "potts-beta", 1.8);
  assert.equal(await told(page, "potts-beta-value"), "1.8");
  await repaints(page, "potts-canvas", () => page.click("#potts-run"));
  await says(page, "potts-told", / ([5-9]|\d\d+) sweeps/);
  await slide(page, "potts-q", 5);
  await says(page, "potts-told", /sets in at β = 1\.174/);
  await page.click("#potts-run");
  await page.click("#potts-reset");
  await says(page, "potts-told", / 0 sweeps/);
  await page.selectOption("#engine", "cpu");
  await says(page, "potts-told", /96 × 96 cells on the CPU, 0 sweeps/);
  await page.click("#potts-run");
  await says(page, "potts-told", / ([5-9]|\d\d+) sweeps/);
  await page.locator("#potts").scrollIntoViewIfNeeded();
  await picture(page, "potts", false);
  await page.click("#potts-run");
  assert.deepEqual(errors, []);
  await context.close();
});

test("the bench measures, and its report can be copied", async () => {
  const { page, errors, context } = await opened({ permissions: ["clipboard-read", "clipboard-write"] });
  await page.selectOption("#engine", "software");
  await says(page, "status", /emulates/);
  await page.click("#bench-run");
  await says(page, "bench-told", /Measured by the page/);
  const report = await told(page, "bench-told");
  assert.equal([...report.matchAll(/ns a logit/g)].length, 4, report);
  await page.click("#bench-copy");
  await says(page, "bench-copy", /Copied/);
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), report);
  assert.deepEqual(errors, []);
  await context.close();
});

test("the page works on a phone without WebGPU, in the dark", async () => {
  const plain = await start({ webgpu: false });
  try {
    const { page, errors } = await opened({ ...PHONE, colorScheme: "dark" }, plain);
    assert.match(await told(page, "status"), /^The CPU draws, in WebAssembly/);
    await page.tap("#max-thousand");
    await says(page, "max-told", /1000 draws/);
    await page.tap("#same-run");
    await says(page, "same-told", /There is no GPU here to compare with\./);
    await page.tap("#alarm-many");
    await says(page, "alarm-told", /^1000 races\./);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(wide, 0, "nothing is wider than the screen");
    const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await picture(page, "phone-dark");
    await page.tap("#theme");
    const light = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.notEqual(dark, light);
    assert.deepEqual(errors, []);
  } finally {
    await plain.close();
  }
});

test("every control can be reached by the keyboard, and has a name", async () => {
  const { page, errors, context } = await opened();
  await page.click("#alarm-many");
  await page.click("#max-thousand");
  await says(page, "max-told", /1000 draws/);
  await picture(page, "desktop-light");
  const missed = await page.evaluate(() => {
    const controls = [...document.querySelectorAll("button, input, select, a[href]")];
    return controls.filter((control) => control.tabIndex < 0 || !(control.textContent.trim() || control.labels?.[0]?.textContent.trim())).map((control) => control.id);
  });
  assert.deepEqual(missed, []);
  await page.focus("#engine");
  const reached = [];
  for (let i = 0; i < 60; i++) {
    reached.push(await page.evaluate(() => document.activeElement.id));
    await page.keyboard.press("Tab");
  }
  for (const id of ["seed", "theme", "alarm-rate-4", "alarm-run", "max-logit-7", "max-top-p", "soft-tau", "potts-q", "potts-run", "same-run", "same-file", "bench-run"]) {
    assert.ok(reached.includes(id), `${id} is not reached`);
  }
  await page.focus("#curve-logit");
  await page.keyboard.press("ArrowRight");
  assert.equal(await told(page, "curve-value"), "0.1");
  assert.deepEqual(errors, []);
  await context.close();
});
