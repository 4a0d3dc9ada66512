//! A small language model: words of a book, each given the two before it.

use std::collections::HashMap;

/// The token that ends a paragraph: the stop symbol.
pub(crate) const STOP: u32 = 0;

/// How often a token followed, and how often anything did.
#[derive(Default)]
struct Followers {
    counts: HashMap<u32, u32>,
    total: u32,
}

impl Followers {
    fn add(&mut self, token: u32) {
        *self.counts.entry(token).or_default() += 1;
        self.total += 1;
    }

    /// Mixes probabilities with these counts: the rarer a context was, and the more different tokens followed, the less
    /// it is trusted (Witten and Bell 1991).
    fn mix(&self, probabilities: &mut [f64]) {
        let (total, kinds) = (f64::from(self.total), self.counts.len() as f64);
        probabilities.iter_mut().for_each(|p| *p *= kinds / (total + kinds));
        for (&token, &count) in &self.counts {
            probabilities[token as usize] += f64::from(count) / (total + kinds);
        }
    }
}

/// A trigram model with back-off.
pub(crate) struct Model {
    tokens: Vec<String>,
    numbers: HashMap<String, u32>,
    /// The probability of each token by itself.
    alone: Vec<f64>,
    after_one: HashMap<u32, Followers>,
    after_two: HashMap<[u32; 2], Followers>,
}

impl Model {
    /// Reads a book, a paragraph a line.
    pub(crate) fn new(book: &str) -> Self {
        let stop = "\n".to_owned();
        let mut model = Self {
            tokens: vec![stop.clone()],
            numbers: HashMap::from([(stop, STOP)]),
            alone: vec![],
            after_one: HashMap::new(),
            after_two: HashMap::new(),
        };
        let mut all = Followers::default();
        for paragraph in book.lines() {
            let mut context = [STOP; 2];
            let words = split(paragraph).map(|word| model.number_or_new(word));
            let words: Vec<u32> = words.chain([STOP]).collect();
            for token in words {
                all.add(token);
                model.after_one.entry(context[1]).or_default().add(token);
                model.after_two.entry(context).or_default().add(token);
                context = [context[1], token];
            }
        }
        let share = |token: u32| f64::from(all.counts[&token]) / f64::from(all.total);
        model.alone = (0..model.tokens.len() as u32).map(share).collect();
        model
    }

    fn number_or_new(&mut self, word: &str) -> u32 {
        if let Some(&number) = self.numbers.get(word) {
            return number;
        }
        let number = self.tokens.len() as u32;
        self.tokens.push(word.to_owned());
        self.numbers.insert(word.to_owned(), number);
        number
    }

    /// The number of tokens.
    pub(crate) fn vocabulary(&self) -> usize {
        self.tokens.len()
    }

    /// The word of a token.
    pub(crate) fn word(&self, token: u32) -> &str {
        &self.tokens[token as usize]
    }

    /// The tokens of a text. Words that are not in the book are left out.
    pub(crate) fn tokens(&self, text: &str) -> Vec<u32> {
        split(text).filter_map(|word| self.numbers.get(word).copied()).collect()
    }

    /// A text, with spaces where they belong.
    pub(crate) fn text(&self, tokens: &[u32]) -> String {
        let mut text = String::new();
        let mut space = false;
        for word in tokens.iter().map(|&token| self.word(token)) {
            let follows = word.starts_with(|c: char| c.is_alphanumeric() || "`([".contains(c));
            if space && follows {
                text.push(' ');
            }
            text.push_str(word);
            space = !["`", "(", "[", "--", "\n"].contains(&word);
        }
        text
    }

    /// Adds the logits of the token after a text to `rows`.
    pub(crate) fn logits(&self, text: &[u32], rows: &mut Vec<f32>) {
        let back = |n: usize| text.len().checked_sub(n).map_or(STOP, |at| text[at]);
        let context = [back(2), back(1)];
        let mut probabilities = self.alone.clone();
        if let Some(followers) = self.after_one.get(&context[1]) {
            followers.mix(&mut probabilities);
        }
        if let Some(followers) = self.after_two.get(&context) {
            followers.mix(&mut probabilities);
        }
        rows.extend(probabilities.iter().map(|p| p.ln() as f32));
    }
}

/// The words of a text, and its signs.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let len = if first.is_alphanumeric() {
            // an apostrophe or a hyphen between two letters is part of a word
            let bytes = rest.as_bytes();
            let is_in_word = |&i: &usize| {
                let letter = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_alphanumeric);
                letter(i) || (b"'-".contains(&bytes[i]) && letter(i + 1))
            };
            (0..rest.len()).take_while(is_in_word).count()
        } else if rest.starts_with("--") {
            2
        } else {
            first.len_utf8()
        };
        let (word, others) = rest.split_at(len);
        rest = others;
        Some(word)
    })
}
