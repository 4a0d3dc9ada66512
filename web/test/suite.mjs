// The conformance cases on an engine: in Node, in a page, in a worker.

/** Numbers of a case, from the file in which they are. */
function reader(data) {
  return (Type, [at, bytes]) => new Type(data, at, bytes / Type.BYTES_PER_ELEMENT);
}

function rowsOf(entry, read) {
  switch (entry.format) {
    case "f32":
      return read(Float32Array, entry.values);
    case "f64":
      return read(Float64Array, entry.values);
    case "f16":
    case "bf16":
      return { [entry.format]: read(Uint16Array, entry.values) };
    case "weights":
      return { weights: read(Float32Array, entry.values) };
    case "weights-f64":
      return { weights: read(Float64Array, entry.values) };
    default:
      return { weights: read(Uint32Array, entry.values) };
  }
}

function optionsOf(entry, given) {
  const options = { categories: entry.categories, invalid: "mark", draws: given.draws };
  options.seed = given.seeds ? BigUint64Array.from(given.seeds, BigInt) : BigInt(given.seed);
  // the crate adds the number of all rows to that of each
  options.firstDraw = given.firstDraws ? Uint32Array.from(given.firstDraws, (first) => first + given.firstDraw) : given.firstDraw;
  options.temperature = given.temperatures ?? given.temperature;
  options.firstRow = BigInt(given.firstRow);
  if (given.rowIds) options.rowIds = BigUint64Array.from(given.rowIds, BigInt);
  if (given.rowIndices) options.rowIndices = Uint32Array.from(given.rowIndices);
  const cuts = given.truncations ?? [given.truncation];
  // what a row does not cut, in numbers
  const none = { topK: 4294967295, topP: 1, minP: 0, epsilon: 0 };
  for (const cut of ["topK", "topP", "minP", "epsilon"]) {
    if (given.truncations) options[cut] = cuts.map((row) => row[cut] ?? none[cut]);
    else if (cuts[0][cut] !== null) options[cut] = cuts[0][cut];
  }
  const [{ topPOf, cutTemperature }] = cuts.length > 0 ? cuts : [{ topPOf: "top-k", cutTemperature: null }];
  // the package has these two for all rows
  if (cuts.some((row) => row.topPOf !== topPOf || row.cutTemperature !== cutTemperature)) return undefined;
  options.topPOf = topPOf;
  if (cutTemperature !== null) options.cutTemperature = cutTemperature;
  if (given.allowed) options.allowed = masksOf(given.allowed, entry.categories);
  return options;
}

/** Masks as the package has them, one for all rows or the fewest words for each. */
function masksOf({ words, wordsPerRow }, categories) {
  const needed = Math.ceil(categories / 32);
  if (wordsPerRow === null) return Uint32Array.from(words.slice(0, needed));
  return Uint32Array.from(words.filter((_, i) => i % wordsPerRow < needed));
}

/** How many numbers differ; another length is a difference of all. */
export function differences(found, expected) {
  if (found.length !== expected.length) return Math.max(found.length, expected.length);
  let count = 0;
  for (let i = 0; i < found.length; i++) if (!Object.is(found[i], expected[i])) count++;
  return count;
}

/** The largest of the errors that a function gives for pairs of numbers; infinite for another length. */
function largest(found, expected, error) {
  if (found.length !== expected.length) return Infinity;
  let most = 0;
  for (let i = 0; i < found.length; i++) {
    const here = error(found[i], expected[i], i);
    most = Number.isNaN(here) ? Infinity : Math.max(most, here);
  }
  return most;
}

/** The difference of a float from what it should be, as a fraction of `of`. */
function share(found, expected, of) {
  if (Object.is(found, Math.fround(expected)) || found === Math.fround(expected)) return 0;
  // less the rounding of a subnormal float
  const apart = Math.abs(found - expected) - 2e-45;
  return apart < 0 ? 0 : apart / of;
}

/** What the engines promise of floats: sums, absolute and relative, and soft samples and gradients, relative (`SumTolerance` and `SoftErrors` of the crate). */
export const PROMISES = {
  cpu: { absolute: 5e-6, relative: 6e-8, soft: 1e-6 },
  gpu: { absolute: 2e-5, relative: 4e-7, soft: 2e-5 },
};

/** So that the errors of the smallest samples are relative to this number. */
const FLOOR = 1e-31;

/** The gradients of all rows, as they would be if nothing cancelled. */
function uncancelled(samples, cotangents, { categories }, { draws, temperature, temperatures }, tau) {
  const rows = samples.length / (draws * categories);
  const whole = new Float64Array(rows * categories);
  for (let race = 0; race < rows * draws; race++) {
    const row = Math.floor(race / draws);
    const slope = 1 / ((temperatures?.[row] ?? temperature) * tau);
    let mean = 0;
    for (let i = race * categories; i < (race + 1) * categories; i++) mean += samples[i] * Math.abs(cotangents[i]);
    for (let i = 0; i < categories; i++) {
      const at = race * categories + i;
      whole[row * categories + i] += slope * (samples[at] + FLOOR) * (Math.abs(cotangents[at]) + mean);
    }
  }
  return whole;
}

/**
 * Runs all operations of the cases on a sampler. Returns how many words were compared, and how many differ.
 *
 * @param most the most logits of a case
 */
export async function conformance(sampler, index, data, { most = Infinity, operations = true, promise = PROMISES.cpu } = {}) {
  const read = reader(data);
  const report = { cases: 0, left: [], words: 0, mismatches: 0, wrong: [], sums: 0, samples: 0, gradients: 0 };
  for (const entry of index) {
    const rows = (entry.options.rowIndices ?? { length: entry.rows }).length;
    if (rows * entry.categories * entry.options.draws > most) continue;
    const [options, warm] = [entry.options, entry.warm].map((given) => optionsOf(entry, given));
    if (options === undefined) {
      report.left.push(entry.name);
      continue;
    }
    report.cases++;
    const compare = (what, found, expected) => {
      const wrong = differences(found, expected);
      report.words += expected.length;
      report.mismatches += wrong;
      if (wrong > 0) report.wrong.push(`${entry.name}: ${wrong} of ${expected.length} ${what} differ`);
    };
    try {
      const values = rowsOf(entry, read);
      compare("draws", await sampler.sample(values, options), read(Uint32Array, entry.draws));
      if (!operations) continue;
      compare("draws by inverse CDF", await sampler.sample(values, { ...options, method: "inverse-cdf" }), read(Uint32Array, entry.inverseCdf));
      const race = await sampler.race(values, { ...warm, k: entry.race.k });
      compare("places", race.categories, read(Uint32Array, entry.race.categories));
      compare("perturbed logits", race.perturbedLogits, read(Float64Array, entry.race.perturbedLogits));
      const { seed, draws, firstDraw, ...still } = warm;
      const sums = await sampler.logsumexp(values, still);
      const near = (a, b) => (Object.is(a, b) ? 0 : Math.abs(a - b) / (promise.absolute + promise.relative * Math.abs(b)));
      report.sums = Math.max(report.sums, largest(sums, read(Float64Array, entry.logsumexps), near));
      if (entry.soft) {
        const softly = { ...warm, tau: entry.soft.tau };
        const samples = await sampler.soften(values, softly);
        const [expected, cotangents] = [read(Float64Array, entry.soft.samples), read(Float32Array, entry.soft.cotangents)];
        const apart = largest(samples, expected, (a, b) => share(a, b, Math.abs(b) + FLOOR));
        report.samples = Math.max(report.samples, apart / promise.soft);
        const gradients = await sampler.softenVjp(values, cotangents, softly);
        const whole = uncancelled(expected, cotangents, entry, entry.warm, entry.soft.tau);
        const away = largest(gradients, read(Float64Array, entry.soft.gradients), (a, b, i) => share(a, b, whole[i]));
        report.gradients = Math.max(report.gradients, away / promise.soft);
        report.words += samples.length + gradients.length;
      }
    } catch (error) {
      report.mismatches++;
      report.wrong.push(`${entry.name}: ${error.stack ?? error}`);
    }
  }
  return report;
}
