// What the command line makes of the table's cases, as files.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

import { table, valuesOf } from "./table.mjs";

const DTYPES = { f32: "<f4", f64: "<f8", f16: "<f2", weights: "<f4", counts: "<u4" };

/** An array as a .npy file. */
export function npy(array, dtype, shape) {
  const dictionary = `{'descr': '${dtype}', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  const header = dictionary.padEnd(Math.ceil((dictionary.length + 11) / 64) * 64 - 11) + "\n";
  const begin = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  return Buffer.concat([begin, Buffer.from(header), Buffer.from(array.buffer, array.byteOffset, array.byteLength)]);
}

/** The bytes of the array in a .npy file. */
export function bytesOf(file) {
  const bytes = fs.readFileSync(file);
  return bytes.subarray(10 + bytes.readUInt16LE(8));
}

/** Writes what the command makes of all cases to a folder. */
export function expectedOf(command, folder) {
  fs.mkdirSync(folder, { recursive: true });
  for (const entry of table()) {
    const [input, output, floats] = ["in.npy", "out.npy", "floats.npy"].map((name) => path.join(folder, name));
    fs.writeFileSync(input, npy(valuesOf(entry), DTYPES[entry.kind], [entry.rows, entry.categories]));
    const common = [input, "--output", output, ...entry.args, "--engine", "cpu", "--quiet"];
    if (entry.operation === "soften") {
      execFileSync(command, ["soften", ...common], { stdio: ["ignore", "ignore", "inherit"] });
      const part = entry.options.hard ? "draws" : "floats";
      fs.writeFileSync(path.join(folder, `${entry.name}.${part}`), bytesOf(output));
      continue;
    }
    const more = entry.operation === "sampleScored" ? ["--with-output", floats] : [];
    execFileSync(command, ["sample", ...common, ...more], { stdio: ["ignore", "ignore", "inherit"] });
    fs.writeFileSync(path.join(folder, `${entry.name}.draws`), bytesOf(output));
    if (more.length > 0) fs.writeFileSync(path.join(folder, `${entry.name}.floats`), bytesOf(floats));
  }
}
