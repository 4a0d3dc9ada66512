//! Validated calls that verify drafts.

use super::{Job, lengthen};
use crate::error::Error;
use crate::options::{Batch, Drafts, SampleOptions};

/// A call that verifies drafts by the ratio of the probabilities of the target and of the drafter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RatioJob<'a> {
    /// The target's rows.
    pub(crate) target: Job<'a>,
    /// A row for each row of the target but the last of a request: the drafter's row from which the next draft was drawn, with
    /// the options of the target's row.
    pub(crate) drafter: Job<'a>,
    pub(crate) drafts: Drafts<'a>,
}

impl<'a> Job<'a> {
    /// A call for the draws of the rows that drafts need.
    pub(crate) fn of_drafts(
        batch: impl Into<Batch<'a>>,
        drafts: &Drafts<'_>,
        options: &SampleOptions<'a>,
    ) -> Result<Self, Error> {
        let job = Self::new(batch, options)?;
        if job.draws != 1 {
            let problem = format!("a row is drawn from once, got {} draws", job.draws);
            return Err(Error::Entries { what: "drafts", problem });
        }
        drafts.check_rows(job.logits.rows(), job.logits.categories())?;
        Ok(job)
    }
}

impl<'a> RatioJob<'a> {
    /// `indices` is memory for the rows of the drafter.
    pub(crate) fn new(
        target: Batch<'a>,
        drafter: Batch<'a>,
        drafts: &Drafts<'a>,
        options: &SampleOptions<'a>,
        indices: &'a mut Vec<u32>,
    ) -> Result<Self, Error> {
        let wrong = |problem: String| Err(Error::Entries { what: "drafts", problem });
        let target = Job::of_drafts(target, drafts, options)?;
        if options.row_indices.is_some() {
            return wrong("rows that are verified by ratio cannot be gathered".to_owned());
        }
        if !drafts.are_chains() {
            return wrong("the ratio test is of chains, not of trees".to_owned());
        }
        let (expected, got) = (target.logits.categories(), drafter.categories());
        if got != expected {
            return wrong(format!(
                "the target's rows have {expected} categories, and the drafter's {got}"
            ));
        }
        let (rows, requests) = (drafts.rows(), drafts.requests());
        if drafter.rows() != rows - requests {
            let (all, got) = (rows - requests, drafter.rows());
            return wrong(format!("{all} drafts need as many rows of the drafter, got {got}"));
        }
        lengthen(indices, rows, 0).map_err(|bytes| Error::NoMemoryForRowIds { rows, bytes })?;
        let mut next = 0;
        for request in 0..requests {
            let first = drafts.root(request);
            for index in &mut indices[first..first + drafts.guesses(request).len()] {
                *index = next;
                next += 1;
            }
        }
        // without drafts there is no row to gather
        let drafter = match next {
            0 => target,
            _ => Job::new(drafter, &options.with_row_indices(indices))?,
        };
        Ok(Self { target, drafter, drafts: *drafts })
    }
}
