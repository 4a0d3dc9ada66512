//! Continuous batching: requests join and leave, and each step draws a token for all that are running.

use gumbel::engine::Blocking;
use gumbel::{Allowed, Error, History, Logits, Penalty, SampleOptions, Sampler, Truncation};

use super::model::{Model, STOP};
use super::rule::Rule;

/// What somebody wants written.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The request's own seed.
    pub(crate) seed: u64,
    pub(crate) prompt: Vec<u32>,
    pub(crate) temperature: f32,
    pub(crate) truncation: Truncation,
    pub(crate) penalty: Penalty,
    pub(crate) rule: Option<Rule>,
    /// The most tokens to write.
    pub(crate) limit: usize,
}

/// A request that is being written.
struct Running {
    /// The request's number.
    number: usize,
    request: Request,
    text: Vec<u32>,
}

impl Running {
    /// The number of tokens that have been drawn.
    fn drawn(&self) -> usize {
        self.text.len() - self.request.prompt.len()
    }

    fn is_done(&self) -> bool {
        self.drawn() >= self.request.limit || self.drawn() > 0 && self.text.last() == Some(&STOP)
    }
}

/// Draws the next token of each running text, in one call.
fn next_tokens(
    sampler: &Sampler<impl Blocking>,
    model: &Model,
    running: &[Running],
) -> Result<Vec<u32>, Error> {
    let of_requests = || running.iter().map(|running| &running.request);
    let mut logits = Vec::new();
    for running in running {
        model.logits(&running.text, &mut logits);
    }
    // a request has its own seed, and token n is draw n: no other request matters
    let seeds: Vec<u64> = of_requests().map(|request| request.seed).collect();
    let draws: Vec<u32> = running.iter().map(|running| running.drawn() as u32).collect();
    let temperatures: Vec<f32> = of_requests().map(|request| request.temperature).collect();
    let truncations: Vec<Truncation> = of_requests().map(|request| request.truncation).collect();
    let penalties: Vec<Penalty> = of_requests().map(|request| request.penalty).collect();
    let ids = vec![0; running.len()];
    // what each text has had so far, token by token; those of the prompt were not drawn
    let (mut offsets, mut history, mut counts) = (vec![0], Vec::new(), Vec::new());
    for Running { request, text, .. } in running {
        history.extend(text);
        counts.extend((0..text.len()).map(|i| u32::from(i >= request.prompt.len())));
        offsets.push(history.len());
    }
    // a bit for each token that a request's grammar allows
    let words = model.vocabulary().div_ceil(32);
    let mut masks = vec![u32::MAX; words * running.len()];
    for (running, mask) in running.iter().zip(masks.chunks_mut(words)) {
        if let Some(rule) = running.request.rule {
            rule.forbid(model, &running.text, mask);
        }
    }
    let options = SampleOptions::default()
        .with_row_ids(&ids)
        .with_seeds(&seeds)
        .with_first_draws(&draws)
        .with_temperatures(&temperatures)
        .with_history(History::each(&offsets, &history, &counts))
        .with_penalties(&penalties)
        .with_allowed(Allowed::each(&masks, words))
        .with_truncations(&truncations);
    sampler.sample_rows(Logits::new(&logits, model.vocabulary())?, &options)
}

/// The texts of requests, each with the tokens that were drawn.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) texts: Vec<Vec<u32>>,
    /// The number of calls.
    pub(crate) steps: usize,
}

/// Decodes requests, at most `slots` at once. A request joins as soon as there is a free slot.
pub(crate) fn decode(
    sampler: &Sampler<impl Blocking>,
    model: &Model,
    requests: &[Request],
    slots: usize,
) -> Result<Decoded, Error> {
    let mut waiting = requests.iter().cloned().enumerate();
    let mut running: Vec<Running> = Vec::new();
    let mut decoded = Decoded { texts: vec![Vec::new(); requests.len()], steps: 0 };
    loop {
        let free = slots - running.len();
        running.extend(waiting.by_ref().take(free).map(|(number, request)| Running {
            number,
            text: request.prompt.clone(),
            request,
        }));
        if running.is_empty() {
            return Ok(decoded);
        }
        let tokens = next_tokens(sampler, model, &running)?;
        for (running, token) in running.iter_mut().zip(tokens) {
            running.text.push(token);
        }
        decoded.steps += 1;
        for done in running.extract_if(.., |running| running.is_done()) {
            decoded.texts[done.number] = done.text;
        }
    }
}
