//! Speculative decoding: what drafts leave of the target's draws.

#![expect(clippy::unwrap_used, reason = "the calls of this file are valid")]

use gumbel::noise::philox::philox4x32_10;
use gumbel::{
    CpuSampler, Drafts, History, Logits, Penalty, SampleOptions, Truncation, Verified, reference,
};

use crate::common::statistics::{ALARM, chi_square, counts};

mod errors;
mod ratio;

/// The number of categories of the model below.
const VOCABULARY: usize = 50;

/// A language model: the logits after a text depend on its last two tokens. A drafter's differ from the target's by noise
/// of this size.
fn logits(text: &[u32], error: f32) -> Vec<f32> {
    let [a, b] = [1, 2].map(|back| text.len().checked_sub(back).map_or(0, |at| text[at]));
    (0..VOCABULARY as u32)
        .map(|token| {
            let [word, other, ..] = philox4x32_10([token, a, b, 0], [5, 5]);
            let uniform = |word: u32| (word >> 8) as f32 / (1 << 24) as f32 - 0.5;
            10.0 * uniform(word) + error * uniform(other)
        })
        .collect()
}

/// A request: an id, and a temperature.
#[derive(Clone, Copy)]
struct Request {
    id: u64,
    temperature: f32,
}

impl Request {
    fn options(&self) -> SampleOptions<'static> {
        let nucleus = Truncation::new().with_top_p(0.95);
        SampleOptions::default()
            .with_seed(7)
            .with_temperature(self.temperature)
            .with_truncation(nucleus)
            .with_penalty(Penalty::new().with_frequency(0.4).with_presence(0.2))
    }

    /// The next tokens of a model for a text, of which there are `k`, the first to ring first.
    fn next(&self, text: &[u32], error: f32, k: usize) -> Vec<u32> {
        let (row, ids) = (logits(text, error), [self.id]);
        let row = Logits::new(&row, VOCABULARY).unwrap();
        let (offsets, counts) = ([0, text.len()], vec![1; text.len()]);
        let options = self
            .options()
            .with_history(History::each(&offsets, text, &counts))
            .with_row_ids(&ids)
            .with_first_draw(text.len() as u32);
        if self.temperature == 0.0 {
            return CpuSampler::new().sample_rows(row, &options).unwrap();
        }
        let race = CpuSampler::new().race_rows(row, &options, k).unwrap();
        race.race(0).map(|winner| winner.category).collect()
    }

    /// Decodes without drafts.
    fn decode(&self, tokens: usize) -> Vec<u32> {
        let mut text = vec![];
        while text.len() < tokens {
            text.push(self.next(&text, 0.0, 1)[0]);
        }
        text
    }
}

/// Trees of drafts, with as many children of each node as `children` has for its level.
struct Trees {
    offsets: Vec<usize>,
    tokens: Vec<u32>,
    parents: Vec<u32>,
    /// The text at each row.
    texts: Vec<Vec<u32>>,
}

impl Trees {
    fn new(requests: &[Request], texts: &[Vec<u32>], error: f32, children: &[usize]) -> Self {
        let mut all = Self { offsets: vec![0], tokens: vec![], parents: vec![], texts: vec![] };
        for (request, text) in requests.iter().zip(texts) {
            let root = all.texts.len();
            all.texts.push(text.clone());
            // the rows of the last level
            let mut leaves = vec![0];
            for &children in children {
                let mut next = vec![];
                for &leaf in &leaves {
                    let here = all.texts[root + leaf].clone();
                    for token in request.next(&here, error, children) {
                        all.tokens.push(token);
                        all.parents.push(leaf as u32);
                        next.push(all.texts.len() - root);
                        all.texts.push([&here[..], &[token]].concat());
                    }
                }
                leaves = next;
            }
            all.offsets.push(all.tokens.len());
        }
        all
    }

    fn verify(&self, requests: &[Request], texts: &[Vec<u32>]) -> Verified {
        let drafts = match self.parents.is_empty() {
            true => Drafts::chains(&self.offsets, &self.tokens).unwrap(),
            false => Drafts::trees(&self.offsets, &self.tokens, &self.parents).unwrap(),
        };
        let target: Vec<f32> = self.texts.iter().flat_map(|text| logits(text, 0.0)).collect();
        let target = Logits::new(&target, VOCABULARY).unwrap();
        let of = |each: &dyn Fn(&Request) -> u64| requests.iter().map(each).collect::<Vec<_>>();
        let ids = drafts.per_row(&of(&|request| request.id)).unwrap();
        let temperatures: Vec<f32> = requests.iter().map(|request| request.temperature).collect();
        let temperatures = drafts.per_row(&temperatures).unwrap();
        let lengths: Vec<u32> = texts.iter().map(|text| text.len() as u32).collect();
        let draws = drafts.first_draws(&lengths).unwrap();
        // each row has the history of its own text
        let (mut offsets, history) = (vec![0], self.texts.concat());
        offsets.extend(self.texts.iter().scan(0, |end, text| {
            *end += text.len();
            Some(*end)
        }));
        let counts = vec![1; history.len()];
        let options = requests[0]
            .options()
            .with_history(History::each(&offsets, &history, &counts))
            .with_row_ids(&ids)
            .with_temperatures(&temperatures)
            .with_first_draws(&draws);
        let verified = CpuSampler::new().verify_rows(target, &drafts, &options).unwrap();
        assert_eq!(verified, reference::verify_rows(target, &drafts, &options).unwrap());
        verified
    }
}

/// What comes out is what the target alone draws, byte for byte: for good drafters and bad ones, chains and trees.
#[test]
fn the_text_does_not_depend_on_the_drafter() {
    const TOKENS: usize = 40;
    let temperature = |i: u64| [1.0, 0.0, 0.7][i as usize % 3];
    let requests: Vec<_> =
        (0..6).map(|i| Request { id: 1000 + i * i, temperature: temperature(i) }).collect();
    let alone: Vec<_> = requests.iter().map(|request| request.decode(TOKENS)).collect();
    let mut passes = vec![];
    for (error, children) in [
        (0.0, &[1, 1, 1, 1][..]),
        (1.0, &[1, 1, 1, 1]),
        (8.0, &[1, 1, 1, 1]),
        (1.0, &[3, 1, 1]),
        (8.0, &[3, 1, 1]),
        (8.0, &[3, 3, 2]),
        (1.0, &[]),
    ] {
        let mut texts = vec![vec![]; requests.len()];
        // the passes that requests need, all together
        let mut count = 0;
        while texts.iter().any(|text| text.len() < TOKENS) {
            count += texts.iter().filter(|text| text.len() < TOKENS).count();
            let trees = Trees::new(&requests, &texts, error, children);
            let verified = trees.verify(&requests, &texts);
            for (request, text) in texts.iter_mut().enumerate() {
                // the rows are those of the text as it grows
                let root = trees.offsets[request] + request;
                for (&row, &token) in
                    verified.rows(request).iter().zip(verified.categories(request))
                {
                    assert_eq!(trees.texts[root + row as usize], *text);
                    text.push(token);
                }
            }
        }
        for (text, alone) in texts.iter().zip(&alone) {
            assert_eq!(text[..TOKENS], alone[..], "error {error}, {children:?}");
        }
        passes.push(count);
    }
    // a perfect drafter has all accepted, and without drafts there is a token a pass
    let [perfect, good, bad, good_tree, bad_tree, wide_tree, none] = passes[..] else {
        unreachable!()
    };
    assert_eq!((perfect, none), (6 * TOKENS / 5, 6 * TOKENS));
    assert!(good < bad && bad < none, "{passes:?}");
    assert!(good_tree < none && bad_tree < none, "{passes:?}");
    // branches of the second and third level are taken
    assert!(wide_tree < bad_tree, "{passes:?}");
}

/// Probabilities of logits, of those that top-p keeps.
fn softmax(logits: &[f32], p: f64) -> Vec<f64> {
    let exps: Vec<f64> = logits.iter().map(|&x| f64::from(x).exp()).collect();
    let sum = |exps: &[f64]| exps.iter().sum::<f64>();
    let above = |x: f64| exps.iter().filter(|&&y| y > x).sum::<f64>();
    let kept: Vec<f64> =
        exps.iter().map(|&x| if above(x) < p * sum(&exps) { x } else { 0.0 }).collect();
    kept.iter().map(|x| x / sum(&kept)).collect()
}

/// A target and a drafter of eight categories, which differ.
fn pair() -> [Vec<f32>; 2] {
    let target = vec![0.0, 1.0, 2.0, -1.0, 0.5, 1.5, f32::NEG_INFINITY, 0.0];
    let drafter = vec![1.0, 0.5, 1.0, 0.0, f32::NEG_INFINITY, 2.0, 0.0, -3.0];
    [target, drafter]
}

const REQUESTS: usize = 200_000;

/// What became of many requests with two drafts each.
struct Outcome {
    /// The first, second and third tokens of those that have so many.
    tokens: [Vec<u32>; 3],
    /// How many first drafts were accepted, and how many second ones after them.
    accepted: [usize; 2],
}

fn verify_many(by_ratio: bool, truncation: Truncation) -> Outcome {
    let [target, drafter] = pair();
    let sampler = CpuSampler::new();
    let options =
        SampleOptions::default().with_seed(11).with_first_draw(3).with_truncation(truncation);
    let one = Logits::strided(&drafter, REQUESTS, 8, 0).unwrap();
    let guesses = sampler.sample_rows(one, &options.with_draws(2)).unwrap();
    let offsets: Vec<usize> = (0..=REQUESTS).map(|i| 2 * i).collect();
    let drafts = Drafts::chains(&offsets, &guesses).unwrap();
    let ids: Vec<u64> = (0..REQUESTS as u64).collect();
    let ids = drafts.per_row(&ids).unwrap();
    let draws = drafts.first_draws(&vec![0; REQUESTS]).unwrap();
    let options = options.with_row_ids(&ids).with_first_draws(&draws);
    let target = Logits::strided(&target, 3 * REQUESTS, 8, 0).unwrap();
    let drafter = Logits::strided(&drafter, 2 * REQUESTS, 8, 0).unwrap();
    let verified = match by_ratio {
        true => sampler.verify_rows_by_ratio(target, drafter, &drafts, &options),
        false => sampler.verify_rows(target, &drafts, &options),
    }
    .unwrap();
    let of = |at: usize| {
        (0..REQUESTS).filter_map(|i| verified.categories(i).get(at).copied()).collect::<Vec<_>>()
    };
    let accepted = |least: usize| (0..REQUESTS).filter(|&i| verified.accepted(i) >= least).count();
    Outcome { tokens: [of(0), of(1), of(2)], accepted: [accepted(1), accepted(2)] }
}

/// The rules and the top-p under which many requests are verified.
const RULES: [(bool, f32); 4] = [(false, 1.0), (true, 1.0), (false, 0.8), (true, 0.8)];

/// Whether a count is what a probability makes of so many trials, within five standard deviations.
fn fits(count: usize, trials: usize, probability: f64) -> bool {
    let (count, trials) = (count as f64, trials as f64);
    (count - trials * probability).abs() < 5.0 * (trials * probability * (1.0 - probability)).sqrt()
}

/// Both rules give the target's distribution, for the tokens in the drafts' places and for the one after, with a cut too.
#[test]
fn tokens_have_the_targets_distribution() {
    for (by_ratio, p) in RULES {
        let [target, drafter] = pair().map(|logits| softmax(&logits, p.into()));
        let outcome = verify_many(by_ratio, Truncation::new().with_top_p(p));
        for (place, tokens) in outcome.tokens.into_iter().enumerate() {
            let what = format!("by ratio: {by_ratio}, top-p {p}, token {place}");
            let p = chi_square(&counts(tokens.iter().copied(), 8), &target);
            assert!(p > ALARM, "{what}, p = {p}");
            // the drafter's would be seen
            let p = chi_square(&counts(tokens, 8), &drafter);
            assert!(p < ALARM, "{what}, p = {p}");
        }
    }
}

/// The share of drafts that are accepted is the closed form of each rule, for second drafts as for first ones.
#[test]
fn as_many_are_accepted_as_the_closed_forms_say() {
    for (by_ratio, p) in RULES {
        let [target, drafter] = pair().map(|logits| softmax(&logits, p.into()));
        // Daliri, Musco and Suresh (2024): the sum over i of 1/Σⱼ max(pⱼ/pᵢ, qⱼ/qᵢ)
        let of = |i: usize| {
            let larger = |j: usize| (target[j] / target[i]).max(drafter[j] / drafter[i]);
            match target[i] * drafter[i] > 0.0 {
                true => 1.0 / (0..8).map(larger).sum::<f64>(),
                false => 0.0,
            }
        };
        let coupled: f64 = (0..8).map(of).sum();
        let distance: f64 = target.iter().zip(&drafter).map(|(p, q)| (p - q).abs() / 2.0).sum();
        assert!(coupled >= (1.0 - distance) / (1.0 + distance) && coupled < 1.0 - distance);
        let [expected, other] = match by_ratio {
            true => [1.0 - distance, coupled],
            false => [coupled, 1.0 - distance],
        };
        let [first, second] = verify_many(by_ratio, Truncation::new().with_top_p(p)).accepted;
        for (accepted, trials) in [(first, REQUESTS), (second, first)] {
            assert!(fits(accepted, trials, expected), "{accepted} of {trials}, {expected}");
            // the other rule's share would be seen
            assert!(!fits(accepted, trials, other), "{accepted} of {trials}, {other}");
        }
    }
}

/// A draft of weight 0 is accepted where both rows are the same, since nothing can be drawn in its place.
#[test]
fn a_draft_of_no_weight_from_equal_rows() {
    let (target, drafter) = ([0.0, -60.0, 1.0, 2.0], [0.0, -60.0]);
    let [target, drafter] = [&target[..], &drafter].map(|data| Logits::new(data, 2).unwrap());
    let (drafts, options) = (Drafts::chains(&[0, 1], &[1]).unwrap(), SampleOptions::default());
    for verified in [
        CpuSampler::new().verify_rows_by_ratio(target, drafter, &drafts, &options).unwrap(),
        reference::verify_rows_by_ratio(target, drafter, &drafts, &options).unwrap(),
    ] {
        assert_eq!((verified.accepted(0), verified.categories(0)[0]), (1, 1));
    }
}
