//! What the fuzzer chooses for each row of its own.

use arbitrary::Arbitrary;
use gumbel::SampleOptions;
use gumbel::noise::bits::MAX_DRAWS;

/// The fuzzer's choices of what rows have of their own. Each list is repeated as often as there are rows.
#[derive(Arbitrary, Debug)]
pub struct OwnInput {
    seeds: Option<[u64; 3]>,
    temperatures: Option<[u32; 4]>,
    first_draws: Option<[u16; 3]>,
    row_indices: Option<Vec<u8>>,
    /// So many rows in turn have the same options.
    alike: u8,
}

/// What the rows of a case have of their own.
#[derive(Debug, Default)]
pub(crate) struct Own {
    seeds: Option<Vec<u64>>,
    temperatures: Option<Vec<f32>>,
    first_draws: Option<Vec<u32>>,
    row_indices: Option<Vec<u32>>,
}

/// The most rows of a call that gathers them.
const MOST_GATHERED: usize = 70;

impl Own {
    /// The choices for a batch of so many rows. `temperature` makes a valid temperature of bits.
    pub(crate) fn new(
        input: &OwnInput,
        rows: usize,
        options: &SampleOptions<'_>,
        temperature: impl Fn(u32) -> f32,
    ) -> Self {
        let indices = |indices: &Vec<u8>| {
            let indices = indices.iter().take(MOST_GATHERED);
            // of no rows none can be gathered
            let indices = indices.filter_map(|&index| usize::from(index).checked_rem(rows));
            indices.map(|index| index as u32).collect::<Vec<_>>()
        };
        let row_indices = input.row_indices.as_ref().map(indices);
        let rows = row_indices.as_ref().map_or(rows, Vec::len);
        let at = |row: usize| row / (1 + usize::from(input.alike % 5));
        let room = MAX_DRAWS - options.first_draw - options.draws;
        Self {
            seeds: input.seeds.map(|all| (0..rows).map(|row| all[at(row) % 3]).collect()),
            temperatures: input
                .temperatures
                .map(|all| (0..rows).map(|row| temperature(all[at(row) % 4])).collect()),
            first_draws: input
                .first_draws
                .map(|all| (0..rows).map(|row| u32::from(all[at(row) % 3]).min(room)).collect()),
            row_indices,
        }
    }

    /// With temperatures that have noise: 1 instead of 0.
    pub(crate) fn with_noise(mut self) -> Self {
        for temperature in self.temperatures.iter_mut().flatten() {
            if *temperature == 0.0 {
                *temperature = 1.0;
            }
        }
        self
    }

    /// The number of rows of the call.
    pub(crate) fn rows(&self, rows: usize) -> usize {
        self.row_indices.as_ref().map_or(rows, Vec::len)
    }

    /// The options with those of rows.
    pub(crate) fn add_to<'a>(&'a self, mut options: SampleOptions<'a>) -> SampleOptions<'a> {
        options.seeds = self.seeds.as_deref();
        options.temperatures = self.temperatures.as_deref();
        options.first_draws = self.first_draws.as_deref();
        options.row_indices = self.row_indices.as_deref();
        options
    }
}
