//! Draws from long rows of logits that are restricted, without copies of the rows where that is possible.
//!
//! The draw of a restricted row is the category with the largest key among those that are kept. There are three short
//! ways to it, and all give that very category:
//!
//! * **List, then race.** If few categories are left (top-k, min-p, a mask of few), they are listed (`list`), and their keys are
//!   computed side by side. The other categories need no noise at all. A list may have more than is kept: if the category with
//!   its largest key is kept, it is the draw, and else the list is cut and raced again.
//! * **Behind a door.** If a mask says what is left, or a threshold that follows from the largest value (min-p), the rest
//!   reads as values that are never drawn (`door`).
//! * **Draw first, then check.** Otherwise a category is drawn from the whole row, or from what min-p leaves of it. If the
//!   category is kept, it is the draw, since its key is the largest of all. If not, everything that is no more probable is
//!   cut as well, and the draw is repeated among the rest. Whether a category is kept is decided by sums in floats with
//!   proven slack (`tally`): those of the largest values of groups if they suffice, then those of the row; and by the exact cut
//!   only where that leaves a doubt.
//!
//! Without the filter none of this is done, and rows are drawn from as copies.

use super::cut::{Cut, first_word_near};
use super::door::{CopyKept, CountAllowed, Kept};
use super::list::{List, Listed, ONE_IN};
use super::maxima::Maxima;
use super::tally::{Tally, Verdict};
use crate::cpu::Cpu;
use crate::cpu::keys::BestOfList;
use crate::cpu::schedule::Plan;
use crate::cpu::simd::{Simd, Task};
use crate::cpu::vector_value::VectorValue;
use crate::error::Error;
use crate::job::{Job, NO_DRAW, Restriction, Temperature, lengthen};
use crate::noise::bits::FLAT;
use crate::noise::cuts::distance_of;
use crate::noise::order::{Scale, number};
use crate::options::{Data, Method, Rows, Share, Truncation, Value, Widen, allows};

/// Rows of fewer categories are drawn from as copies.
const LONG: usize = 512;
/// The rows of a job are divided among threads until this is the most that a thread takes at once, unless one row is more.
const AT_ONCE: usize = 1 << 16;
/// How often a row is drawn from until its cut is found exactly, which costs some fifteen draws: no row takes more.
const TURNS: usize = 8;
/// A mask of at most one in so many categories is listed.
const LISTED: usize = 32;

impl Cpu {
    /// Whether [`draw_restricted`](Self::draw_restricted) takes a job.
    pub(crate) fn takes_restrictions(&self, job: &Job<'_>) -> bool {
        let is_in_place = job.logits.is_in_place() && job.adjustment.is_none();
        let is_of_logits = !job.logits.format().is_of_weights();
        let is_long = (LONG..1 << 24).contains(&job.logits.categories());
        // many draws of a row share one copy of it
        let few = job.draws == 1;
        let noisy = job.method == Method::Gumbel && job.temperature != Temperature::Greedy;
        self.filter && is_in_place && is_of_logits && is_long && few && noisy
    }

    /// Writes a draw for each row of a restricted job whose rows have the same options.
    ///
    /// # Errors
    /// [`Error::NoMemoryForRows`].
    pub(crate) fn draw_restricted(&self, job: &Job<'_>, draws: &mut [u32]) -> Result<(), Error> {
        let rows = draws.len();
        if rows > 1 && rows * job.logits.categories() > AT_ONCE {
            let (of_some, of_others) = (job.part(0..rows / 2), job.part(rows / 2..rows));
            let (some, others) = draws.split_at_mut(rows / 2);
            let some = || self.draw_restricted(&of_some, some);
            return self.both(job.work(), some, || self.draw_restricted(&of_others, others));
        }
        match job.logits.data() {
            Data::F32(rows) => self.draw_from(job, rows, draws),
            Data::F16(rows) => self.draw_from(job, rows, draws),
            Data::Bf16(rows) => self.draw_from(job, rows, draws),
            Data::Weights(_) | Data::Counts(_) => {
                unreachable!("rows of weights are drawn from as copies")
            }
        }
    }

    fn draw_from<T: VectorValue + Widen>(
        &self,
        job: &Job<'_>,
        rows: Rows<'_, T>,
        draws: &mut [u32],
    ) -> Result<(), Error> {
        let free = Job { restriction: Restriction::default(), ..*job };
        let plan = Plan::new(&free, self.isa, true);
        let mask = |i| job.restriction.allowed.map(|allowed| allowed.of_row(i));
        let mut row =
            RestrictedRow { plan: &plan, row: 0, words: Vec::new(), maxima: Maxima::default() };
        let is_cut = |i| !job.cut_of(i).0.is_none(rows.categories());
        let allows_most = |i| mask(i).is_some_and(|mask| row.allows_most(rows.row(i), mask));
        if (0..draws.len()).all(|i| !is_cut(i) && allows_most(i)) {
            // as a call without masks: from one row to the next with the same memory
            plan.races(0, draws, &mut []);
            for (i, draw) in draws.iter_mut().enumerate() {
                row.row = i;
                if let Some(mask) = mask(i) {
                    let whole = Some(*draw).filter(|&draw| draw != NO_DRAW);
                    *draw = row.allowed(rows.row(i), mask, whole).unwrap_or(NO_DRAW);
                }
            }
            return Ok(());
        }
        for (i, draw) in draws.iter_mut().enumerate() {
            row.row = i;
            let (truncation, scale) = job.cut_of(i);
            *draw = row.draw(rows.row(i), mask(i), truncation, scale)?.unwrap_or(NO_DRAW);
        }
        Ok(())
    }
}

/// A row on its way to its draw, and memory for its words.
struct RestrictedRow<'a> {
    plan: &'a Plan<'a>,
    row: usize,
    words: Vec<u32>,
    maxima: Maxima,
}

impl RestrictedRow<'_> {
    fn draw<T: VectorValue + Widen>(
        &mut self,
        values: &[T],
        mask: Option<&[u32]>,
        truncation: &Truncation,
        scale: Scale,
    ) -> Result<Option<u32>, Error> {
        // the largest value is never cut
        let is_greedy = self.plan.job.temperature == Temperature::Greedy;
        let is_cut = !is_greedy && !truncation.is_none(values.len());
        let Some(mask) = mask else {
            return if is_cut {
                self.cut(values, truncation, scale)
            } else {
                Ok(self.whole(values))
            };
        };
        let mask = &mask[..values.len().div_ceil(32)];
        let kept = Kept::all(values).allowed(mask);
        if is_cut {
            let mut copy = Vec::new();
            memory_for_row(&mut copy, values.len(), T::NEVER)?;
            self.plan.isa.run(CopyKept { kept, to: &mut copy });
            return self.cut(&copy, truncation, scale);
        }
        let allowed = self.plan.isa.run(CountAllowed { mask });
        if !is_greedy
            && allowed * LISTED <= values.len()
            && let Some(list) = List::of_mask(values, mask, allowed)
        {
            return Ok(self.race(&list));
        }
        if self.allows_most(values, mask) {
            return Ok(self.allowed(values, mask, self.whole(values)));
        }
        Ok(self.kept(kept))
    }

    /// Whether what a mask allows is nearly all of a row: a draw from all is likely to be one of it.
    fn allows_most<T>(&self, values: &[T], mask: &[u32]) -> bool {
        let mask = &mask[..values.len().div_ceil(32)];
        self.plan.isa.run(CountAllowed { mask }) * 4 >= values.len() * 3
    }

    /// The draw among what a mask allows of a row, of which `whole` is the draw from all.
    fn allowed<T: VectorValue>(
        &self,
        values: &[T],
        mask: &[u32],
        whole: Option<u32>,
    ) -> Option<u32> {
        match whole {
            Some(draw) if allows(mask, draw as usize) => whole,
            // a row with an invalid value has no draw, unless that value is not allowed
            _ => self.kept(Kept::all(values).allowed(mask)),
        }
    }

    /// The draw of a row without a mask.
    fn cut<T: VectorValue + Widen>(
        &mut self,
        values: &[T],
        truncation: &Truncation,
        scale: Scale,
    ) -> Result<Option<u32>, Error> {
        let (isa, categories) = (self.plan.isa, values.len());
        let k = truncation.k_of(categories);
        // without top-k, what it keeps is all
        let truncation = &match (k, truncation.share) {
            (None, Share::TopK) => truncation.with_share(Share::All),
            _ => *truncation,
        };
        let needs_sum = truncation.epsilon().is_some()
            || truncation.p().is_some() && truncation.share == Share::All;
        let lists = k.is_some() || truncation.min_p().is_some();
        // long rows are raced by the maxima of their groups
        let most = match lists || categories > FLAT {
            true => self.maxima.find(isa, values).map_err(|bytes| no_memory(categories, bytes))?,
            false => Maxima::largest(isa, values),
        };
        let Some(most) = most else { return Ok(self.whole(values)) };
        let tally = Tally::new(most, scale, categories);
        let sum = || needs_sum.then(|| tally.sum(isa, values));
        if let Some(k) = k {
            if let Listed::All(mut list) = self.maxima.of_largest(isa, values, k, scale) {
                let is_short = |list: &List<T>| list.len() * ONE_IN <= categories;
                // it holds little more than the k largest
                let drawn = if is_short(&list) { self.race(&list) } else { None };
                if drawn.is_some_and(|draw| list.must_keep(draw, truncation, scale, categories)) {
                    return Ok(drawn);
                }
                if list.cut(truncation, scale, categories, sum()) {
                    return Ok(match is_short(&list) {
                        true => self.race(&list),
                        false => self.among(values, list.least()),
                    });
                }
            }
            return self.exactly(values, truncation, scale);
        }
        let is_of_rest = truncation.share == Share::Rest && truncation.p().is_some();
        let Some(share) = truncation.min_p() else {
            if is_of_rest && truncation.epsilon().is_some() {
                return self.exactly(values, truncation, scale);
            }
            return self.checked(values, f32::NEG_INFINITY, tally, truncation, scale);
        };
        let least = least_of_min_p(most, share, scale);
        let is_alone = truncation.p().is_none() && truncation.epsilon().is_none();
        if let Listed::All(mut list) = self.maxima.not_below(isa, values, least) {
            let drawn = self.race(&list);
            let keeps = |draw| list.must_keep(draw, truncation, scale, categories);
            if is_alone || drawn.is_some_and(keeps) {
                return Ok(drawn);
            }
            return match list.cut(truncation, scale, categories, sum()) {
                true => Ok(self.race(&list)),
                false => self.exactly(values, truncation, scale),
            };
        }
        if is_alone {
            return Ok(self.among(values, least));
        }
        if is_of_rest && truncation.epsilon().is_some() {
            return self.exactly(values, truncation, scale);
        }
        let tally = if is_of_rest { tally.of_rest(isa, values, least) } else { tally };
        self.checked(values, least, tally, truncation, scale)
    }

    /// The draw of a row from a bound on, below which all is cut: a category is drawn, and checked by sums.
    fn checked<T: VectorValue + Widen>(
        &mut self,
        values: &[T],
        least: f32,
        tally: Tally,
        truncation: &Truncation,
        scale: Scale,
    ) -> Result<Option<u32>, Error> {
        let mut drawn = self.among(values, least);
        if let Some(draw) = drawn
            && least == f32::NEG_INFINITY
            && self.is_sure(values, values[draw as usize], &tally, truncation)
        {
            return Ok(drawn);
        }
        for _ in 0..TURNS {
            let Some(draw) = drawn else { return Ok(None) };
            let value = values[draw as usize];
            match tally.verdict(self.plan.isa, values, value, truncation) {
                Verdict::Kept => return Ok(drawn),
                Verdict::Doubt => break,
                Verdict::Cut => {}
            }
            // what is no more probable is cut as well
            drawn = self.among(values, f32::of_word(tally.first_above(value)));
        }
        self.exactly(values, truncation, scale)
    }

    /// Whether the largest values of groups show that top-p keeps a category, without another look at the row: what they and
    /// the few categories above that one weigh is enough. Nothing else may cut the row.
    fn is_sure<T: VectorValue + Widen>(
        &self,
        values: &[T],
        drawn: T,
        tally: &Tally,
        truncation: &Truncation,
    ) -> bool {
        let (isa, categories) = (self.plan.isa, values.len());
        let Some(p) = truncation.p() else { return false };
        if categories <= FLAT || truncation.epsilon().is_some() {
            return false;
        }
        let Some(above) = tally.bound_above(drawn) else { return true };
        let Listed::All(list) = self.maxima.not_below(isa, values, above) else {
            return false;
        };
        tally.is_sure(p, list.entries(), tally.sum(isa, self.maxima.groups()))
    }

    /// The draw by the exact cut.
    fn exactly<T: VectorValue + Widen>(
        &mut self,
        values: &[T],
        truncation: &Truncation,
        scale: Scale,
    ) -> Result<Option<u32>, Error> {
        memory_for_row(&mut self.words, values.len(), 0)?;
        let cut = self.plan.isa.run(FindCut { values, truncation, scale, words: &mut self.words });
        Ok(cut.and_then(|Cut { least }| self.among(values, f32::of_word(least))))
    }

    /// The draw of a row of which all may be drawn.
    fn whole<T: VectorValue>(&self, values: &[T]) -> Option<u32> {
        self.plan.race(self.plan.job.stream(self.row, 0), values, 0).draw()
    }

    /// The draw among what is kept of a row.
    fn kept<T: VectorValue>(&self, kept: Kept<'_, T>) -> Option<u32> {
        self.plan.race(self.plan.job.stream(self.row, 0), kept, 0).draw()
    }

    /// The draw among the values of a row from a bound on. If the row is long, the maxima of its groups have been found, and
    /// bounds never fall.
    fn among<T: VectorValue>(&mut self, values: &[T], least: f32) -> Option<u32> {
        let stream = self.plan.job.stream(self.row, 0);
        let maxima = self.maxima.at_least(self.plan.isa, least);
        let outcome = match least > f32::NEG_INFINITY {
            true => self.plan.race_of_maxima(stream, Kept::all(values).from(least), maxima),
            false => self.plan.race_of_maxima(stream, values, maxima),
        };
        outcome.draw()
    }

    /// The draw among listed categories, `None` if there is none or if one of them is invalid.
    fn race<T: VectorValue + Widen>(&self, list: &List<T>) -> Option<u32> {
        let Plan { job, isa, keys, .. } = *self.plan;
        let stream = job.stream(self.row, 0);
        let (scale, categories) = (job.scale(), job.logits.categories());
        isa.run(BestOfList { stream, scale, keys, categories, entries: list.entries() }).draw()
    }
}

/// Makes a vector as long as a row.
fn memory_for_row<T: Clone>(vector: &mut Vec<T>, categories: usize, value: T) -> Result<(), Error> {
    lengthen(vector, categories, value).map_err(|bytes| no_memory(categories, bytes))
}

fn no_memory(categories: usize, bytes: usize) -> Error {
    Error::NoMemoryForRows { rows: 1, categories, bytes }
}

/// The least logit that min-p keeps, if `most` is the largest.
fn least_of_min_p(most: f32, share: f32, scale: Scale) -> f32 {
    let k = |x: f32| x.fixed(scale);
    let least = k(most).saturating_sub_unsigned(distance_of(share));
    let guess = number(least) as f32 / scale.reciprocal();
    let guess = if guess.is_nan() { most } else { guess };
    let meets = |word| k(f32::of_word(word)) >= least;
    let word = first_word_near(guess.word(), f32::MIN.word(), most.word(), meets);
    f32::of_word(word)
}

struct FindCut<'a, T> {
    values: &'a [T],
    truncation: &'a Truncation,
    scale: Scale,
    words: &'a mut [u32],
}

impl<T: VectorValue> Task for FindCut<'_, T> {
    type Output = Option<Cut>;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> Option<Cut> {
        Cut::new(self.values, self.truncation, self.scale, self.words)
    }
}
