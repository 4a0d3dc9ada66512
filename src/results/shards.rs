//! What shards of rows tell of their draws.

use crate::error::Error;
use crate::job::NO_DRAW;
use crate::noise::cuts::{distance_of, share_of};
use crate::noise::exp::{log2_floor, weight};
use crate::options::{Share, Truncation};

/// What shards of some rows tell of the draws of the whole rows: the result of
/// [`sample_shard`](crate::Sampler::sample_shard), a hundred bytes or so a row, and 8 for each category of a top-k.
///
/// Results of different shards [merge](Self::merge) in any order. If the rows are cut by top-p or epsilon, shards are asked a second
/// time, for [sums](crate::Sampler::sum_shard). Then [`draws`](Self::draws) are those of the whole rows.
#[derive(Clone, Debug, PartialEq)]
pub struct ShardDraws {
    pub(crate) parts: Parts,
    pub(crate) sentinels: bool,
    pub(crate) rows: Vec<Row>,
}

/// Which categories of whole rows have been heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    /// The number of categories of whole rows.
    pub(crate) whole: usize,
    /// The first category of each shard, and that after its last, in order.
    pub(crate) ends: Vec<[usize; 2]>,
}

impl Parts {
    /// These parts and others, of so many rows.
    ///
    /// # Errors
    /// [`Error::Shards`] if they are parts of other rows, or if a category is in two of them, and [`Error::TooManyDraws`] if
    /// there is no memory for them.
    fn merged(&self, other: &Self, rows: usize) -> Result<Self, Error> {
        let wrong = |problem| Err(Error::Shards { problem });
        let (a, b) = (self.whole, other.whole);
        if a != b {
            return wrong(format!("rows of {a} categories, and of {b}"));
        }
        let mut ends: Vec<[usize; 2]> = Vec::new();
        ends.try_reserve_exact(self.ends.len() + other.ends.len())
            .map_err(|_| Error::TooManyDraws { rows, draws: 1 })?;
        ends.extend(self.ends.iter().chain(&other.ends));
        ends.sort_unstable();
        if let Some(pair) = ends.windows(2).find(|pair| pair[0][1] > pair[1][0]) {
            let [first, last] = [pair[1][0], pair[0][1].min(pair[1][1]) - 1];
            return wrong(format!("categories {first} to {last} were merged twice"));
        }
        Ok(Self { whole: a, ends })
    }

    /// Checks that every category has been heard of.
    ///
    /// # Errors
    /// [`Error::Shards`] for the first that has not.
    fn check(&self) -> Result<(), Error> {
        let end = self.ends.iter().fold(0, |end, part| if part[0] == end { part[1] } else { end });
        if end == self.whole {
            return Ok(());
        }
        let problem = format!("the shard with category {end} of {} was not merged", self.whole);
        Err(Error::Shards { problem })
    }
}

/// What shards tell of a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Row {
    /// The truncation; a top-k that cuts nothing is none.
    pub(crate) truncation: Truncation,
    /// Whether a logit is a NaN or +∞.
    pub(crate) is_invalid: bool,
    /// The winners of the races among the categories from any K on: the first is that of all, and each has a larger K than
    /// the one before, and a smaller key.
    pub(crate) winners: Vec<Candidate>,
    /// The largest Ks, as many as top-k keeps, the largest first.
    pub(crate) largest: Vec<i64>,
}

/// A category that wins if what has a smaller K is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The logit at the scale of the cut.
    pub(crate) k: i64,
    pub(crate) key: i64,
    pub(crate) category: u32,
}

/// Sums of the weights of shards of some rows: the result of [`sum_shard`](crate::Sampler::sum_shard).
///
/// Sums of different shards [merge](Self::merge) in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardSums {
    pub(crate) parts: Parts,
    pub(crate) rows: Vec<RowSums>,
}

/// Sums of integer weights, relative to the largest K of the whole row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowSums {
    pub(crate) all: u64,
    /// Of what top-k keeps.
    pub(crate) of_k: u64,
    /// Of what top-k and min-p keep.
    pub(crate) of_rest: u64,
    /// Of the categories with a larger K, for each of the winners.
    pub(crate) above: Vec<u64>,
}

impl Row {
    /// Keeps the winners and the largest Ks of a list with others among them.
    pub(crate) fn tidy(&mut self) {
        let by_key = |winner: &Candidate| (std::cmp::Reverse(winner.key), winner.category);
        self.winners.sort_unstable_by_key(by_key);
        let mut most = None;
        self.winners.retain(|winner| {
            let is_larger = most.is_none_or(|most| winner.k > most);
            most = if is_larger { Some(winner.k) } else { most };
            is_larger
        });
        self.largest.sort_unstable_by(|a, b| b.cmp(a));
        self.largest.truncate(self.truncation.top_k.unwrap_or(0) as usize);
    }

    /// The largest K of the row, `None` if nothing can be drawn.
    pub(crate) fn most(&self) -> Option<i64> {
        self.winners.last().map(|winner| winner.k)
    }

    /// The least Ks that top-k keeps, and that top-k and min-p keep.
    pub(crate) fn least(&self) -> [i64; 2] {
        let k = self.truncation.top_k.and_then(|k| self.largest.get(k as usize - 1));
        let of_k = k.copied().unwrap_or(i64::MIN);
        let distance = self.truncation.min_p().map(distance_of);
        let of_min_p = match (distance, self.most()) {
            (Some(distance), Some(most)) => most.saturating_sub_unsigned(distance),
            _ => i64::MIN,
        };
        [of_k, of_k.max(of_min_p)]
    }

    fn needs_sums(&self) -> bool {
        self.truncation.p().is_some() || self.truncation.epsilon().is_some()
    }

    /// The draw of the row. There must be sums if they are needed.
    fn draw(&self, sums: Option<&RowSums>, whole: usize) -> Option<u32> {
        let most = self.most().filter(|_| !self.is_invalid)?;
        let [_, least] = self.least();
        let Some(sums) = sums else {
            return self
                .winners
                .iter()
                .find(|winner| winner.k >= least)
                .map(|winner| winner.category);
        };
        let log2_categories = log2_floor(whole as u32);
        let epsilon = self.truncation.epsilon().map_or(0, |epsilon| share_of(epsilon, sums.all));
        let total = match self.truncation.share {
            Share::TopK => sums.of_k,
            Share::All => sums.all,
            Share::Rest => sums.of_rest,
        };
        let limit = self.truncation.p().map(|p| share_of(p, total));
        let is_kept = |(winner, above): &(&Candidate, &u64)| {
            let is_light = weight(most.abs_diff(winner.k), log2_categories) < epsilon;
            let is_beyond = limit.is_some_and(|limit| **above >= limit);
            winner.k == most || winner.k >= least && !is_light && !is_beyond
        };
        self.winners.iter().zip(&sums.above).find(is_kept).map(|(winner, _)| winner.category)
    }
}

impl ShardDraws {
    /// Adds what other shards of the same rows tell. If that is an error, nothing is added.
    ///
    /// # Errors
    /// [`Error::Shards`] if they are shards of other rows, were asked with another truncation or another choice of sentinels,
    /// or have categories that are here already, and [`Error::TooManyDraws`] if there is no memory for both.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        let wrong = |problem| Err(Error::Shards { problem });
        let (a, b) = (self.rows.len(), other.rows.len());
        if a != b {
            return wrong(format!("{a} rows, and {b}"));
        }
        let mut pairs = self.rows.iter().zip(&other.rows);
        if let Some(row) = pairs.position(|(a, b)| a.truncation != b.truncation) {
            return wrong(format!("row {row} has two truncations"));
        }
        if self.sentinels != other.sentinels {
            return wrong("some were asked for sentinels, and some not".to_owned());
        }
        let parts = self.parts.merged(&other.parts, a)?;
        // all memory is there before anything is added
        for (row, other) in self.rows.iter_mut().zip(&other.rows) {
            row.winners
                .try_reserve(other.winners.len())
                .and_then(|()| row.largest.try_reserve(other.largest.len()))
                .map_err(|_| Error::TooManyDraws { rows: a, draws: 1 })?;
        }
        self.parts = parts;
        for (row, other) in self.rows.iter_mut().zip(&other.rows) {
            row.is_invalid |= other.is_invalid;
            row.winners.extend(&other.winners);
            row.largest.extend(&other.largest);
            row.tidy();
        }
        Ok(())
    }

    /// Checks that these are results of all shards of so many rows of so many categories.
    pub(crate) fn check(&self, rows: usize, whole: usize) -> Result<(), Error> {
        let wrong = |problem| Err(Error::Shards { problem });
        let (a, b) = (self.rows.len(), self.parts.whole);
        if a != rows {
            return wrong(format!("{a} rows, and {rows}"));
        }
        if b != whole {
            return wrong(format!("rows of {b} categories, and of {whole}"));
        }
        self.parts.check()
    }

    /// Whether the draws need [sums](crate::Sampler::sum_shard): if a row is cut by top-p or epsilon.
    pub fn need_sums(&self) -> bool {
        self.rows.iter().any(Row::needs_sums)
    }

    /// The draws of the whole rows, of which all shards have been merged. `sums` are those of all shards, if they are
    /// [needed](Self::need_sums).
    ///
    /// # Errors
    /// [`Error::Shards`] if a shard is missing, or if sums are needed and are not there or are not those of these rows;
    /// [`Error::NoDrawOfShards`] for the first row that has no draw, unless the options asked for sentinels; and
    /// [`Error::TooManyDraws`] if there is no memory for the draws.
    pub fn draws(&self, sums: Option<&ShardSums>) -> Result<Vec<u32>, Error> {
        let wrong = |problem| Err(Error::Shards { problem });
        self.parts.check()?;
        let rows = self.rows.len();
        let sums = match sums {
            _ if !self.need_sums() => None,
            None => {
                return wrong("rows cut by top-p or epsilon need the sums of sum_shard".to_owned());
            }
            Some(sums) => {
                sums.parts.check()?;
                let fits = |(row, sums): (&Row, &RowSums)| row.winners.len() == sums.above.len();
                if sums.rows.len() != rows || !self.rows.iter().zip(&sums.rows).all(fits) {
                    return wrong("the sums are those of other rows".to_owned());
                }
                Some(sums)
            }
        };
        let mut draws = Vec::new();
        let no_memory = |_| Error::TooManyDraws { rows, draws: 1 };
        draws.try_reserve_exact(rows).map_err(no_memory)?;
        for (i, row) in self.rows.iter().enumerate() {
            let sums = sums.filter(|_| row.needs_sums()).map(|sums| &sums.rows[i]);
            draws.push(match row.draw(sums, self.parts.whole) {
                Some(draw) => draw,
                None if self.sentinels => NO_DRAW,
                None => return Err(Error::NoDrawOfShards { row: i }),
            });
        }
        Ok(draws)
    }
}

impl ShardSums {
    /// Adds the sums of other shards of the same rows. If that is an error, nothing is added.
    ///
    /// # Errors
    /// [`Error::Shards`] if they are sums of other rows, or of categories that are here already, and
    /// [`Error::TooManyDraws`] if there is no memory for both.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        let fits = |(a, b): (&RowSums, &RowSums)| a.above.len() == b.above.len();
        if self.rows.len() != other.rows.len() || !self.rows.iter().zip(&other.rows).all(fits) {
            let problem = "the sums are those of other rows".to_owned();
            return Err(Error::Shards { problem });
        }
        self.parts = self.parts.merged(&other.parts, self.rows.len())?;
        for (sums, other) in self.rows.iter_mut().zip(&other.rows) {
            // weights of one row add up to less than 2⁶³
            sums.all = sums.all.saturating_add(other.all);
            sums.of_k = sums.of_k.saturating_add(other.of_k);
            sums.of_rest = sums.of_rest.saturating_add(other.of_rest);
            for (above, other) in sums.above.iter_mut().zip(&other.above) {
                *above = above.saturating_add(*other);
            }
        }
        Ok(())
    }
}
