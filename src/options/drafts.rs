//! What a drafter guessed for each request.

use super::entries::check_offsets;
use crate::error::Error;

/// The categories that a drafter guessed for each of some requests: a chain of categories one after the other, or a tree
/// of them.
///
/// The target's batch has, for each request, a *root* row, from which the first category after the request's text is drawn,
/// and a row for each guess, from which the category after that guess is drawn. Within a request, the root is row 0, and
/// guess j is row j + 1. So there are [`rows`](Self::rows) rows, those of a request side by side.
///
/// The options of a call say for each row what they say for each row of any call. [`per_row`](Self::per_row) makes options
/// of rows of options of requests, such as seeds and temperatures, and [`first_draws`](Self::first_draws) numbers the draws:
/// guess j of a chain is draw number j + 1 after the root's. What depends on the text differs from row to row: a
/// [history](crate::History) has the guesses that a row comes after, and the mask of a grammar is that after these guesses.
///
/// ```
/// use gumbel::Drafts;
/// // request 0 has three guesses, and request 1 none
/// let drafts = Drafts::chains(&[0, 3, 3], &[17, 4, 99])?;
/// assert_eq!((drafts.requests(), drafts.rows()), (2, 5));
/// assert_eq!(drafts.per_row(&["a", "b"])?, ["a", "a", "a", "a", "b"]);
/// assert_eq!(drafts.first_draws(&[100, 7])?, [100, 101, 102, 103, 7]);
/// # Ok::<(), gumbel::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drafts<'a> {
    offsets: &'a [usize],
    categories: &'a [u32],
    /// For each guess the row of its request after which it comes; `None` for chains.
    parents: Option<&'a [u32]>,
}

const WHAT: &str = "drafts";

impl<'a> Drafts<'a> {
    /// A chain for each request: request i has the guesses from `offsets[i]` up to `offsets[i + 1]`, each after the one
    /// before. There is one offset more than there are requests.
    ///
    /// # Errors
    /// [`Error::Entries`] if the offsets do not fit the categories.
    pub fn chains(offsets: &'a [usize], categories: &'a [u32]) -> Result<Self, Error> {
        check_offsets(WHAT, "request", offsets, categories.len())?;
        Ok(Self { offsets, categories, parents: None })
    }

    /// A tree for each request: guess j comes after row `parents[j]` of its request, which is 0 for the root, and i + 1 for
    /// guess i, and must be that of an earlier guess. A drafter that takes the first k categories of its own
    /// [race](crate::Sampler::race_rows) as the children of a node finds the target's draw among them more often than with
    /// one guess.
    ///
    /// ```
    /// use gumbel::Drafts;
    /// // two guesses for the first category, and one more after the second of them
    /// let tree = Drafts::trees(&[0, 3], &[17, 4, 99], &[0, 0, 2])?;
    /// assert_eq!(tree.first_draws(&[100])?, [100, 101, 101, 102]);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Entries`] if offsets or parents do not fit the categories.
    pub fn trees(
        offsets: &'a [usize],
        categories: &'a [u32],
        parents: &'a [u32],
    ) -> Result<Self, Error> {
        let chains = Self::chains(offsets, categories)?;
        let wrong = |problem| Err(Error::Entries { what: WHAT, problem });
        let (all, got) = (categories.len(), parents.len());
        if all != got {
            return wrong(format!("{all} drafts need as many parents, got {got}"));
        }
        for (request, ends) in offsets.windows(2).enumerate() {
            for (draft, &parent) in parents[ends[0]..ends[1]].iter().enumerate() {
                if parent as usize > draft {
                    return wrong(format!(
                        "draft {draft} of request {request} must come after row 0 to {draft}, got {parent}"
                    ));
                }
            }
        }
        Ok(Self { parents: Some(parents), ..chains })
    }

    /// The number of requests.
    pub fn requests(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The number of the target's rows: one for each request, and one for each guess.
    pub fn rows(&self) -> usize {
        self.requests() + self.categories.len()
    }

    /// One element for each row, of one element for each request.
    ///
    /// # Errors
    /// [`Error::Entries`] if there are more or fewer elements than requests, or if there is no memory for the elements.
    pub fn per_row<T: Clone>(&self, of_requests: &[T]) -> Result<Vec<T>, Error> {
        self.check(of_requests.len())?;
        let mut all = memory_for(self.rows())?;
        for (request, element) in of_requests.iter().enumerate() {
            all.extend(std::iter::repeat_n(element, 1 + self.guesses(request).len()).cloned());
        }
        Ok(all)
    }

    /// The number of the draw of each row, of those of the roots: a row that comes after d guesses has the number of its
    /// request's root plus d.
    ///
    /// # Errors
    /// [`Error::Entries`] if there are more or fewer numbers than requests, for a number beyond 2³² − 1, or if there is no
    /// memory for the numbers.
    pub fn first_draws(&self, of_requests: &[u32]) -> Result<Vec<u32>, Error> {
        self.check(of_requests.len())?;
        let mut all: Vec<u32> = memory_for(self.rows())?;
        for (request, &first) in of_requests.iter().enumerate() {
            let root = all.len();
            all.push(first);
            for guess in 0..self.guesses(request).len() {
                let before = all[root + self.parent(request, guess)];
                let draw = before.checked_add(1).ok_or_else(|| Error::Entries {
                    what: WHAT,
                    problem: format!("request {request} begins at draw {first}, too near the end"),
                })?;
                all.push(draw);
            }
        }
        Ok(all)
    }

    fn check(&self, got: usize) -> Result<(), Error> {
        let expected = self.requests();
        if got == expected {
            return Ok(());
        }
        let problem = format!("{expected} requests need as many elements, got {got}");
        Err(Error::Entries { what: WHAT, problem })
    }

    /// Checks that there are rows for the drafts, and that all of them are categories of rows.
    pub(crate) fn check_rows(&self, rows: usize, categories: usize) -> Result<(), Error> {
        let wrong = |problem| Err(Error::Entries { what: WHAT, problem });
        let (requests, all, needed) = (self.requests(), self.categories.len(), self.rows());
        if rows != needed {
            return wrong(format!(
                "{all} drafts of {requests} requests need {needed} rows of the target, got {rows}"
            ));
        }
        for request in 0..requests {
            let guesses = self.guesses(request);
            if let Some(at) = guesses.iter().position(|&guess| guess as usize >= categories) {
                let got = guesses[at];
                return wrong(format!(
                    "draft {at} of request {request} is category {got} of rows of {categories}, numbered from 0"
                ));
            }
        }
        Ok(())
    }

    /// Whether each guess comes after the one before.
    pub(crate) fn are_chains(&self) -> bool {
        let is_chain = |request| {
            (0..self.guesses(request).len()).all(|guess| self.parent(request, guess) == guess)
        };
        self.parents.is_none() || (0..self.requests()).all(is_chain)
    }

    /// The root row of a request.
    pub(crate) fn root(&self, request: usize) -> usize {
        self.offsets[request] + request
    }

    /// The guesses of a request.
    pub(crate) fn guesses(&self, request: usize) -> &'a [u32] {
        &self.categories[self.offsets[request]..self.offsets[request + 1]]
    }

    /// The row of a request after which a guess comes.
    pub(crate) fn parent(&self, request: usize, guess: usize) -> usize {
        self.parents.map_or(guess, |parents| parents[self.offsets[request] + guess] as usize)
    }
}

/// An empty vector with memory for so many elements.
fn memory_for<T>(elements: usize) -> Result<Vec<T>, Error> {
    let mut all = Vec::new();
    all.try_reserve_exact(elements).map_err(|_| {
        let problem = format!("there is no memory for an element for each of {elements} rows");
        Error::Entries { what: WHAT, problem }
    })?;
    Ok(all)
}
