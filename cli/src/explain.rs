//! `gumbel explain`: a picture of one row, of its draws and of one of its races.

use std::path::Path;

use gumbel::noise::order::FAR;
use gumbel::{CpuSampler, Logits, NO_DRAW, SampleOptions, reference};
use gumbel_io::Kind;

use crate::args::ExplainArgs;
use crate::call::{Call, FAR_CHUNK};
use crate::error::Error;
use crate::input::{Input, numbers};
use crate::output::Output;
use crate::picture::{Category, Kept, Picture};
use crate::restrict::Restriction;
use crate::{engine, one_line};

mod rules;

pub(crate) use rules::Rule;

/// The most categories of a row that is shown in full.
const MOST: usize = 100;
/// The number of categories that are shown of a longer row: the most probable ones.
const SHOWN: usize = 60;

/// Draws the picture of a row.
pub(crate) fn run(args: &ExplainArgs) -> Result<(), Error> {
    engine::check(&args.place)?;
    if args.output.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png")) {
        let what = "the picture is an SVG, which --output OUT.svg says; it cannot be a PNG";
        return Err(Error::Usage(what.to_owned()));
    }
    let kind = if args.source.weights { Kind::Weights } else { Kind::Logits };
    let mut input = Input::open(&args.source.input, kind)?;
    let categories = input.categories();
    // the library refuses a bad number of categories, and words the error
    Logits::strided::<f32>(&[], 0, categories, categories)?;
    let too_few = |rows: u64| {
        Error::Usage(format!("--row {} of {rows} rows, which are numbered from 0", args.row))
    };
    if let Some(rows) = input.rows().filter(|&rows| args.row >= rows) {
        return Err(too_few(rows));
    }
    let labels = match &args.labels {
        Some(path) => labels_of(path, categories)?,
        None => (0..categories).map(|category| category.to_string()).collect(),
    };
    let options = SampleOptions::default()
        .with_seed(args.noise.seed.value)
        .with_first_row(args.row)
        .with_temperature(args.noise.temperature);
    let restriction = Restriction::new(&args.restrict, categories)?;
    // an error of the options comes before rows are skipped and before anything is written
    let none = input.no_rows()?;
    CpuSampler::new()
        .logsumexp_rows(input.batch(&none)?, &restriction.of_rows(options, args.row, 0)?)?;
    let mut output = Output::open(&args.output)?;
    let block = input.row(args.row)?.map_err(too_few)?;
    let values = Some((categories as u64).saturating_mul(args.draws.into()));
    let sampler = engine::open(&args.place, values)?;

    let batch = input.batch(&block)?;
    let options = restriction.of_rows(options, args.row, 1)?;
    let in_file = |error| Error::in_file(error, args.row);
    // the reference races all categories, so their perturbed logits show the noise of each
    let race = reference::race_rows(batch, &options, categories).map_err(in_file)?;
    let mut maxima = vec![f64::NEG_INFINITY; categories];
    for (&category, maximum) in race.categories().iter().zip(race.perturbed_logits()) {
        if category != NO_DRAW {
            maxima[category as usize] = maximum;
        }
    }
    let mut counts = vec![0u64; categories];
    let call = Call::new(categories, args.draws, 1, FAR_CHUNK);
    let mut draw = 0;
    while draw < args.draws {
        let count = call.draws.min(args.draws - draw);
        let options = options.with_first_draw(draw).with_draws(count);
        for draw in sampler.sample_rows(batch, &options).map_err(in_file)? {
            counts[draw as usize] += 1;
        }
        draw += count;
    }

    let row = numbers(&block);
    let never = if args.source.weights { 0.0 } else { f64::NEG_INFINITY };
    let (cut, rules) = rules::of_row(batch, &options, &row, never).map_err(in_file)?;
    let temperature = args.noise.temperature;
    // the draw, too, multiplies by 1/temperature in f32
    let inverse = f64::from(temperature.recip());
    let ln = |value: f64| if args.source.weights { value.ln() } else { value };
    let scaled = |value: f64| ln(value) * inverse;
    let whole: Vec<f64> = row.iter().map(|&value| scaled(value)).collect();
    let left = whole.iter().zip(&rules).map(|(&logit, rule)| match rule {
        None => logit,
        Some(_) => f64::NEG_INFINITY,
    });
    let left: Vec<f64> = left.collect();
    // relative to the largest: a logit of 1e30 may differ from the largest, but log Z, rounded,
    // hides the difference
    let shares = |logits: &[f64]| {
        // what is not allowed may be NaN or infinite
        let finite = || logits.iter().copied().filter(|logit| *logit < f64::INFINITY);
        let most = finite().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = finite().map(|logit| (logit - most).exp()).sum();
        (most, sum)
    };
    let ((most, sum), (most_of_all, sum_of_all)) = (shares(&left), shares(&whole));
    let probability = |logit: f64, most: f64, sum: f64| match logit < f64::INFINITY {
        true => (logit - most).exp() / sum,
        false => 0.0,
    };
    let winner = race.categories()[0];
    let all = (0u32..).zip(labels).zip(counts).map(|((category, label), count)| {
        let i = category as usize;
        let logit = left[i];
        Category {
            label,
            probability: probability(logit, most, sum),
            uncut: probability(whole[i], most_of_all, sum_of_all),
            rule: rules[i],
            count,
            logit,
            cut_logit: if rules[i].is_some() { whole[i] } else { f64::NEG_INFINITY },
            // beyond, neighbouring `f32` are further apart than the noise is wide, and noise changes nothing
            maximum: if logit.abs() < FAR { maxima[i] } else { logit },
            wins: category == winner,
        }
    });
    let name = one_line(&args.source.input.input.display().to_string());
    let name = if name == "-" { "standard input".to_owned() } else { name };
    let heat = if temperature == 1.0 { String::new() } else { format!(", T = {temperature}") };
    let title = format!("Row {} of {name}, seed {}{heat}", args.row, args.noise.seed.value);
    let picture = Picture {
        title,
        draws: args.draws,
        log_z: most + sum.ln(),
        kept: (!args.restrict.is_none()).then(|| Kept {
            cut,
            categories,
            threshold: scaled(cut.threshold),
            value: if args.source.weights { "weight" } else { "logit" },
        }),
        rest: categories > MOST,
        categories: shown(all.collect()),
    };
    output.write_text(&picture.svg().map_err(|what| Error::Usage(one_line(&what)))?)?;
    output.finish(0)?;
    args.noise.seed.tell();
    engine::tell(&sampler, &args.place, values, false);
    Ok(())
}

/// Reads the names of the categories from a file, a line each.
fn labels_of(path: &Path, categories: usize) -> Result<Vec<String>, Error> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|source| Error::Read { name: name.clone(), source })?;
    let labels: Vec<String> = text.lines().map(str::to_owned).collect();
    if labels.len() != categories {
        return Err(Error::Labels { name, got: labels.len(), categories });
    }
    Ok(labels)
}

/// Returns all categories, or the most probable ones and one category that stands for the others.
///
/// That category is no approximation: it is drawn when one of the others is, its probability is the
/// sum of theirs, and the largest of their perturbed logits has the distribution of one logit, the
/// logsumexp of theirs, plus Gumbel noise.
fn shown(mut categories: Vec<Category>) -> Vec<Category> {
    if categories.len() <= MOST {
        return categories;
    }
    categories.sort_by(|a, b| {
        let most_probable = b.probability.total_cmp(&a.probability);
        // of what is cut, too, the most probable
        most_probable.then(b.uncut.total_cmp(&a.uncut))
    });
    let rest = categories.split_off(SHOWN);
    let logits: Vec<f64> = rest.iter().map(|category| category.logit).collect();
    categories.push(Category {
        label: "rest".to_owned(),
        probability: rest.iter().map(|category| category.probability).sum(),
        uncut: rest.iter().map(|category| category.uncut).sum(),
        // one rule, if it is that of all
        rule: rest[0].rule.filter(|rule| rest.iter().all(|c| c.rule == Some(*rule))),
        count: rest.iter().map(|category| category.count).sum(),
        logit: logsumexp(&logits),
        cut_logit: f64::NEG_INFINITY,
        maximum: rest.iter().map(|category| category.maximum).fold(f64::NEG_INFINITY, f64::max),
        wins: rest.iter().any(|category| category.wins),
    });
    categories
}

/// Returns ln Σ exp(x); −∞ for no values.
fn logsumexp(values: &[f64]) -> f64 {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return most;
    }
    most + values.iter().map(|x| (x - most).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_the_rest() {
        let category = |i: u32| Category {
            label: i.to_string(),
            probability: f64::from(i) / 7626.0,
            uncut: f64::from(i) / 7626.0,
            rule: None,
            cut_logit: f64::NEG_INFINITY,
            count: u64::from(i),
            logit: f64::from(i).ln(),
            maximum: f64::from(i % 50),
            wins: i == 7,
        };
        let few: Vec<_> = (1..=100).map(category).collect();
        assert_eq!(shown(few).len(), 100);
        let many = shown((1..124).map(category).collect());
        assert_eq!(many.len(), SHOWN + 1);
        assert_eq!(many[0].label, "123");
        let rest = &many[SHOWN];
        // the winner is one of the categories 1 to 63
        assert!(rest.wins);
        assert_eq!((rest.label.as_str(), rest.count, rest.maximum), ("rest", 2016, 49.0));
        assert!((rest.logit - 2016f64.ln()).abs() < 1e-12);
        assert!((many.iter().map(|c| c.probability).sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
