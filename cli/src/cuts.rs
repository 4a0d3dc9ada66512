//! `gumbel cuts`: where the cuts of decoders cut each row.

use std::fmt::Write;

use gumbel::{CpuSampler, Logits, SampleOptions};
use gumbel_io::Kind;

use crate::args::CutsArgs;
use crate::call::{Call, FAR_CHUNK};
use crate::error::Error;
use crate::input::Input;
use crate::output::Output;
use crate::progress::Progress;
use crate::restrict::Restriction;

/// Prints the cut of each row of a file.
pub(crate) fn run(args: &CutsArgs) -> Result<(), Error> {
    let kind = if args.source.weights { Kind::Weights } else { Kind::Logits };
    let mut input = Input::open(&args.source.input, kind)?;
    let categories = input.categories();
    let options = SampleOptions::default().with_temperature(args.temperature);
    let restriction = Restriction::new(&args.restrict, categories)?;
    let sampler = CpuSampler::new();
    // errors of the options come before anything is written
    Logits::strided::<f32>(&[], 0, categories, categories)?;
    let none = input.no_rows()?;
    sampler.cut_rows(input.batch(&none)?, &restriction.of_rows(options, 0, 0)?)?;
    let mut output = match &args.output {
        Some(path) => Output::doubles(path, input.rows(), &[3])?,
        None => Output::stdout(),
    };

    let mut progress = Progress::new(input.rows(), "rows", args.output.is_none());
    progress = progress.hidden_if(args.quiet);
    let call = Call::new(categories, 1, 1, args.chunk.unwrap_or(FAR_CHUNK));
    let rows = input.visit(call.rows, |batch, block| {
        let options = restriction.of_rows(options, block.first_row, block.rows)?;
        let cuts = sampler.cut_rows(batch, &options);
        let cuts = cuts.map_err(|error| Error::in_file(error, block.first_row))?;
        if args.output.is_some() {
            let numbers =
                cuts.iter().flat_map(|cut| [cut.threshold, f64::from(cut.kept), cut.share]);
            output.write_doubles(&numbers.collect::<Vec<f64>>())?;
        } else {
            let mut text = String::new();
            for cut in &cuts {
                // writing to a String does not fail
                let _ = writeln!(text, "{:?} {} {:?}", cut.threshold, cut.kept, cut.share);
            }
            output.write_text(&text)?;
        }
        progress.add(block.rows as u64);
        Ok(())
    })?;
    drop(progress);
    output.finish(rows)?;
    Ok(())
}
