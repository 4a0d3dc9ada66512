//! Rows whose categories are split: what shards tell makes the draws of the whole rows.

#![expect(clippy::unwrap_used, reason = "the calls of this file are valid")]

use gumbel::half::bf16;
use gumbel::noise::philox::philox4x32_10;
use gumbel::{
    Allowed, Batch, Bias, CpuSampler, Logits, NO_DRAW, SampleOptions, Shard, ShardDraws, ShardSums,
    Share, Truncation, Weights,
};

/// Where shards begin, and where the last ends: 2, 3 or 7 of uneven sizes.
fn ends(shards: usize, categories: usize) -> Vec<usize> {
    let weights = [1, 5, 2, 9, 3, 1, 4];
    let total: usize = weights[..shards].iter().sum();
    let mut ends: Vec<usize> =
        (0..=shards).map(|i| weights[..i].iter().sum::<usize>() * categories / total).collect();
    // no shard is empty
    for i in 1..shards {
        ends[i] = ends[i].max(ends[i - 1] + 1);
    }
    ends
}

/// The logits of a shard.
fn part(data: &[f32], categories: usize, shard: std::ops::Range<usize>) -> Vec<f32> {
    data.chunks(categories).flat_map(|row| &row[shard.clone()]).copied().collect()
}

/// The draws of rows that are split, by results that are merged in some order.
fn split(
    data: &[f32],
    categories: usize,
    options: &SampleOptions<'_>,
    shards: usize,
    halves: bool,
) -> Result<Vec<u32>, gumbel::Error> {
    let sampler = CpuSampler::new();
    let ends = ends(shards, categories);
    let parts: Vec<(Shard, Vec<f32>, Vec<bf16>)> = ends
        .windows(2)
        .map(|ends| {
            let part = part(data, categories, ends[0]..ends[1]);
            let halves = part.iter().map(|&x| bf16::from_f32(x)).collect();
            (Shard::new(ends[0], categories).unwrap(), part, halves)
        })
        .collect();
    fn batch<'a>(
        (_, singles, upper): &'a (Shard, Vec<f32>, Vec<bf16>),
        len: usize,
        halves: bool,
    ) -> Batch<'a> {
        match halves {
            true => Logits::from_bf16(upper, len).unwrap().into(),
            false => Logits::new(singles, len).unwrap().into(),
        }
    }
    let lens: Vec<usize> = ends.windows(2).map(|ends| ends[1] - ends[0]).collect();
    let told: Vec<ShardDraws> = parts
        .iter()
        .zip(&lens)
        .map(|(part, &len)| sampler.sample_shard(batch(part, len, halves), part.0, options))
        .collect::<Result<_, _>>()?;
    // one after the other, and in a tree from the end
    let mut draws = told[0].clone();
    told[1..].iter().for_each(|told| draws.merge(told).unwrap());
    let mut level = told;
    while level.len() > 1 {
        let last = level.pop().unwrap();
        let at = level.len() / 2;
        level[at].merge(&last).unwrap();
    }
    assert_eq!(level[0], draws);
    let mut sums: Vec<ShardSums> = parts
        .iter()
        .zip(&lens)
        .map(|(part, &len)| sampler.sum_shard(batch(part, len, halves), part.0, options, &draws))
        .collect::<Result<_, _>>()?;
    let mut all = sums.pop().unwrap();
    sums.iter().for_each(|sums| all.merge(sums).unwrap());
    draws.draws(draws.need_sums().then_some(&all))
}

/// Words that are as good as random.
fn word(i: usize) -> u32 {
    philox4x32_10([i as u32, 0, 0, 0], [3, 1])[0]
}

fn normal(i: usize) -> f32 {
    let bytes: u32 = word(i).to_le_bytes().iter().map(|&byte| u32::from(byte)).sum();
    (bytes as f32 - 510.0) * (3.0 / 147.8)
}

type Fill = fn(usize) -> f32;

/// Random rows, rows with ties, and rows that make the most of what shards tell.
const ROWS: [(&str, Fill); 5] = [
    ("normal", normal),
    ("ties", |i| (word(i) % 5) as f32),
    ("equal", |_| 0.25),
    ("falling", |i| -(i as f32) / 100.0),
    ("some never", |i| if word(i).is_multiple_of(3) { normal(i) } else { f32::NEG_INFINITY }),
];

#[test]
fn shards_make_the_draws_of_whole_rows() {
    let new = Truncation::new;
    let all = new().with_top_k(40).with_top_p(0.9).with_min_p(0.01).with_epsilon(1e-4);
    for (rows, categories) in [(20, 7usize), (12, 203), (3, 5000)] {
        let ids: Vec<u64> = (0..rows as u64).map(|row| row * row + 7).collect();
        let temperatures: Vec<f32> = (0..rows).map(|row| [1.0, 0.5, 2.0][row % 3]).collect();
        let truncations: Vec<Truncation> =
            (0..rows).map(|row| [new(), all, new().with_top_p(0.5)][row % 3]).collect();
        let words = categories.div_ceil(32);
        let mask: Vec<u32> = (0..rows * words).map(|i| word(i) | 0x10).collect();
        let (favoured, values) = ([1, 5, 6], [3.0, f32::NEG_INFINITY, -1.0]);
        let plain = SampleOptions::default().with_seed(5).with_row_ids(&ids);
        let options = [
            plain,
            plain.with_truncation(new().with_top_k(3)),
            plain.with_truncation(new().with_min_p(0.1)),
            plain.with_truncation(new().with_top_p(0.8)),
            plain.with_truncation(new().with_top_p(0.1).with_at_temperature(3.0)),
            plain.with_truncation(new().with_epsilon(0.01)),
            plain.with_truncation(all),
            plain.with_truncation(all.with_share(Share::All)),
            plain.with_truncation(
                new().with_top_k(30).with_top_p(0.9).with_min_p(0.05).with_share(Share::Rest),
            ),
            plain.with_temperatures(&temperatures).with_truncations(&truncations),
            plain
                .with_allowed(Allowed::each(&mask, words))
                .with_bias(Bias::shared(&favoured, &values))
                .with_truncation(new().with_top_p(0.7)),
            plain.with_temperature(0.0),
            plain.with_temperature(0.0).with_truncation(all),
        ];
        for (name, fill) in ROWS {
            let data: Vec<f32> =
                (0..rows * categories).map(|i| bf16::from_f32(fill(i)).to_f32()).collect();
            let whole = Logits::new(&data, categories).unwrap();
            for options in &options {
                let options = options.with_sentinels(true);
                let expected = CpuSampler::new().sample_rows(whole, &options).unwrap();
                for (shards, halves) in [(2, false), (3, true), (7, false)] {
                    let got = split(&data, categories, &options, shards, halves).unwrap();
                    assert_eq!(got, expected, "{name}, {categories}, {shards} shards, {options:?}");
                }
            }
        }
    }
}

/// The comparison above sees a shard that is left out, in the first round or in the second.
#[test]
fn a_missing_shard_is_seen() {
    let (rows, categories) = (50, 20);
    let data: Vec<f32> = (0..rows * categories).map(normal).collect();
    let options = SampleOptions::default().with_truncation(Truncation::new().with_top_p(0.5));
    let sampler = CpuSampler::new();
    let expected = sampler.sample_rows(Logits::new(&data, categories).unwrap(), &options).unwrap();
    let [a, b] = [0..8, 8..20].map(|shard| {
        (
            Shard::new(shard.start, categories).unwrap(),
            part(&data, categories, shard.clone()),
            shard.len(),
        )
    });
    let tell = |(shard, data, len): &(Shard, Vec<f32>, usize)| {
        sampler.sample_shard(Logits::new(data, *len).unwrap(), *shard, &options).unwrap()
    };
    let sum = |(shard, data, len): &(Shard, Vec<f32>, usize), draws: &ShardDraws| {
        sampler.sum_shard(Logits::new(data, *len).unwrap(), *shard, &options, draws).unwrap()
    };
    let missing = "results of shards: the shard with category 8 of 20 was not merged";
    let one = tell(&a);
    assert_eq!(one.draws(None).unwrap_err().to_string(), missing);
    let (shard, values, len) = &a;
    let early = sampler.sum_shard(Logits::new(values, *len).unwrap(), *shard, &options, &one);
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
