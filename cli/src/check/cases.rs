//! The cases and the reference's results as files, by which implementations that are not of Rust are checked.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use gumbel::conformance::Case;
use gumbel::{RowIds, SampleOptions, Share, Truncation, ValueFormat, reference};
use serde_json::{Value, json};

use crate::error::Error;

/// The most work of a case that is written: logits, counted once for each draw.
const MOST_DRAWN: usize = 20_000;
/// The most work of a case with soft samples.
const MOST_SOFTENED: usize = 1000;
/// The number of categories of each race.
const K: usize = 3;
/// The tau of soft samples.
const TAU: f32 = 0.5;

/// Writes `shaders.json`, `cases.json`, which describes the cases, and `cases.bin`, in which their numbers are: little-endian, each array
/// at a multiple of 8 bytes that `cases.json` names.
///
/// Rows follow each other without a gap, wherever they are in the case's own memory. Left out are cases of too many logits,
/// and those whose values do not lie side by side.
pub(super) fn write(cases: impl Iterator<Item = Case>, folder: &Path) -> Result<(), Error> {
    let failed = |path: &Path| {
        let name = path.display().to_string();
        move |source| Error::Write { name, source }
    };
    let (index, data) = (folder.join("cases.json"), folder.join("cases.bin"));
    std::fs::create_dir_all(folder).map_err(failed(folder))?;
    let file = File::create(&data).map_err(failed(&data))?;
    let mut numbers = Numbers { out: BufWriter::new(file), at: 0 };
    let mut described = Vec::new();
    // the form of the files has no bias and no history
    let has_these = |case: &Case| {
        let options = case.options();
        options.bias.is_none() && options.history.is_none()
    };
    for case in cases.filter(|case| case.work() <= MOST_DRAWN && has_these(case)) {
        if let Some(description) = numbers.describe(&case)? {
            described.push(description.map_err(failed(&data))?);
        }
    }
    numbers.out.flush().map_err(failed(&data))?;
    std::fs::write(&index, Value::from(described).to_string()).map_err(failed(&index))?;
    let shaders = folder.join("shaders.json");
    std::fs::write(&shaders, super::shaders::all().to_string()).map_err(failed(&shaders))
}

/// The file of numbers.
struct Numbers {
    out: BufWriter<File>,
    at: u64,
}

impl Numbers {
    /// Writes the numbers of a case. `None` if the values of its rows do not lie side by side.
    fn describe(&mut self, case: &Case) -> Result<Option<std::io::Result<Value>>, Error> {
        let batch = case.batch();
        let rows: Option<Vec<_>> = (0..batch.rows()).map(|row| batch.bytes_of_row(row)).collect();
        let Some(rows) = rows else { return Ok(None) };
        let race = case.expected_race(K)?;
        let soft = case.logits().filter(|_| case.work() <= MOST_SOFTENED);
        let soft = soft
            .map(|logits| {
                let (options, soft) = (case.warm_options(), gumbel::Relaxation::soft(TAU));
                let samples = reference::soften_rows(logits, &options, soft)?;
                let cotangents = case.cotangents();
                let gradients = reference::soften_rows_vjp(logits, &options, soft, &cotangents)?;
                Ok::<_, Error>((samples, cotangents, gradients))
            })
            .transpose()?;
        let (draws, inverse_cdf) = (case.expected(), case.expected_inverse_cdf()?);
        let logsumexps = case.expected_logsumexp()?;
        let written = (|| {
            let soft = match soft {
                None => Value::Null,
                Some((samples, cotangents, gradients)) => json!({
                    "tau": TAU,
                    "samples": self.f64s(samples.into_iter())?,
                    "cotangents": self.put(cotangents.iter().flat_map(|x| x.to_le_bytes()))?,
                    "gradients": self.f64s(gradients.into_iter())?,
                }),
            };
            Ok(json!({
                "name": case.to_string(),
                "format": format(batch.format()),
                "categories": batch.categories(),
                "rows": batch.rows(),
                "values": self.put(rows.into_iter().flatten().copied())?,
                "options": self.options(&case.options())?,
                "warm": self.options(&case.warm_options())?,
                "draws": self.put(draws.into_iter().flat_map(u32::to_le_bytes))?,
                "inverseCdf": self.put(inverse_cdf.into_iter().flat_map(u32::to_le_bytes))?,
                "race": {
                    "k": K,
                    "categories": self.put(race.categories().iter().flat_map(|x| x.to_le_bytes()))?,
                    "perturbedLogits": self.f64s(race.perturbed_logits())?,
                },
                "logsumexps": self.f64s(logsumexps.into_iter())?,
                "soft": soft,
            }))
        })();
        Ok(Some(written))
    }

    /// The options that are not the defaults; numbers of 64 bits are strings.
    fn options(&mut self, options: &SampleOptions<'_>) -> std::io::Result<Value> {
        let strings = |ids: &[u64]| ids.iter().map(u64::to_string).collect::<Vec<_>>();
        let (first_row, row_ids) = match options.row_ids {
            RowIds::Consecutive(first) => (first, None),
            RowIds::Each(ids) => (0, Some(strings(ids))),
        };
        let allowed = match options.allowed {
            None => Value::Null,
            Some(allowed) => json!({
                "words": allowed.words(),
                "wordsPerRow": allowed.words_per_row(),
            }),
        };
        Ok(json!({
            "seed": options.seed.to_string(),
            "seeds": options.seeds.map(strings),
            "firstRow": first_row.to_string(),
            "rowIds": row_ids,
            "firstDraw": options.first_draw,
            "firstDraws": options.first_draws,
            "draws": options.draws,
            "temperature": f64::from(options.temperature),
            "temperatures": options.temperatures,
            "rowIndices": options.row_indices,
            "truncation": truncation(&options.truncation),
            "truncations": options.truncations.map(|all| all.iter().map(truncation).collect::<Vec<_>>()),
            "allowed": allowed,
        }))
    }

    fn f64s(&mut self, numbers: impl Iterator<Item = f64>) -> std::io::Result<Value> {
        self.put(numbers.flat_map(f64::to_le_bytes))
    }

    /// Writes bytes, and returns where they are and how many.
    fn put(&mut self, bytes: impl Iterator<Item = u8>) -> std::io::Result<Value> {
        let bytes: Vec<u8> = bytes.collect();
        let at = self.at;
        self.out.write_all(&bytes)?;
        let padding = bytes.len().next_multiple_of(8) - bytes.len();
        self.out.write_all(&[0; 7][..padding])?;
        self.at += (bytes.len() + padding) as u64;
        Ok(json!([at, bytes.len()]))
    }
}

fn format(format: ValueFormat) -> &'static str {
    match format {
        ValueFormat::F32 => "f32",
        ValueFormat::F64 => "f64",
        ValueFormat::F16 => "f16",
        ValueFormat::Bf16 => "bf16",
        ValueFormat::Weights => "weights",
        ValueFormat::WeightsF64 => "weights-f64",
        _ => "counts",
    }
}

fn truncation(cuts: &Truncation) -> Value {
    let of = match cuts.share {
        Share::All => "all",
        Share::Rest => "rest",
        _ => "top-k",
    };
    json!({
        "topK": cuts.top_k,
        "topP": cuts.top_p,
        "minP": cuts.min_p,
        "epsilon": cuts.epsilon,
        "cutTemperature": cuts.at_temperature,
        "topPOf": of,
    })
}
