// What a page loads must be small.

import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";

import { WEB } from "./serve.mjs";

const LIMITS = { "dist/native/module_bg.wasm": 500_000, "dist/native/module.js": 12_000 };

let failed = false;
for (const [name, limit] of Object.entries(LIMITS)) {
  const bytes = fs.readFileSync(path.join(WEB, name));
  const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_LGWIN]: 24, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  const { length } = zlib.brotliCompressSync(bytes, { params });
  console.log(`${name}: ${bytes.length} bytes, ${length} compressed (brotli 11), of ${limit} at most`);
  failed ||= length > limit;
}
process.exitCode = failed ? 1 : 0;
