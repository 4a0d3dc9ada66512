//! Grammars: which tokens may come next.

use super::model::{Model, STOP};

/// A rule that a text must obey.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rule {
    /// No word has this letter.
    Without(char),
    /// Quotations end before others begin, and before the paragraph ends.
    Quotations,
}

impl Rule {
    /// Clears the bits of the tokens that may not come after a text.
    pub(crate) fn forbid(self, model: &Model, text: &[u32], mask: &mut [u32]) {
        let mut clear = |token: u32| mask[token as usize / 32] &= !(1 << (token % 32));
        let all = 0..model.vocabulary() as u32;
        match self {
            Self::Without(letter) => {
                let has = |&token: &u32| model.word(token).to_lowercase().contains(letter);
                all.filter(has).for_each(clear);
            }
            Self::Quotations => {
                let quote = |&&token: &&u32| ["`", "'"].contains(&model.word(token));
                let last = text.iter().rev().find(quote);
                let is_open = last.is_some_and(|&token| model.word(token) == "`");
                let forbidden = if is_open { "`" } else { "'" };
                all.filter(|&token| model.word(token) == forbidden).for_each(&mut clear);
                if is_open {
                    clear(STOP);
                }
            }
        }
    }
}
