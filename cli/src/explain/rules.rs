//! Which rule keeps a category from being drawn.

use gumbel::{Batch, CpuSampler, Cut, Error, SampleOptions, Truncation};

/// What takes a category away. Of several rules that do, the first of these is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Allowed,
    TopK,
    MinP,
    Epsilon,
    TopP,
}

impl Rule {
    /// All rules.
    pub(crate) const ALL: [Self; 5] =
        [Self::Allowed, Self::TopK, Self::MinP, Self::Epsilon, Self::TopP];

    /// The letter that stands for the rule in a picture.
    pub(crate) const fn letter(self) -> char {
        match self {
            Self::Allowed => 'x',
            Self::TopK => 'k',
            Self::MinP => 'm',
            Self::Epsilon => 'e',
            Self::TopP => 'p',
        }
    }

    /// The rule in words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Allowed => "not allowed",
            Self::TopK => "top-k",
            Self::MinP => "min-p",
            Self::Epsilon => "epsilon",
            Self::TopP => "top-p",
        }
    }
}

/// Returns the cut of a batch of one row, and for each of its values the rule that takes the category away. No rule does
/// if the value is `never` drawn.
pub(super) fn of_row(
    batch: Batch<'_>,
    options: &SampleOptions<'_>,
    values: &[f64],
    never: f64,
) -> Result<(Cut, Vec<Option<Rule>>), Error> {
    let sampler = CpuSampler::new();
    let cut = sampler.cut_rows(batch, options)?[0];
    // The thresholds of the rules that depend on no other. What none of them cuts and is cut, top-p cuts.
    let given = options.truncation;
    let mut thresholds = Vec::new();
    for (rule, is_given) in [
        (Rule::TopK, given.top_k.is_some()),
        (Rule::MinP, given.min_p.is_some()),
        (Rule::Epsilon, given.epsilon.is_some()),
    ] {
        if is_given {
            let mut alone = Truncation::new();
            alone.at_temperature = given.at_temperature;
            match rule {
                Rule::TopK => alone.top_k = given.top_k,
                Rule::MinP => alone.min_p = given.min_p,
                _ => alone.epsilon = given.epsilon,
            }
            let cut = sampler.cut_rows(batch, &options.with_truncation(alone))?[0];
            thresholds.push((rule, cut.threshold));
        }
    }
    let mask = options.allowed.map(|allowed| allowed.words());
    let is_allowed = |i: usize| mask.is_none_or(|words| words[i / 32] >> (i % 32) & 1 == 1);
    let rule_of = |(i, &value): (usize, &f64)| match is_allowed(i) {
        false => Some(Rule::Allowed),
        true if value >= cut.threshold || value == never => None,
        true => {
            let first = thresholds.iter().find(|(_, threshold)| value < *threshold);
            Some(first.map_or(Rule::TopP, |(rule, _)| *rule))
        }
    };
    Ok((cut, values.iter().enumerate().map(rule_of).collect()))
}
