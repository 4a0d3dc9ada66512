//! The race of one row for one draw, with flat noise: a row of more categories than `group` takes, up to
//! [`FLAT`](crate::noise::bits::FLAT).
//!
//! A tile of categories is filtered at once. A category that passes the filter becomes a
//! [candidate](super::candidates), and a lower bound on its key raises the cutoff for the categories that
//! follow. At the end closer bounds are put on the candidates' keys: nearly always one candidate is left, and
//! it has won; otherwise those left are evaluated exactly. `shaders/kernel/race.wgsl` runs a race by the same
//! steps in a plainer way.

mod opening;

use opening::OPENING;

use super::bound::{
    Block, RoundKeys, coarse, first, least, not_below, sequence, threshold_at, upper_scores,
};
use super::candidates::{CANDIDATES, Candidates};
use super::exact::{Outcome, evaluate, evaluate_all};
use super::simd::{MAX_TILE, Simd};
use super::values::RowValues;
use super::vector_value::VectorValue;
use crate::filter::{cutoff_at, from_key};
use crate::job::Temperature;
use crate::noise::bits::{OCTET, Stream};
use crate::noise::order::{Best, Scale};
use crate::options::{Chance, Value};

/// A race under way.
pub(super) struct Race<V> {
    stream: Stream,
    scale: Scale,
    row: V,
    /// The factor from [rough](VectorValue::rough) values to the unit of the filter.
    slope: f32,
    /// The least upper end with which a key can still win; −∞ until a key is bounded.
    threshold: f32,
    /// `threshold` as an upper score.
    cutoff: f32,
    candidates: Candidates,
    /// The outcome among the categories that have been evaluated exactly.
    evaluated: Outcome,
    /// False if the filter may have rejected an invalid value; the row is then searched at the end.
    all_valid: bool,
}

impl<V: RowValues> Race<V> {
    #[inline(always)]
    pub(super) fn new(stream: Stream, scale: Scale, row: V) -> Self {
        Self {
            stream,
            scale,
            row,
            slope: V::Value::rough_slope(scale),
            threshold: f32::NEG_INFINITY,
            cutoff: f32::NEG_INFINITY,
            candidates: Candidates::NONE,
            evaluated: Outcome::NONE,
            all_valid: true,
        }
    }

    /// Runs the race among all categories.
    #[inline(always)]
    pub(super) fn run<S: Simd>(&mut self, s: S, keys: &RoundKeys) {
        let tile = S::OCTETS * OCTET;
        let mut octet = 0;
        let mut values = self.row;
        while self.cutoff == f32::NEG_INFINITY && values.len() >= OPENING / 2 * tile {
            let tiles = (values.len() / tile).min(OPENING) & !1;
            self.open(s, values.part(0..tiles * tile), octet, keys);
            values = values.part(tiles * tile..values.len());
            octet += (tiles * S::OCTETS) as u32;
        }
        self.stream(s, values, octet, keys);
    }

    /// Filters the tiles after the opening, two at a time.
    #[inline(always)]
    fn stream<S: Simd>(&mut self, s: S, values: V, mut octet: u32, keys: &RoundKeys) {
        let tile = S::OCTETS * OCTET;
        let mut octets = sequence(s, octet);
        let step = s.all_words(S::OCTETS as u32);
        for pair in values.tiles(2 * tile) {
            let after = s.add_words(octets, step);
            self.filter(s, &pair, [octets, after], octet, keys);
            octets = s.add_words(after, step);
            octet += 2 * S::OCTETS as u32;
        }
        for values in values.after_tiles(2 * tile).parts(tile) {
            self.filter(s, &values.padded().0[..tile], [octets], octet, keys);
            octets = s.add_words(octets, step);
            octet += S::OCTETS as u32;
        }
    }

    /// Filters the next tiles, and collects the candidates among them: nearly always there are none.
    #[inline(always)]
    fn filter<S: Simd, const TILES: usize>(
        &mut self,
        s: S,
        values: &[V::Value],
        octets: [S::Words; TILES],
        octet: u32,
        keys: &RoundKeys,
    ) {
        let coarse = coarse(s, self.counters(s, octets), keys);
        let mut upper = [[s.all(0.0); 4]; TILES];
        let mut all_below = true;
        for i in 0..TILES {
            let values = &values[i * S::OCTETS * OCTET..];
            let rough = V::Value::rough(s, values);
            if V::Value::CHECK_VALID {
                self.all_valid &= V::Value::all_valid(s, rough);
            }
            upper[i] = upper_scores(s, rough, coarse[i], self.slope);
            all_below &= s.all_below(upper[i], s.all(self.cutoff));
        }
        if !all_below {
            let mut block = Block::<{ 2 * MAX_TILE }>::EMPTY;
            for i in 0..TILES {
                block.store(s, i * S::OCTETS, upper[i], coarse[i]);
            }
            let used = TILES * S::OCTETS;
            self.collect_candidates(s, values, &block.upper[..used], &block.coarse[..used], octet);
        }
    }

    #[inline(always)]
    fn counters<S: Simd, const TILES: usize>(
        &self,
        s: S,
        octets: [S::Words; TILES],
    ) -> [[S::Words; 4]; TILES] {
        let Stream { row, draw, .. } = self.stream;
        let rest = [s.all_words(row[0]), s.all_words(row[1]), s.all_words(draw << 1)];
        let mut counters = [[octets[0], rest[0], rest[1], rest[2]]; TILES];
        for i in 1..TILES {
            counters[i][0] = octets[i];
        }
        counters
    }

    /// Makes candidates of the categories that pass the filter; each raises the cutoff for those that follow.
    #[inline(always)]
    fn collect_candidates<S: Simd>(
        &mut self,
        s: S,
        values: &[V::Value],
        upper: &[[f32; OCTET]],
        coarse: &[[i32; OCTET]],
        octet: u32,
    ) {
        let (upper_scores, coarse) = (upper.as_flattened(), coarse.as_flattened());
        if self.cutoff == f32::NEG_INFINITY {
            // no key is bounded yet: the category with the highest upper score sets the first cutoff
            let argmax = first(s, upper, s.max(upper));
            match least(upper_scores[argmax], coarse[argmax], V::Value::accurate_error(self.scale))
            {
                Some(least) if values[argmax].is_bounded() => self.raise(least),
                _ => return self.evaluate_run(values, octet),
            }
        }
        for (k, tile) in upper.chunks_exact(S::OCTETS).enumerate() {
            let mut mask = not_below(s, tile, self.cutoff);
            while mask != 0 {
                let i = S::OCTETS * OCTET * k + mask.trailing_zeros() as usize;
                mask &= mask - 1;
                let value = values[i];
                if value.chance() == Chance::Invalid {
                    self.evaluated.invalid = true;
                } else if upper_scores[i] >= self.cutoff && value.chance() == Chance::Some {
                    if self.candidates.count == CANDIDATES {
                        self.thin_out(s);
                    }
                    let category = octet * OCTET as u32 + i as u32;
                    if !value.is_bounded() {
                        self.evaluate_one(category, coarse[i] as u32, value);
                        continue;
                    }
                    self.candidates.push(category, value.float(), coarse[i], upper_scores[i]);
                    let error = V::Value::accurate_error(self.scale);
                    if let Some(least) = least(upper_scores[i], coarse[i], error) {
                        self.raise(least);
                    }
                }
            }
        }
    }

    /// Bounds the candidates' keys, and keeps the candidates that may win.
    #[inline(always)]
    fn bound<S: Simd>(&mut self, s: S) {
        let upper = self.candidates.upper(s, V::Value::slope(self.scale));
        let error = V::Value::accurate_error(self.scale);
        if let Some(threshold) = self.candidates.threshold(&upper, error) {
            self.raise(threshold);
            self.candidates.retain(|i| upper[i] >= self.threshold);
        }
    }

    /// Makes space for candidates: removes those that cannot win, or evaluates all if none can be removed.
    #[inline(always)]
    fn thin_out<S: Simd>(&mut self, s: S) {
        self.bound(s);
        if self.candidates.count == CANDIDATES {
            self.evaluate_candidates();
        }
    }

    /// Evaluates some categories exactly: a value among them is invalid or beyond the bounds, or all have
    /// probability 0.
    #[cold]
    #[inline(never)]
    fn evaluate_run<W: RowValues>(&mut self, values: W, octet: u32) {
        if values.iter().all(|value| value.chance() == Chance::None) {
            return;
        }
        let temperature = Temperature::Scaled(self.scale);
        let outcome =
            evaluate_all(self.stream, temperature, values, octet * OCTET as u32, self.row.len());
        self.evaluated = self.evaluated.merge(outcome);
        self.raise_to_evaluated();
    }

    /// Evaluates one category exactly, as floats do not bound its key.
    #[cold]
    #[inline(never)]
    fn evaluate_one(&mut self, category: u32, coarse: u32, value: V::Value) {
        let one = evaluate(self.stream, self.scale, category, coarse, value);
        self.evaluated.best = self.evaluated.best.or(one);
        self.raise_to_evaluated();
    }

    /// Evaluates the candidates exactly, and keeps the best of them and of the categories evaluated before.
    #[cold]
    #[inline(never)]
    fn evaluate_candidates(&mut self) {
        let Candidates { count, category, coarse, .. } = self.candidates;
        for i in 0..count {
            let value = self.row.value(category[i] as usize);
            let one = evaluate(self.stream, self.scale, category[i], coarse[i] as u32, value);
            self.evaluated.best = self.evaluated.best.or(one);
        }
        self.candidates.count = 0;
        self.raise_to_evaluated();
    }

    fn raise_to_evaluated(&mut self) {
        if self.evaluated.best != Best::NONE
            && let Some(threshold) = threshold_at(
                from_key(self.evaluated.best.key),
                V::Value::accurate_error(self.scale),
            )
        {
            self.raise(threshold);
        }
    }

    /// Looks for invalid values that the filter may have rejected.
    #[inline(always)]
    fn look_for_invalid(&mut self) {
        if !self.all_valid {
            self.evaluated.invalid |= self.row.has_invalid();
        }
    }

    /// Raises the threshold to this one, and the cutoff with it, unless the threshold is higher already.
    #[inline(always)]
    fn raise(&mut self, threshold: f32) {
        if threshold > self.threshold {
            self.threshold = threshold;
            self.cutoff = cutoff_at(threshold) - V::Value::rough_error(self.scale);
        }
    }

    /// The outcome, with the winner's key.
    #[inline(always)]
    pub(super) fn outcome<S: Simd>(&mut self, s: S) -> Outcome {
        self.look_for_invalid();
        self.bound(s);
        self.evaluate_candidates();
        self.evaluated
    }

    /// The winner, or `None` if the row has no draw. No key is evaluated exactly where bounds decide.
    #[inline(always)]
    pub(super) fn draw<S: Simd>(&mut self, s: S) -> Option<u32> {
        self.look_for_invalid();
        if self.evaluated.best == Best::NONE && !self.evaluated.invalid {
            // candidates that are below the cutoff by now are out, which may leave only one
            let mut left = self.candidates.not_below(s, self.cutoff);
            if left.count_ones() > 1 {
                self.bound(s);
                left = self.candidates.not_below(s, self.cutoff);
            }
            if left.count_ones() == 1 {
                return Some(self.candidates.category[left.trailing_zeros() as usize]);
            }
        }
        self.evaluate_candidates();
        self.evaluated.draw()
    }
}
