//! The example `decode`: the texts are those of the CPU.

#[path = "../../examples/decode/decoder.rs"]
mod decoder;
#[path = "../../examples/decode/model.rs"]
mod model;
#[path = "../../examples/decode/requests.rs"]
mod requests;
#[path = "../../examples/decode/rule.rs"]
mod rule;

use gumbel::{
    AdapterReport, CpuSampler, Drafts, GpuSampler, Logits, SampleOptions, Shard, Truncation,
};
use libtest_mimic::Failed;

use super::draws::sampler;
use super::shards::agree;
use super::{Check, ensure};
use decoder::decode;
use model::Model;
use requests::requests;

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("decode::as_on_the_cpu", as_on_the_cpu),
    ("decode::drafts_and_shards", drafts_and_shards),
    ("decode::shards_of_whole_rows", shards_of_whole_rows),
];

const BOOK: &str = include_str!("../../data/alice.txt");

/// Requests that come and go have the same texts in the company of others, one by one, and on the CPU.
fn as_on_the_cpu(adapter: &AdapterReport) -> Result<(), Failed> {
    let (gpu, model) = (sampler(adapter, GpuSampler::builder())?, Model::new(BOOK));
    let requests = requests(&model, 12);
    let expected = decode(&CpuSampler::new(), &model, &requests, 12)?.texts;
    let got = decode(&gpu, &model, &requests, 8)?.texts;
    for (got, expected) in got.iter().zip(&expected) {
        ensure(got == expected, || {
            format!("{:?}, and not {:?}", model.text(got), model.text(expected))
        })?;
    }
    let alone = decode(&gpu, &model, &requests[5..6], 1)?.texts;
    ensure(alone[..] == expected[5..6], || "a text is another one alone".to_owned())
}

/// What shards of long and short rows tell, and what drafts leave, is what it is on the CPU.
fn drafts_and_shards(adapter: &AdapterReport) -> Result<(), Failed> {
    let (gpu, cpu) = (sampler(adapter, GpuSampler::builder())?, CpuSampler::new());
    let (mut accepted, mut drafted) = (0, 0);
    for (rows, categories) in [(9, 203), (4, 5000)] {
        let data: Vec<f32> = (0..rows * categories).map(|i| (i * i % 977) as f32 / 50.0).collect();
        let logits = Logits::new(&data, categories)?;
        let nucleus = Truncation::new().with_top_k(20).with_top_p(0.9);
        let options = SampleOptions::default().with_seed(3).with_truncation(nucleus);
        let shard = Shard::new(77, 9000)?;
        let [got, expected] = [
            gpu.sample_shard(logits, shard, &options)?,
            cpu.sample_shard(logits, shard, &options)?,
        ];
        ensure(got == expected, || format!("{got:?}, and not {expected:?}"))?;
        // sums need what all shards have told
        let shard = Shard::new(0, categories)?;
        let draws = gpu.sample_shard(logits, shard, &options)?;
        let [got, expected] = [
            gpu.sum_shard(logits, shard, &options, &draws)?,
            cpu.sum_shard(logits, shard, &options, &draws)?,
        ];
        ensure(got == expected, || format!("{got:?}, and not {expected:?}"))?;
        let [got, expected] = [draws.draws(Some(&got))?, cpu.sample_rows(logits, &options)?];
        ensure(got == expected, || format!("{got:?}, and not {expected:?}"))?;

        // the drafter's rows are nearly those of the target: some of its guesses are right
        let near: Vec<f32> = (0..).zip(&data).map(|(i, x)| x + (i * 7 % 13) as f32).collect();
        let drafter = Logits::new(&near[..(rows - 1) * categories], categories)?;
        let options = options.with_truncation(Truncation::new()).with_temperature(4.0);
        let guesses = cpu.sample_rows(drafter, &options)?;
        let offsets: Vec<usize> = (0..rows).collect();
        // a request for each guess, on the first rows of the target and the one after
        let pairs: Vec<f32> = (0..rows - 1)
            .flat_map(|row| &data[row * categories..(row + 2) * categories])
            .copied()
            .collect();
        let pairs = Logits::new(&pairs, categories)?;
        let drafts = Drafts::chains(&offsets, &guesses)?;
        let of_requests: Vec<u64> = (0..rows as u64 - 1).collect();
        let ids = drafts.per_row(&of_requests)?;
        let options = options.with_row_ids(&ids);
        let [got, expected] = [
            gpu.verify_rows(pairs, &drafts, &options)?,
            cpu.verify_rows(pairs, &drafts, &options)?,
        ];
        ensure(got == expected, || format!("{got:?}, and not {expected:?}"))?;
        let [got, expected] = [
            gpu.verify_rows_by_ratio(pairs, drafter, &drafts, &options)?,
            cpu.verify_rows_by_ratio(pairs, drafter, &drafts, &options)?,
        ];
        ensure(got == expected, || format!("{got:?}, and not {expected:?}"))?;
        accepted += (0..rows - 1).map(|request| got.accepted(request)).sum::<usize>();
        drafted += rows - 1;
    }
    ensure(accepted > 0 && accepted < drafted, || format!("{accepted} of {drafted} accepted"))
}

/// Shards of uneven sizes make the draws of whole rows, whether one GPU tells of all or the CPU tells of every second.
fn shards_of_whole_rows(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    agree(&gpu, &gpu, &[(4, 203)])?;
    agree(&gpu, &CpuSampler::new(), &[(2, 5000)])?;
    Ok(())
}
