// What a page loads must be small, and tells nothing of the machine that built it.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import zlib from "node:zlib";

import { WEB } from "./serve.mjs";

const LIMITS = { "dist/native/module_bg.wasm": 450_000, "dist/native/module.js": 12_000 };

let failed = false;
for (const [name, limit] of Object.entries(LIMITS)) {
  const bytes = fs.readFileSync(path.join(WEB, name));
  const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_LGWIN]: 24, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  const { length } = zlib.brotliCompressSync(bytes, { params });
  console.log(`${name}: ${bytes.length} bytes, ${length} compressed (brotli 11), of ${limit} at most`);
  const told = [path.resolve(WEB, ".."), os.homedir()].filter((folder) => folder.length > 1 && bytes.includes(folder + path.sep));
  if (told.length > 0) console.log(`${name} has the path ${told.join(" and ")}`);
  failed ||= length > limit || told.length > 0;
}
process.exitCode = failed ? 1 : 0;
