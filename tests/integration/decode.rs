//! The example `decode`: a request has the same text alone and among others.

#[path = "../../examples/decode/decoder.rs"]
mod decoder;
#[path = "../../examples/decode/model.rs"]
mod model;
#[path = "../../examples/decode/requests.rs"]
mod requests;
#[path = "../../examples/decode/rule.rs"]
mod rule;

use decoder::decode;
use gumbel::CpuSampler;
use model::{Model, STOP};
use requests::requests;
use rule::Rule;

const BOOK: &str = include_str!("../../data/alice.txt");

/// More requests than fit at once, so that some join when others leave.
const REQUESTS: usize = 40;

/// In a batch of any size, and in any company, a request has the text that it has alone.
#[test]
fn a_request_is_what_it_is_alone() {
    let sampler = &CpuSampler::new();
    let model = Model::new(BOOK);
    let all = requests(&model, REQUESTS);
    let together = decode(sampler, &model, &all, 16).unwrap();
    for (i, text) in together.texts.iter().enumerate() {
        let alone = decode(sampler, &model, &all[i..=i], 1).unwrap();
        assert_eq!(alone.texts[0], *text, "request {i}");
    }
    let others = decode(sampler, &model, &all[7..23], 5).unwrap();
    assert_eq!(others.texts, together.texts[7..23]);
    // requests join and leave: the steps are fewer than one request after the other would take
    let tokens: usize = (0..REQUESTS).map(|i| together.texts[i].len() - all[i].prompt.len()).sum();
    assert!(together.steps > tokens / 16 && together.steps < tokens / 8, "{}", together.steps);

    for (request, text) in all.iter().zip(&together.texts) {
        // a text reads as its tokens
        let words: Vec<u32> = text.iter().copied().filter(|&token| token != STOP).collect();
        assert_eq!(model.tokens(&model.text(text)), words, "{:?}", model.text(text));
        let drawn = &text[request.prompt.len()..];
        assert!(drawn.len() <= request.limit && !drawn.is_empty());
        assert!(!drawn[..drawn.len() - 1].contains(&STOP));
        match request.rule {
            Some(Rule::Without(letter)) => {
                assert!(drawn.iter().all(|&token| !model.word(token).contains(letter)));
            }
            Some(Rule::Quotations) => {
                let signs = text.iter().map(|&token| model.word(token));
                let signs: Vec<_> = signs.filter(|word| ["`", "'"].contains(word)).collect();
                assert!(
                    signs.chunks(2).all(|pair| pair == ["`"] || pair == ["`", "'"]),
                    "{signs:?}"
                );
            }
            None => {}
        }
    }
    // the seed of a request decides its text, but for a greedy one
    let mut changed = all.clone();
    changed.iter_mut().for_each(|request| request.seed += 1);
    let changed = decode(sampler, &model, &changed, 16).unwrap();
    for (i, request) in all.iter().enumerate() {
        let same = changed.texts[i] == together.texts[i];
        assert_eq!(same, request.temperature == 0.0, "request {i}");
    }
}
