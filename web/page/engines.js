// The engines of the page, and what it says of them.

import { Sampler } from "gumbel";

/** The sampler of the reader's choice; `cpu` is always there. */
export const engines = { cpu: undefined, chosen: undefined };

const status = document.getElementById("status");
const listeners = [];

/** Calls back when another engine or seed is chosen. */
export function whenChosen(listener) {
  listeners.push(listener);
}

/** The seed that the reader has given; what is no seed is refused, and the last one stays. */
let seed = 42n;
export function currentSeed() {
  return seed;
}

/** Whether the reader's choice includes a GPU that is emulated. */
export function takesSoftware() {
  return document.getElementById("engine").value === "software";
}

/** A GPUDevice of the page's own, for the lattice and the bench; undefined where there is none. */
let device;
export async function ownDevice() {
  const choice = document.getElementById("engine").value;
  if (choice === "cpu" || !navigator.gpu) return undefined;
  device ??= (async () => {
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) return undefined;
    const isSoftware = adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false;
    const names = [adapter.info?.vendor, adapter.info?.architecture, adapter.info?.description];
    const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
    const made = await adapter.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } });
    made.lost.then(() => (device = undefined));
    return { device: made, isSoftware, name: names.filter(Boolean).join(" ") || "a GPU without a name" };
  })();
  const found = await device;
  return found?.isSoftware && !takesSoftware() ? undefined : found;
}

async function choose(choice) {
  switch (choice) {
    case "cpu":
      return engines.cpu;
    case "gpu":
      return Sampler.gpu({ powerPreference: "high-performance" });
    case "software":
      return Sampler.gpu({ software: true });
    default:
      return Sampler.auto({ powerPreference: "high-performance" });
  }
}

/** How often an engine has been chosen. */
let choices = 0;

/** Takes the engine that is chosen, or says why it cannot be had and stays with the CPU. */
export async function takeEngine() {
  const number = ++choices;
  const choice = document.getElementById("engine").value;
  status.classList.remove("wrong");
  try {
    engines.cpu ??= await Sampler.cpu();
    const chosen = await choose(choice);
    // the reader has chosen again meanwhile
    if (number !== choices) return;
    engines.chosen = chosen;
    const { adapter, engine, reason } = engines.chosen;
    status.textContent =
      engine === "cpu"
        ? `The CPU draws, in WebAssembly${reason ? `: ${reason}` : "."}`
        : engine === "auto"
          ? `${adapter} draws large batches, and the CPU, in WebAssembly, the small ones.`
          : `${adapter} draws${engines.chosen.isSoftware ? ", which emulates a GPU on the CPU" : ""}.`;
  } catch (error) {
    if (number !== choices) return;
    engines.chosen = engines.cpu;
    status.classList.add("wrong");
    status.textContent = engines.cpu ? `The CPU draws, in WebAssembly: ${error.message}` : error.message;
  }
  document.body.dataset.engine = engines.chosen?.engine ?? "none";
  // All at once: one that waits for a GPU must not let another undo what the reader does next.
  await Promise.all(listeners.map((listener) => listener()));
}

/** Reads the seed. */
export function takeSeed() {
  const input = document.getElementById("seed");
  let given;
  try {
    given = BigInt(input.value.trim());
  } catch {
    given = -1n;
  }
  const valid = input.value.trim() !== "" && given >= 0n && given < 2n ** 64n;
  input.setCustomValidity(valid ? "" : "A seed is an integer from 0 to 2^64 - 1.");
  input.reportValidity();
  if (!valid) return;
  seed = given;
  for (const listener of listeners) listener();
}
