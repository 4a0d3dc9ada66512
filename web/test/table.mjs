// Calls that the command line can make too, with its arguments.

const SHAPES = [
  [3, 5],
  [37, 129],
  [1000, 16],
  [5, 50257],
  [2, 131071],
  [100, 100],
  [1, 128256],
];

/** A seed that no number of JavaScript's is. */
const SEED = 12345678901234567n;

const CALLS = [
  { name: "plain", kind: "f32", options: {}, args: [] },
  { name: "draws", kind: "f32", options: { draws: 7 }, args: ["--draws", "7"] },
  { name: "warm", kind: "f32", options: { temperature: 0.7 }, args: ["--temperature", "0.7"] },
  { name: "greedy", kind: "f32", options: { temperature: 0 }, args: ["--temperature", "0"] },
  { name: "first-row", kind: "f32", options: { firstRow: 2n ** 64n - 2n }, args: ["--first-row", "18446744073709551614"] },
  { name: "f16", kind: "f16", options: {}, args: [] },
  { name: "f64", kind: "f64", options: {}, args: [] },
  { name: "weights", kind: "weights", options: {}, args: ["--weights"] },
  { name: "weights-warm", kind: "weights", options: { temperature: 0.7 }, args: ["--weights", "--temperature", "0.7"] },
  { name: "counts", kind: "counts", options: {}, args: ["--weights"] },
  { name: "cdf", kind: "f32", options: { method: "inverse-cdf", draws: 20 }, args: ["--method", "inverse-cdf", "--draws", "20"] },
  { name: "cdf-counts", kind: "counts", options: { method: "inverse-cdf", draws: 20 }, args: ["--weights", "--method", "inverse-cdf", "--draws", "20"] },
  { name: "top-k", kind: "f32", options: { topK: 3 }, args: ["--top-k", "3"] },
  { name: "top-p", kind: "f32", options: { topP: 0.9, draws: 3 }, args: ["--top-p", "0.9", "--draws", "3"] },
  { name: "cuts", kind: "f16", options: { topK: 40, topP: 0.95, minP: 0.002, topPOf: "all", cutTemperature: 2 }, args: ["--top-k", "40", "--top-p", "0.95", "--min-p", "0.002", "--share", "all", "--cut-temperature", "2"] },
  { name: "race", kind: "f32", operation: "race", options: { k: 3 }, args: ["--without-replacement", "3"] },
  { name: "scored", kind: "f32", operation: "sampleScored", options: {}, args: ["--with", "logprob"] },
  { name: "soft", kind: "f32", operation: "soften", options: { tau: 0.5 }, args: ["--tau", "0.5"] },
  { name: "hard", kind: "f32", operation: "soften", options: { tau: 0.5, hard: true, draws: 2 }, args: ["--tau", "0.5", "--straight-through", "--draws", "2"] },
];

/** All cases. */
export function table() {
  return SHAPES.flatMap(([rows, categories]) =>
    CALLS.filter(({ operation }) => operation !== "soften" || rows * categories < 130000).map((call) => ({
      ...call,
      name: `${call.name}-${rows}x${categories}`,
      rows,
      categories,
      options: { seed: SEED, categories, ...call.options },
      args: ["--seed", `${SEED}`, ...call.args],
    })),
  );
}

/** A word of 32 bits for each number, the same everywhere. */
function word(i) {
  let x = Math.imul(i + 1, 0x9e3779b9);
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Roughly normal, with standard deviation 3, and exact in 32 bits. */
function normal(i) {
  const w = word(i);
  const bytes = (w & 255) + ((w >>> 8) & 255) + ((w >>> 16) & 255) + (w >>> 24);
  return Math.fround((bytes - 510) / 49.25);
}

/** The values of a case as a typed array. */
export function valuesOf({ kind, rows, categories }) {
  const length = rows * categories;
  switch (kind) {
    case "f32":
      return Float32Array.from({ length }, (_, i) => normal(i));
    case "f64":
      return Float64Array.from({ length }, (_, i) => normal(i) + word(i + 7) * 2 ** -60 + 1e6);
    case "f16":
      return Uint16Array.from({ length }, (_, i) => (word(i) & 0x8000) | (word(i + 1) % 0x4c00));
    case "weights":
      return Float32Array.from({ length }, (_, i) => (word(i) % 7 === 0 ? 0 : (word(i + 3) >>> 8) * 2 ** -((word(i) % 30) + 1)));
    default:
      return Uint32Array.from({ length }, (_, i) => word(i) >>> word(i + 1) % 32);
  }
}

/** What a sampler makes of a case: words that must be the command's, and floats that must be near. */
export async function made(sampler, entry) {
  const values = valuesOf(entry);
  const rows = { f16: { f16: values }, weights: { weights: values }, counts: { weights: values } }[entry.kind] ?? values;
  const result = await sampler[entry.operation ?? "sample"](rows, entry.options);
  switch (entry.operation) {
    case "race":
      return { words: result.categories };
    case "sampleScored":
      return { words: result.draws, floats: result.logProbs };
    case "soften":
      return entry.options.hard ? { words: new Uint32Array(result.buffer) } : { floats: result };
    default:
      return { words: result };
  }
}

/** Holds a sampler against what the command has written. */
export async function compareTable(sampler, load, { near = 2e-5 } = {}) {
  const report = { cases: 0, words: 0, mismatches: 0, wrong: [], apart: 0 };
  for (const entry of table()) {
    report.cases++;
    try {
      const { words, floats } = await made(sampler, entry);
      let wrong = 0;
      if (words !== undefined) {
        const expected = new Uint32Array(await load(`${entry.name}.draws`));
        report.words += expected.length;
        wrong += Math.abs(words.length - expected.length);
        expected.forEach((word, i) => (wrong += words[i] === word ? 0 : 1));
      }
      if (floats !== undefined) {
        const bytes = await load(`${entry.name}.floats`);
        const expected = entry.operation === "soften" ? new Float32Array(bytes) : new Float64Array(bytes);
        wrong += Math.abs(floats.length - expected.length);
        expected.forEach((x, i) => {
          // samples relative to themselves, log-probabilities as they are
          const apart = Object.is(x, floats[i]) ? 0 : Math.abs(floats[i] - x) / (entry.operation === "soften" ? Math.abs(x) + 1e-31 : 1);
          report.apart = Math.max(report.apart, apart);
          wrong += apart <= near ? 0 : 1;
        });
        report.words += expected.length;
      }
      report.mismatches += wrong;
      if (wrong > 0) report.wrong.push(`${entry.name}: ${wrong} differ`);
    } catch (error) {
      report.mismatches++;
      report.wrong.push(`${entry.name}: ${error.stack ?? error}`);
    }
  }
  return report;
}
