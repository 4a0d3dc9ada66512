//! Speculative decoding: what drafts leave of the target's draws.

#![expect(clippy::unwrap_used, reason = "the calls of this file are valid")]

use gumbel::noise::philox::philox4x32_10;
use gumbel::{
    CpuSampler, Drafts, History, Logits, NO_DRAW, Penalty, SampleOptions, Truncation, Verified,
    reference,
};

use crate::common::statistics::{ALARM, chi_square, counts};

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

/// Trees of drafts: `depth` tokens deep, with `children` children of each node of the first level.
struct Trees {
    offsets: Vec<usize>,
    tokens: Vec<u32>,
    parents: Vec<u32>,
    /// The text at each row.
    texts: Vec<Vec<u32>>,
}

impl Trees {
    fn new(
        requests: &[Request],
        texts: &[Vec<u32>],
        error: f32,
        depth: usize,
        children: usize,
    ) -> Self {
        let mut all = Self { offsets: vec![0], tokens: vec![], parents: vec![], texts: vec![] };
        for (request, text) in requests.iter().zip(texts) {
            let root = all.texts.len();
            all.texts.push(text.clone());
            // the rows of the last level
            let mut leaves = vec![0];
            for level in 0..depth {
                let mut next = vec![];
                for &leaf in &leaves {
                    let here = all.texts[root + leaf].clone();
                    for token in request.next(&here, error, if level == 0 { children } else { 1 }) {
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
    for (error, depth, children) in
        [(0.0, 4, 1), (1.0, 4, 1), (8.0, 4, 1), (1.0, 3, 3), (8.0, 3, 3), (1.0, 0, 1)]
    {
        let mut texts = vec![vec![]; requests.len()];
        let mut count = 0;
        while texts.iter().any(|text| text.len() < TOKENS) {
            let trees = Trees::new(&requests, &texts, error, depth, children);
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
            count += 1;
        }
        for (text, alone) in texts.iter().zip(&alone) {
            assert_eq!(text[..TOKENS], alone[..], "error {error}, depth {depth}, {children}");
        }
        passes.push(count);
    }
    // a perfect drafter has all accepted, and without drafts there is a token a pass
    let [perfect, good, bad, good_tree, bad_tree, none] = passes[..] else { unreachable!() };
    assert_eq!((perfect, none), (TOKENS / 5, TOKENS));
    assert!(good < bad && bad < none, "{passes:?}");
    assert!(good_tree < none && bad_tree < none, "{passes:?}");
}

/// Probabilities of logits.
fn softmax(logits: &[f32]) -> Vec<f64> {
    let exps: Vec<f64> = logits.iter().map(|&x| f64::from(x).exp()).collect();
    let sum: f64 = exps.iter().sum();
    exps.iter().map(|x| x / sum).collect()
}

/// A target and a drafter of eight categories, which differ.
fn pair() -> [Vec<f32>; 2] {
    let target = vec![0.0, 1.0, 2.0, -1.0, 0.5, 1.5, f32::NEG_INFINITY, 0.0];
    let drafter = vec![1.0, 0.5, 1.0, 0.0, f32::NEG_INFINITY, 2.0, 0.0, -3.0];
    [target, drafter]
}

const REQUESTS: usize = 200_000;

/// First and second tokens of many requests with one draft each, and how many of the drafts were accepted.
fn verify_many(by_ratio: bool) -> ([Vec<u32>; 2], usize) {
    let [target, drafter] = pair();
    let sampler = CpuSampler::new();
    let options = SampleOptions::default().with_seed(11).with_first_draw(3);
    let one = Logits::strided(&drafter, REQUESTS, 8, 0).unwrap();
    let guesses = sampler.sample_rows(one, &options).unwrap();
    let offsets: Vec<usize> = (0..=REQUESTS).collect();
    let drafts = Drafts::chains(&offsets, &guesses).unwrap();
    let ids: Vec<u64> = (0..REQUESTS as u64).collect();
    let ids = drafts.per_row(&ids).unwrap();
    let draws = drafts.first_draws(&vec![0; REQUESTS]).unwrap();
    let options = options.with_row_ids(&ids).with_first_draws(&draws);
    let target = Logits::strided(&target, 2 * REQUESTS, 8, 0).unwrap();
    let verified = match by_ratio {
        true => sampler.verify_rows_by_ratio(target, one, &drafts, &options),
        false => sampler.verify_rows(target, &drafts, &options),
    }
    .unwrap();
    let of = |at: usize| {
        (0..REQUESTS).filter_map(|i| verified.categories(i).get(at).copied()).collect::<Vec<_>>()
    };
    let accepted = (0..REQUESTS).map(|i| verified.accepted(i)).sum();
    ([of(0), of(1)], accepted)
}

/// Whether a count is what a probability makes of so many trials, within five standard deviations.
fn fits(count: usize, trials: usize, probability: f64) -> bool {
    let (count, trials) = (count as f64, trials as f64);
    (count - trials * probability).abs() < 5.0 * (trials * probability * (1.0 - probability)).sqrt()
}

/// Both rules give the target's distribution, for the token in the draft's place and for the one after.
#[test]
fn tokens_have_the_targets_distribution() {
    let [target, drafter] = pair().map(|logits| softmax(&logits));
    for by_ratio in [false, true] {
        let (tokens, _) = verify_many(by_ratio);
        for tokens in tokens {
            let p = chi_square(&counts(tokens.iter().copied(), 8), &target);
            assert!(p > ALARM, "by ratio: {by_ratio}, p = {p}");
            // the drafter's would be seen
            let p = chi_square(&counts(tokens, 8), &drafter);
            assert!(p < ALARM, "by ratio: {by_ratio}, p = {p}");
        }
    }
}

/// The share of drafts that are accepted is the closed form of each rule.
#[test]
fn as_many_are_accepted_as_the_closed_forms_say() {
    let [target, drafter] = pair().map(|logits| softmax(&logits));
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
    let (_, accepted) = verify_many(false);
    assert!(fits(accepted, REQUESTS, coupled), "{accepted}, {coupled}");
    let (_, accepted) = verify_many(true);
    assert!(fits(accepted, REQUESTS, 1.0 - distance), "{accepted}, {distance}");
    assert!(!fits(accepted, REQUESTS, coupled));
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

#[test]
fn rows_without_a_draw() {
    let sampler = CpuSampler::new();
    let drafts = Drafts::chains(&[0, 2], &[1, 1]).unwrap();
    let data = [0.0, 9.0, f32::NAN, 0.0, 0.0, 9.0];
    let (target, drafter) = (Logits::new(&data, 2).unwrap(), Logits::new(&[0.0; 4], 2).unwrap());
    let options = SampleOptions::default().with_seed(1);
    let error = sampler.verify_rows(target, &drafts, &options).unwrap_err().to_string();
    assert_eq!(error, "row 1 has no draw: its logit of category 0 is NaN");
    let options = options.with_sentinels(true);
    for verified in [
        sampler.verify_rows(target, &drafts, &options).unwrap(),
        sampler.verify_rows_by_ratio(target, drafter, &drafts, &options).unwrap(),
    ] {
        assert_eq!((verified.categories(0), verified.rows(0)), (&[1, NO_DRAW][..], &[0, 1][..]));
    }
    // no requests, and no drafts
    let none = Drafts::chains(&[0], &[]).unwrap();
    let empty = Logits::new(&[], 2).unwrap();
    assert_eq!(sampler.verify_rows(empty, &none, &options).unwrap().requests(), 0);
    let one = Drafts::chains(&[0, 0], &[]).unwrap();
    let row = Logits::new(&[0.0, 9.0], 2).unwrap();
    let verified = sampler.verify_rows_by_ratio(row, empty, &one, &options).unwrap();
    assert_eq!((verified.categories(0), verified.accepted(0)), (&[1][..], 0));
}

#[test]
fn errors() {
    let sampler = CpuSampler::new();
    let of = |offsets: &[usize], tokens: &[u32]| {
        Drafts::chains(offsets, tokens).unwrap_err().to_string()
    };
    assert_eq!(of(&[], &[]), "drafts: there must be an offset more than there are requests, got 0");
    assert_eq!(of(&[0, 2, 1], &[1]), "drafts: request 1 begins at 2 and ends at 1");
    let ends = "drafts: the offsets must go from 0 to 2, got";
    assert_eq!(of(&[0, 1], &[1, 1]), format!("{ends} 0 to 1"));
    let tree =
        |parents: &[u32]| Drafts::trees(&[0, 1, 3], &[1, 1, 0], parents).unwrap_err().to_string();
    assert_eq!(tree(&[0]), "drafts: 3 drafts need as many parents, got 1");
    assert_eq!(tree(&[0, 0, 2]), "drafts: draft 1 of request 1 must come after row 0 to 1, got 2");
    let drafts = Drafts::chains(&[0, 1], &[1]).unwrap();
    let few = drafts.per_row(&[1, 2]).unwrap_err().to_string();
    assert_eq!(few, "drafts: 1 requests need as many elements, got 2");
    assert!(drafts.first_draws(&[u32::MAX]).is_err());

    let options = SampleOptions::default();
    let verify = |drafts: &Drafts<'_>, rows: usize, options: &SampleOptions<'_>| {
        let data = vec![0.0; 2 * rows];
        let target = Logits::new(&data, 2).unwrap();
        sampler.verify_rows(target, drafts, options).unwrap_err().to_string()
    };
    let rows = "drafts: 1 drafts of 1 requests need 2 rows of the target, got";
    assert_eq!(verify(&drafts, 3, &options), format!("{rows} 3"));
    let draws = "drafts: a row is drawn from once, got 2 draws";
    assert_eq!(verify(&drafts, 2, &options.with_draws(2)), draws);
    let beyond = Drafts::chains(&[0, 1], &[2]).unwrap();
    let words = "drafts: draft 0 of request 0 is category 2 of rows of 2, numbered from 0";
    assert_eq!(verify(&beyond, 2, &options), words);

    let by_ratio = |drafts: &Drafts<'_>, drafter: &[f32], options: &SampleOptions<'_>| {
        let target = Logits::new(&[0.0; 4], 2).unwrap();
        let drafter = Logits::new(drafter, 2).unwrap();
        sampler.verify_rows_by_ratio(target, drafter, drafts, options).unwrap_err().to_string()
    };
    let few = "drafts: 1 drafts need as many rows of the drafter, got 2";
    assert_eq!(by_ratio(&drafts, &[0.0; 4], &options), few);
    let gathered = "drafts: rows that are verified by ratio cannot be gathered";
    assert_eq!(by_ratio(&drafts, &[0.0; 2], &options.with_row_indices(&[0, 1])), gathered);
    let cannot =
        "drafts: draft 0 of request 0, category 1, cannot be drawn from the drafter's row for it";
    assert_eq!(by_ratio(&drafts, &[0.0, f32::NEG_INFINITY], &options), cannot);
    assert_eq!(by_ratio(&drafts, &[f32::NAN, 0.0], &options), cannot);
    let trees = Drafts::trees(&[0, 2], &[1, 0], &[0, 0]).unwrap();
    let target = Logits::new(&[0.0; 6], 2).unwrap();
    let drafter = Logits::new(&[0.0; 4], 2).unwrap();
    let error = sampler.verify_rows_by_ratio(target, drafter, &trees, &options).unwrap_err();
    assert_eq!(error.to_string(), "drafts: the ratio test is of chains, not of trees");
}
