//! What may be drawn: the cuts and the masks that the command line asks for.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use gumbel::{Allowed, SampleOptions, Share, Truncation};
use npyz::NpyFile;

use crate::args::{RestrictArgs, ShareOf};
use crate::error::Error;

/// The cuts, and the masks of the rows of a file.
pub(crate) struct Restriction {
    truncation: Truncation,
    masks: Option<Masks>,
}

/// Masks of bits, as they stand in a .npy file.
struct Masks {
    words: Vec<u32>,
    words_per_row: usize,
    /// The number of masks; `None` if one is for all rows.
    rows: Option<usize>,
    name: String,
}

impl Restriction {
    /// Reads what the options name. There must be a bit for each of so many categories.
    pub(crate) fn new(args: &RestrictArgs, categories: usize) -> Result<Self, Error> {
        let share = match args.share {
            ShareOf::TopK => Share::TopK,
            ShareOf::All => Share::All,
            ShareOf::Rest => Share::Rest,
        };
        let mut truncation = Truncation::new().with_share(share);
        truncation.top_k = args.top_k;
        truncation.top_p = args.top_p;
        truncation.min_p = args.min_p;
        truncation.epsilon = args.epsilon;
        truncation.at_temperature = args.cut_temperature;
        let masks =
            args.allowed.as_deref().map(|path| Masks::read(path, categories)).transpose()?;
        Ok(Self { truncation, masks })
    }

    /// Options for the rows of a file from number `first` on, with what may be drawn of them.
    pub(crate) fn of_rows<'a>(
        &'a self,
        options: SampleOptions<'a>,
        first: u64,
        rows: usize,
    ) -> Result<SampleOptions<'a>, Error> {
        let options = options.with_truncation(self.truncation);
        match &self.masks {
            None => Ok(options),
            Some(masks) => Ok(options.with_allowed(masks.of_rows(first, rows)?)),
        }
    }
}

impl Masks {
    fn read(path: &Path, categories: usize) -> Result<Self, Error> {
        let name = path.display().to_string();
        let unread = |source| Error::Read { name: name.clone(), source };
        let open = || NpyFile::new(BufReader::new(File::open(path)?));
        let shape = open().map_err(unread)?.shape().to_vec();
        // grammar engines write words with a sign
        let words = match open().and_then(|file| file.into_vec::<u32>()) {
            Ok(words) => words,
            Err(_) => {
                let signed = open().and_then(|file| file.into_vec::<i32>()).map_err(unread)?;
                signed.into_iter().map(|word| word as u32).collect()
            }
        };
        let (rows, words_per_row) = match shape[..] {
            [words] => (None, words as usize),
            [rows, words] => (Some(rows as usize), words as usize),
            _ => {
                let axes = shape.len();
                let what = format!(
                    "--allowed {name} has {axes} axes; masks have rows x words, or words alone"
                );
                return Err(Error::Usage(what));
            }
        };
        let needed = categories.div_ceil(32);
        if words_per_row < needed {
            return Err(Error::Usage(format!(
                "--allowed {name} has {words_per_row} words for a row of {categories} categories, which needs {needed}"
            )));
        }
        Ok(Self { words, words_per_row, rows, name })
    }

    fn of_rows(&self, first: u64, rows: usize) -> Result<Allowed<'_>, Error> {
        let Some(all) = self.rows else { return Ok(Allowed::shared(&self.words)) };
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        let end = first.saturating_add(rows);
        if end > all {
            let name = &self.name;
            return Err(Error::Usage(format!(
                "--allowed {name} has {all} masks, and the file has more rows: one for each row is needed, or one for all"
            )));
        }
        let each = self.words_per_row;
        Ok(Allowed::each(&self.words[first * each..end * each], each))
    }
}
