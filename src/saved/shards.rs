//! Results of shards, which travel between devices.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use crate::options::Truncation;
use crate::results::{Candidate, Parts, Row, RowSums};
use crate::{ShardDraws, ShardSums};

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "ShardDraws", deny_unknown_fields)]
struct SavedDraws {
    whole: usize,
    ends: Vec<[usize; 2]>,
    sentinels: bool,
    rows: Vec<SavedRow>,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "Row", deny_unknown_fields)]
struct SavedRow {
    truncation: Truncation,
    is_invalid: bool,
    /// K, key and category.
    winners: Vec<(i64, i64, u32)>,
    largest: Vec<i64>,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "ShardSums", deny_unknown_fields)]
struct SavedSums {
    whole: usize,
    ends: Vec<[usize; 2]>,
    /// The sums of all weights, of those that top-k keeps and of those that top-k and min-p keep; the sum above each winner.
    rows: Vec<([u64; 3], Vec<u64>)>,
}

impl From<&ShardDraws> for SavedDraws {
    fn from(draws: &ShardDraws) -> Self {
        let row = |row: &Row| SavedRow {
            truncation: row.truncation,
            is_invalid: row.is_invalid,
            winners: row.winners.iter().map(|won| (won.k, won.key, won.category)).collect(),
            largest: row.largest.clone(),
        };
        let Parts { whole, ends } = &draws.parts;
        Self {
            whole: *whole,
            ends: ends.clone(),
            sentinels: draws.sentinels,
            rows: draws.rows.iter().map(row).collect(),
        }
    }
}

impl SavedRow {
    /// The row, if its lists are in order.
    fn row(self, whole: usize) -> Result<Row, &'static str> {
        let Self { truncation, is_invalid, winners, largest } = self;
        let candidate = |(k, key, category)| Candidate { k, key, category };
        let winners = winners.into_iter().map(candidate).collect();
        let row = Row { truncation, is_invalid, winners, largest };
        let mut tidy = row.clone();
        tidy.tidy();
        if tidy != row {
            return Err(
                "winners have rising Ks and falling keys, and the largest Ks fall, k at most",
            );
        }
        if row.winners.iter().any(|winner| winner.category as usize >= whole) {
            return Err("a winner is no category of the row");
        }
        Ok(row)
    }
}

/// Parts of rows, if they are in order.
fn parts(whole: usize, ends: Vec<[usize; 2]>) -> Result<Parts, &'static str> {
    let are_parts = ends.iter().all(|&[first, end]| first < end && end <= whole);
    let are_apart = ends.windows(2).all(|pair| pair[0][1] <= pair[1][0]);
    if whole == 0 || whole > u32::MAX as usize || !are_parts || !are_apart {
        return Err("the parts of a row rise, do not overlap, and lie within the row");
    }
    Ok(Parts { whole, ends })
}

impl Serialize for ShardDraws {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SavedDraws::from(self).serialize(serializer)
    }
}

/// Reads results whose lists are in the order in which they were written.
impl<'de> Deserialize<'de> for ShardDraws {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SavedDraws { whole, ends, sentinels, rows } = SavedDraws::deserialize(deserializer)?;
        let rows = rows.into_iter().map(|row| row.row(whole)).collect::<Result<_, _>>();
        let parts = parts(whole, ends).map_err(D::Error::custom)?;
        Ok(Self { parts, sentinels, rows: rows.map_err(D::Error::custom)? })
    }
}

impl Serialize for ShardSums {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Parts { whole, ends } = &self.parts;
        let row = |row: &RowSums| ([row.all, row.of_k, row.of_rest], row.above.clone());
        let rows = self.rows.iter().map(row).collect();
        SavedSums { whole: *whole, ends: ends.clone(), rows }.serialize(serializer)
    }
}

/// Reads sums of which none exceeds that of all.
impl<'de> Deserialize<'de> for ShardSums {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SavedSums { whole, ends, rows } = SavedSums::deserialize(deserializer)?;
        let parts = parts(whole, ends).map_err(D::Error::custom)?;
        let row = |([all, of_k, of_rest], above): ([u64; 3], Vec<u64>)| {
            let most = above.iter().copied().fold(of_k.max(of_rest), u64::max);
            (most <= all).then_some(RowSums { all, of_k, of_rest, above })
        };
        let rows = rows.into_iter().map(row).collect::<Option<_>>();
        let rows = rows.ok_or_else(|| D::Error::custom("a sum exceeds that of all"))?;
        Ok(Self { parts, rows })
    }
}
