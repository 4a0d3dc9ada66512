//! What is left of drafts once the target has drawn.

use crate::error::Error;
use crate::job::NO_DRAW;
use crate::options::Drafts;

/// The outcome of a verification: for each request the drafts that the target would have drawn itself, and one category more.
///
/// ```
/// use gumbel::{CpuSampler, Drafts, Logits, SampleOptions};
/// // at temperature 0 the target draws 2 after the text, 0 after that, and 1 after that
/// let target = [0.0, 1.0, 9.0, 9.0, 1.0, 0.0, 0.0, 9.0, 1.0];
/// let drafts = Drafts::chains(&[0, 2], &[2, 1])?;
/// let greedy = SampleOptions::default().with_temperature(0.0);
/// let verified = CpuSampler::new().verify_rows(Logits::new(&target, 3)?, &drafts, &greedy)?;
/// assert_eq!(verified.categories(0), [2, 0]); // the first draft is right, and 0 comes in place of the second
/// assert_eq!(verified.accepted(0), 1);
/// # Ok::<(), gumbel::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// For each request, the position of its first category; and then the number of all categories.
    offsets: Vec<usize>,
    categories: Vec<u32>,
    /// For each category the row of its request from which it was drawn.
    rows: Vec<u32>,
}

impl Verified {
    /// The number of requests.
    pub fn requests(&self) -> usize {
        self.offsets.len() - 1
    }

    /// What follows the text of a request: the accepted drafts, and then the category that the target drew where no draft
    /// was right, or after the last draft. That is [`NO_DRAW`] if the row has no draw and the options ask for
    /// sentinels.
    ///
    /// # Panics
    /// If there is no such request.
    pub fn categories(&self, request: usize) -> &[u32] {
        &self.categories[self.offsets[request]..self.offsets[request + 1]]
    }

    /// The number of drafts of a request that are accepted.
    ///
    /// # Panics
    /// If there is no such request.
    pub fn accepted(&self, request: usize) -> usize {
        self.categories(request).len() - 1
    }

    /// The rows of a request from which its categories were drawn: 0, the root, and then those of the accepted drafts, i + 1
    /// for draft i. A model keeps what it has cached for these.
    ///
    /// # Panics
    /// If there is no such request.
    pub fn rows(&self, request: usize) -> &[u32] {
        &self.rows[self.offsets[request]..self.offsets[request + 1]]
    }

    /// Where the categories of each request begin, and those of the last end; the categories, and their rows.
    #[cfg(feature = "serde")]
    pub(crate) fn parts(&self) -> (&[usize], &[u32], &[u32]) {
        (&self.offsets, &self.categories, &self.rows)
    }

    /// The outcome with these parts, or what is wrong with them.
    #[cfg(feature = "serde")]
    pub(crate) fn from_parts(
        offsets: Vec<usize>,
        categories: Vec<u32>,
        rows: Vec<u32>,
    ) -> Result<Self, &'static str> {
        let ends = (offsets.first(), offsets.last());
        if ends != (Some(&0), Some(&categories.len())) || categories.len() != rows.len() {
            return Err("offsets go from 0 to the number of categories, of which each has a row");
        }
        if !offsets.is_sorted_by(|a, b| a < b) {
            return Err("a request has a category or more");
        }
        for request in offsets.windows(2) {
            let of_request = request[0]..request[1];
            let (categories, rows) = (&categories[of_request.clone()], &rows[of_request]);
            if rows[0] != 0 || !rows.is_sorted_by(|a, b| a < b) {
                return Err("the rows of a request begin with 0, the root, and rise");
            }
            if categories[..categories.len() - 1].contains(&NO_DRAW) {
                return Err("nothing comes after a row without a draw");
            }
        }
        Ok(Self { offsets, categories, rows })
    }

    /// An outcome without requests, with memory for the requests of these drafts.
    pub(crate) fn begin(drafts: &Drafts<'_>) -> Result<Self, Error> {
        let (rows, requests) = (drafts.rows(), drafts.requests());
        let no_memory = |_| Error::TooManyDraws { rows, draws: 1 };
        let (mut offsets, mut categories, mut of_rows) = (vec![0], Vec::new(), Vec::new());
        // every row has a category at most
        offsets.try_reserve_exact(requests).map_err(no_memory)?;
        categories.try_reserve_exact(rows).map_err(no_memory)?;
        of_rows.try_reserve_exact(rows).map_err(no_memory)?;
        Ok(Self { offsets, categories, rows: of_rows })
    }

    /// Adds a request with the categories that were drawn, each with its row.
    pub(crate) fn push(&mut self, drawn: impl IntoIterator<Item = (u32, u32)>) {
        for (row, category) in drawn {
            self.rows.push(row);
            self.categories.push(category);
        }
        self.offsets.push(self.categories.len());
    }

    /// The outcome of drafts that are accepted where they are the target's draws, of which there is one for each row.
    ///
    /// # Errors
    /// [`Error::TooManyDraws`] if there is no memory for it.
    pub(crate) fn by_draws(drafts: &Drafts<'_>, draws: &[u32]) -> Result<Self, Error> {
        let mut verified = Self::begin(drafts)?;
        for request in 0..drafts.requests() {
            let (root, guesses) = (drafts.root(request), drafts.guesses(request));
            let mut row = Some(0);
            verified.push(std::iter::from_fn(|| {
                let here = row?;
                let draw = draws[root + here];
                // a guess that comes after row `here` is none of the first `here` guesses
                let is_right = |&guess: &usize| {
                    guesses[guess] == draw && drafts.parent(request, guess) == here
                };
                let right = (here..guesses.len()).find(is_right);
                row = right.filter(|_| draw != NO_DRAW).map(|guess| guess + 1);
                Some((here as u32, draw))
            }));
        }
        Ok(verified)
    }
}
