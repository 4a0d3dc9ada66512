// The WebAssembly module: how it is loaded, and what happens when it stops.

import init, * as native from "./native/module.js";

/** What the module exports. */
export type Native = typeof native;

let loading: Promise<void> | undefined;
let memory: WebAssembly.Memory | undefined;
/** Why the module has stopped, if it has. */
let fault: string | undefined;
/** What rejects the promises of the calls that a GPU is at work on. */
const waiting = new Set<(error: Error) => void>();

/** Loads the module, once. The first sampler does so, too. */
export function load(): Promise<void> {
  loading ??= instantiate().catch((error: unknown) => {
    // the next call may have more luck with the network
    loading = undefined;
    throw error;
  });
  return loading;
}

async function instantiate(): Promise<void> {
  const url = new URL("./native/module_bg.wasm", import.meta.url);
  try {
    const exports = await init({ module_or_path: (await file(url)) ?? url });
    memory = exports.memory;
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) {
      throw new Error(`gumbel needs WebAssembly with vectors of 128 bits, as browsers have from 2023 on (${error.message})`);
    }
    throw error;
  }
  native.onPanic((words: string) => stop(words));
}

/** The bytes of a file, where `fetch` does not read files. */
async function file(url: URL): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const host = globalThis as { process?: { versions?: { node?: string } } };
  if (url.protocol !== "file:" || host.process?.versions?.node === undefined) {
    return undefined;
  }
  // a name that no bundler follows
  const name = "node:fs/promises";
  const fs = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as {
    readFile(url: URL): Promise<Uint8Array<ArrayBuffer>>;
  };
  return fs.readFile(url);
}

/** The module, which somebody has loaded. */
export function loaded(): Native {
  refuseIfStopped();
  return native;
}

/** The module's memory. Views of it end when it grows. */
export function buffer(): ArrayBuffer {
  if (memory === undefined) {
    throw new Error("gumbel is not loaded yet: `await load()`, or make a Sampler");
  }
  return memory.buffer as ArrayBuffer;
}

function refuseIfStopped(): void {
  if (fault !== undefined) {
    throw new Error(`gumbel has stopped after a fault, and takes no more calls until the page or the process is loaded again: ${fault}`);
  }
}

/** Records why the module has stopped, and fails all calls that wait for a GPU. */
function stop(words: string): Error {
  fault ??= words;
  const error = new Error(`gumbel has stopped by a fault of its own; please report it, with these words: ${fault}`);
  for (const reject of waiting) {
    reject(error);
  }
  waiting.clear();
  return error;
}

/** Calls the module. A trap becomes an error, in this call and in all later ones. */
export function guarded<T>(call: (native: Native) => T): T {
  refuseIfStopped();
  try {
    return call(native);
  } catch (error) {
    // what the module throws itself is an Error and nothing more
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) {
      throw stop(String(error));
    }
    throw error;
  }
}

/** The value that an operation has at once, or later. */
export function settled<T>(outcome: T | Promise<T>): Promise<T> {
  if (!(outcome instanceof Promise)) {
    return Promise.resolve(outcome);
  }
  return new Promise((resolve, reject) => {
    waiting.add(reject);
    outcome.then(resolve, reject).finally(() => waiting.delete(reject));
  });
}
