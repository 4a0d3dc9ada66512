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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ShardDraws {
    /// The number of categories of whole rows.
    pub(crate) whole: usize,
    pub(crate) sentinels: bool,
    pub(crate) rows: Vec<Row>,
}

/// What shards tell of a row.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Row {
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ShardSums {
    pub(crate) rows: Vec<RowSums>,
}

/// Sums of integer weights, relative to the largest K of the whole row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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
        // what is read from elsewhere may have no categories
        let log2_categories = log2_floor((whole as u32).max(1));
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
    /// Adds what other shards of the same rows tell.
    ///
    /// # Errors
    /// [`Error::Shards`] if they are shards of other rows: of another number of rows or categories, or with other truncations.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        let different = |what, of: usize, other: usize| Err(Error::Shards { what, of, other });
        if self.rows.len() != other.rows.len() {
            return different("rows", self.rows.len(), other.rows.len());
        }
        if self.whole != other.whole {
            return different("categories", self.whole, other.whole);
        }
        let truncations = self.rows.iter().zip(&other.rows);
        let differ = truncations.filter(|(a, b)| a.truncation != b.truncation).count();
        if differ > 0 {
            return different(
                "truncations like the others'",
                self.rows.len(),
                self.rows.len() - differ,
            );
        }
        for (row, other) in self.rows.iter_mut().zip(&other.rows) {
            row.is_invalid |= other.is_invalid;
            row.winners.extend(&other.winners);
            row.largest.extend(&other.largest);
            row.tidy();
        }
        Ok(())
    }

    /// Whether the draws need [sums](crate::Sampler::sum_shard): if a row is cut by top-p or epsilon.
    pub fn need_sums(&self) -> bool {
        self.rows.iter().any(Row::needs_sums)
    }

    /// The draws of the whole rows, of which all shards have been merged. `sums` are those of all shards, if they are
    /// [needed](Self::need_sums).
    ///
    /// # Errors
    /// [`Error::Shards`] if sums are needed and are not there or are not those of these rows, and [`Error::NoDrawOfShards`] for the first row
    /// that has no draw, unless the options asked for sentinels.
    pub fn draws(&self, sums: Option<&ShardSums>) -> Result<Vec<u32>, Error> {
        let of_rows = sums.map_or(&[][..], |sums| &sums.rows);
        let rows = self.rows.len();
        let fit = |(row, sums): (&Row, &RowSums)| row.winners.len() == sums.above.len();
        let fitting = self.rows.iter().zip(of_rows).take_while(|&pair| fit(pair)).count();
        if self.need_sums() && (of_rows.len() != rows || fitting != rows) {
            return Err(Error::Shards { what: "rows with sums", of: rows, other: fitting });
        }
        let draw = |(i, row): (usize, &Row)| {
            let sums = if row.needs_sums() { of_rows.get(i) } else { None };
            match row.draw(sums, self.whole) {
                Some(draw) => Ok(draw),
                None if self.sentinels => Ok(NO_DRAW),
                None => Err(Error::NoDrawOfShards { row: i }),
            }
        };
        self.rows.iter().enumerate().map(draw).collect()
    }
}

impl ShardSums {
    /// Adds the sums of other shards of the same rows.
    ///
    /// # Errors
    /// [`Error::Shards`] if they are sums of other rows.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        let fit = |(a, b): (&RowSums, &RowSums)| a.above.len() == b.above.len();
        let (of, pairs) = (self.rows.len(), self.rows.iter().zip(&other.rows));
        let fitting = pairs.take_while(|&pair| fit(pair)).count();
        if fitting != of || other.rows.len() != of {
            return Err(Error::Shards { what: "rows with sums", of, other: fitting });
        }
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
