//! What is given of a row has no order.

use gumbel::{Bias, CpuSampler, History, Logits, Penalty, SampleOptions, reference};

use super::word;

/// Neither the order of a history nor how it is counted matters.
#[test]
fn histories_have_no_order() {
    let logits: Vec<f32> = (0..40).map(|i| (word(i, 7) % 900) as f32 / 100.0 - 4.0).collect();
    let logits = Logits::new(&logits, 40).unwrap();
    let penalty = Penalty::new().with_repetition(1.1).with_frequency(0.1).with_presence(0.3);
    let sums = |categories: &[u32], counts: &[u32]| {
        let offsets = [0, categories.len()];
        let history = History::each(&offsets, categories, counts);
        let options = SampleOptions::default().with_history(history).with_penalty(penalty);
        CpuSampler::new().logsumexp_rows(logits, &options).unwrap()
    };
    let counted = sums(&[3, 7, 39], &[2, 0, 3]);
    assert_eq!(sums(&[39, 3, 39, 7, 39, 3], &[1, 1, 1, 0, 1, 1]), counted);
    assert_eq!(sums(&[7, 3, 7, 39, 3], &[0, 0, 0, 3, 2]), counted);
    // counts that exceed 32 bits are the largest that there are
    assert_eq!(sums(&[3, 3], &[u32::MAX, u32::MAX]), sums(&[3], &[u32::MAX]));
}

/// Several biases of a category have no order: the least is added first, whatever comes first.
#[test]
fn biases_have_no_order() {
    let far = 2f32.powi(60);
    let given = [(1u32, far), (1, 64.0), (1, -far), (0, 0.75), (1, 64.0)];
    let data = [1.0f32, 0.5, 2.0];
    // beside −2⁶⁰ an f64 loses ½, and 64 twice, each time half of its last place; 64 + 64 together it would keep
    let adjusted = [1.75, 0.0, 2.0];
    let expected = |options: &SampleOptions<'_>, data: &[f32]| {
        let logits = Logits::new(data, 3).unwrap();
        let sampler = CpuSampler::new();
        let sums = sampler.logsumexp_rows(logits, options).unwrap();
        (sampler.sample_rows(logits, options).unwrap(), sums)
    };
    let options = SampleOptions::default().with_seed(3).with_draws(20);
    let right = expected(&options, &adjusted);
    let in_order = |order: &[usize]| {
        order.iter().fold(0.5, |sum, &i| match given[i] {
            (1, bias) => sum + f64::from(bias),
            _ => sum,
        })
    };
    let mut others = 0;
    for order in permutations(given.len()) {
        let (categories, values): (Vec<_>, Vec<_>) = order.iter().map(|&i| given[i]).unzip();
        let with = options.with_bias(Bias::shared(&categories, &values));
        assert_eq!(expected(&with, &data), right, "{order:?}");
        let logits = Logits::new(&data, 3).unwrap();
        assert_eq!(reference::sample_rows(logits, &with).unwrap(), right.0, "{order:?}");
        others += usize::from(in_order(&order) != 0.0);
    }
    // added up as they come, they have other sums
    assert!(others > 20, "{others}");
}

/// All orders of so many things.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![vec![]];
    }
    let insert = |order: Vec<usize>| {
        (0..count).map(move |at| [&order[..at], &[count - 1], &order[at..]].concat())
    };
    permutations(count - 1).into_iter().flat_map(insert).collect()
}
