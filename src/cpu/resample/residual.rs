//! Residual resampling: whole copies first, and draws by the fractions that are left.

use super::super::bound::RoundKeys;
use super::super::cdf::{Races, Table, guide_bits, pick};
use super::super::simd::Isa;
use super::{Noise, float, give, nearest};
use crate::error::Error;
use crate::job::zeroed;

/// Writes the ancestor of each position.
pub(super) fn resample(
    isa: Isa,
    sums: &[u64],
    noise: &Noise<'_>,
    ancestors: &mut [u32],
) -> Result<(), Error> {
    let (n, total) = (ancestors.len() as u64, sums[sums.len() - 1]);
    let no_memory = Error::NoMemoryForPoints { positions: sums.len() };
    let mut left: Vec<u64> = zeroed(sums.len()).ok_or(no_memory.clone())?;
    let of_weight = n as f64 / total as f64;
    let (mut copied, mut before) = (0, 0);
    for ((particle, &end), left) in (0u32..).zip(sums).zip(&mut left) {
        let weight = end - before;
        before = end;
        let copies = copies(weight, n, total, of_weight);
        give(ancestors, copied..copied + copies as usize, particle);
        copied += copies as usize;
        // below `total`, so that the low words suffice
        *left = (weight.wrapping_mul(n)).wrapping_sub(copies.wrapping_mul(total));
    }
    let drawn = &mut ancestors[copied..];
    if drawn.is_empty() {
        return Ok(());
    }
    // the fractions of all copies, shifted so far that their sum is below 2⁶³
    let fractions = u128::from(total) * drawn.len() as u128;
    let shift = (128 - fractions.leading_zeros()).saturating_sub(63);
    let mut sum = 0;
    for left in &mut left {
        sum += *left >> shift;
        *left = sum;
    }
    let mut guide = zeroed(1 << guide_bits(left.len(), drawn.len())).ok_or(no_memory)?;
    // these are sums already
    let table = Table::build(&mut left, &mut guide, false, |_, _| {});
    let Noise { seed, ids, draw } = *noise;
    // positions count from the first that is drawn for
    let races = Races { ids, first_row: copied, first_draw: draw, draws: 1 };
    pick(isa, RoundKeys::new(seed), table, races, drawn, true);
    Ok(())
}

/// ⌊n·weight / total⌋. `of_weight` is n / total to the accuracy of an f64.
#[inline(always)]
fn copies(weight: u64, n: u64, total: u64, of_weight: f64) -> u64 {
    // the rounding error is far below a half
    let near = nearest(float(weight) * of_weight) as u64;
    let too_many = u128::from(near) * u128::from(total) > u128::from(n) * u128::from(weight);
    near - u64::from(too_many)
}
