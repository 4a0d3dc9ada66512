//! Rows whose categories are split: what shards tell makes the draws of the whole rows.

use gumbel::{
    CpuSampler, Logits, NO_DRAW, SampleOptions, Sampler, Shard, ShardDraws, Share, Truncation,
    Weights,
};

use crate::common::shards::{Part, agree, normal};

#[test]
fn shards_make_the_draws_of_whole_rows() {
    let cpu = CpuSampler::new();
    agree(&cpu, &cpu, &[(20, 7), (12, 203), (3, 5000)]).unwrap();
}

/// Engines of two types tell, the second of them without the filter.
#[test]
fn shards_of_two_engines_make_the_draws_of_whole_rows() {
    let either: Sampler = CpuSampler::new().into();
    agree(&either, &CpuSampler::new().with_filter(false), &[(9, 61)]).unwrap();
}

/// The comparison above sees a shard that is left out, in the first round or in the second.
#[test]
fn a_missing_shard_is_seen() {
    let (rows, categories) = (50, 20);
    let data: Vec<f32> = (0..rows * categories).map(normal).collect();
    let options = SampleOptions::default().with_truncation(Truncation::new().with_top_p(0.5));
    let sampler = CpuSampler::new();
    let expected = sampler.sample_rows(Logits::new(&data, categories).unwrap(), &options).unwrap();
    let [a, b] = [0..8, 8..20].map(|shard| Part::new(&data, categories, shard, false));
    let tell = |part: &Part| sampler.sample_shard(part.batch(), part.shard, &options).unwrap();
    let sum = |part: &Part, draws: &ShardDraws| {
        sampler.sum_shard(part.batch(), part.shard, &options, draws).unwrap()
    };
    let missing = "results of shards: the shard with category 8 of 20 was not merged";
    let one = tell(&a);
    assert_eq!(one.draws(None).unwrap_err().to_string(), missing);
    let early = sampler.sum_shard(a.batch(), a.shard, &options, &one);
    assert_eq!(early.unwrap_err().to_string(), missing);
    let mut both = one.clone();
    let twice = both.merge(&one).unwrap_err().to_string();
    assert_eq!(twice, "results of shards: categories 0 to 7 were merged twice");
    both.merge(&tell(&b)).unwrap();
    let needed = both.draws(None).unwrap_err().to_string();
    assert_eq!(
        needed,
        "results of shards: rows cut by top-p or epsilon need the sums of sum_shard"
    );
    let mut sums = sum(&a, &both);
    assert_eq!(both.draws(Some(&sums)).unwrap_err().to_string(), missing);
    assert!(sums.clone().merge(&sums).is_err());
    sums.merge(&sum(&b, &both)).unwrap();
    assert_eq!(both.draws(Some(&sums)).unwrap(), expected);
    // the first shard alone would draw otherwise
    let whole = Logits::strided(&data, rows, 8, categories).unwrap();
    assert_ne!(sampler.sample_rows(whole, &options).unwrap(), expected);
}

#[test]
fn errors() {
    let sampler = CpuSampler::new();
    let options = SampleOptions::default();
    let beyond = Shard::new(6, 6).unwrap_err().to_string();
    assert_eq!(beyond, "a shard of 1 categories from number 6 on is not within rows of 6");
    let shard = Shard::new(3, 6).unwrap();
    let data = [0.0, f32::NAN, 1.0, 2.0, f32::NEG_INFINITY, 1.0];
    let of = |data: &[f32], options: &SampleOptions<'_>| {
        sampler.sample_shard(Logits::new(data, data.len()).unwrap(), shard, options)
    };
    let long = of(&data[..4], &options).unwrap_err().to_string();
    assert_eq!(long, "a shard of 4 categories from number 3 on is not within rows of 6");
    let draws = of(&data[3..], &options.with_draws(2)).unwrap_err().to_string();
    assert_eq!(draws, "a shard: a row is drawn from once, got 2 draws");
    let gathered = of(&data[3..], &options.with_row_indices(&[0])).unwrap_err().to_string();
    assert_eq!(gathered, "a shard: its rows cannot be gathered");
    let rest = Truncation::new().with_top_p(0.5).with_epsilon(0.1).with_share(Share::Rest);
    let rest = of(&data[3..], &options.with_truncation(rest)).unwrap_err().to_string();
    assert!(rest.starts_with("a shard: top-p of row 0 is a share of what epsilon keeps"), "{rest}");
    let weights = Weights::new(&[1.0; 3], 3).unwrap();
    let weights = sampler.sample_shard(weights, shard, &options).unwrap_err().to_string();
    assert!(weights.starts_with("a shard is of logits"), "{weights}");
    let doubles = Logits::from_f64(&[1.0; 3], 3).unwrap();
    let doubles = sampler.sample_shard(doubles, shard, &options).unwrap_err().to_string();
    assert!(doubles.starts_with("results of shards: logits of f64 are relative"), "{doubles}");

    // a NaN in a shard leaves the whole row without a draw, and so does nothing to draw in all shards
    let first = Shard::new(0, 6).unwrap();
    let valid = of(&data[3..], &options).unwrap();
    let begin = |data: &[f32], options: &SampleOptions<'_>| {
        sampler.sample_shard(Logits::new(data, 3).unwrap(), first, options).unwrap()
    };
    let mut invalid = begin(&data[..3], &options);
    invalid.merge(&valid).unwrap();
    let nan = invalid.draws(None).unwrap_err().to_string();
    assert_eq!(
        nan,
        "row 0 has no draw: none of its shards can be drawn from, or one has a NaN or +inf"
    );
    let (never, sentinels) = ([f32::NEG_INFINITY; 3], options.with_sentinels(true));
    let mut nothing = begin(&never, &sentinels);
    nothing.merge(&of(&never, &sentinels).unwrap()).unwrap();
    assert_eq!(nothing.draws(None).unwrap(), [NO_DRAW]);

    // results that do not belong together
    let p = options.with_truncation(Truncation::new().with_top_p(0.5));
    let mut cut = begin(&[0.0; 3], &p);
    let refused = |cut: &mut ShardDraws, other: &ShardDraws| {
        let before = cut.clone();
        let error = cut.merge(other).unwrap_err().to_string();
        assert_eq!(*cut, before, "{error}");
        error
    };
    assert_eq!(refused(&mut cut, &valid), "results of shards: row 0 has two truncations");
    let sentinels = of(&data[3..], &p.with_sentinels(true)).unwrap();
    let differ = "results of shards: some were asked for sentinels, and some not";
    assert_eq!(refused(&mut cut, &sentinels), differ);
    let two = sampler.sample_shard(Logits::new(&[0.0; 6], 3).unwrap(), shard, &p).unwrap();
    assert_eq!(refused(&mut cut, &two), "results of shards: 1 rows, and 2");
    let larger = Shard::new(3, 7).unwrap();
    let larger = sampler.sample_shard(Logits::new(&[0.0; 3], 3).unwrap(), larger, &p).unwrap();
    assert_eq!(refused(&mut cut, &larger), "results of shards: rows of 6 categories, and of 7");
    assert!(sampler.sum_shard(Logits::new(&[0.0; 3], 3).unwrap(), shard, &p, &two).is_err());
    // a top-k that cuts nothing is no top-k, and takes no room
    let much = options.with_truncation(Truncation::new().with_top_k(6));
    assert_eq!(of(&data[3..], &much).unwrap(), valid);
}

/// A shard whose values do not lie side by side.
#[test]
fn columns_are_split_too() {
    let (rows, categories) = (9, 30);
    let data: Vec<f32> = (0..rows * categories).map(normal).collect();
    let columns: Vec<f32> =
        (0..categories).flat_map(|i| data.iter().skip(i).step_by(categories).copied()).collect();
    let sampler = CpuSampler::new();
    let options = SampleOptions::default().with_seed(9);
    let of = |first: usize, end: usize| {
        let part = &columns[first * rows..end * rows];
        let logits = Logits::with_strides(part, rows, end - first, 1, rows).unwrap();
        sampler.sample_shard(logits, Shard::new(first, categories).unwrap(), &options).unwrap()
    };
    let mut draws = of(11, 30);
    draws.merge(&of(0, 11)).unwrap();
    let whole = sampler.sample_rows(Logits::new(&data, categories).unwrap(), &options).unwrap();
    assert_eq!(draws.draws(None).unwrap(), whole);
}
