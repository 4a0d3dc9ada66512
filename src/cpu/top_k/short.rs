//! The top k of races of few categories: the keys of all categories, and the rank of each of them.

use crate::cpu::bound::RoundKeys;
use crate::cpu::simd::Simd;
use crate::cpu::tile::{NO_KEY, OCTETS, Tile};
use crate::cpu::vector_value::VectorValue;
use crate::job::Job;
use crate::noise::bits::OCTET;
use crate::noise::order::Scale;
use crate::options::{Chance, Rows};

/// The most categories that are ranked, each against all others.
const MOST: usize = 32;

/// True if evaluating all keys is faster. In rows of n categories the heap evaluates about k·(1 + ln(n/k)) keys singly, each at
/// some four times the cost, and sorts these keys.
pub(super) fn has_short_rows(categories: usize, k: usize) -> bool {
    categories <= MOST && 6 * k >= categories
}

/// Writes the best k categories of the races `first ..` of a job, k for each race, and their keys.
#[inline(always)]
pub(super) fn short_rows<'r, S: Simd, T: VectorValue>(
    s: S,
    (job, rows, first): (&Job<'_>, Rows<'_, T>, usize),
    scale: Scale,
    round_keys: &RoundKeys,
    mut outputs: impl Iterator<Item = (&'r mut [u32], &'r mut [i64])>,
) {
    let categories = rows.categories();
    let octets = categories.div_ceil(OCTET);
    let mut tile = Tile::<T>::new(categories);
    let mut races = job.races(first);
    let mut at_once: [_; OCTETS] = std::array::from_fn(|_| None);
    loop {
        let mut count = 0;
        for slot in &mut at_once[..OCTETS / octets] {
            *slot = outputs.next();
            if slot.is_none() {
                break;
            }
            count += 1;
        }
        let mut invalid = [false; OCTETS];
        for (i, (row, number)) in races.by_ref().take(count).enumerate() {
            tile.place(i * octets, octets, 0, job.stream(row, number));
            tile.values.put(i, rows.row(row));
        }
        let values = tile.values.values().chunks(octets * OCTET);
        for (invalid, values) in invalid.iter_mut().zip(values) {
            let each = values.iter().map(|value| value.chance() == Chance::Invalid);
            *invalid = each.fold(false, |any, one| any | one);
        }
        tile.evaluate(s, count * octets, scale, round_keys);
        let keys = tile.keys.as_flattened().chunks(octets * OCTET);
        for ((slot, keys), invalid) in at_once.iter_mut().zip(keys).zip(invalid).take(count) {
            let Some((categories, won)) = slot.take() else { continue };
            if !invalid {
                match octets {
                    1 => write::<8>(keys, categories, won),
                    2 => write::<16>(keys, categories, won),
                    3 => write::<24>(keys, categories, won),
                    _ => write::<32>(keys, categories, won),
                }
            }
        }
        if count < OCTETS / octets {
            return;
        }
    }
}

/// Writes the categories with the largest keys, of a row of N that are numbered from 0, and the keys.
#[inline(always)]
fn write<const N: usize>(keys: &[i64], categories: &mut [u32], won: &mut [i64]) {
    let Some(keys) = keys.first_chunk::<N>() else { return };
    // how many categories come before each
    let mut ranks = [0i64; N];
    for (j, &other) in keys.iter().enumerate() {
        for (i, (rank, &key)) in ranks.iter_mut().zip(keys).enumerate() {
            *rank += i64::from((other > key) | ((other == key) & (j < i)));
        }
    }
    let (mut in_order, mut their_keys) = ([0; N], [NO_KEY; N]);
    for (category, (&rank, &key)) in (0u32..).zip(ranks.iter().zip(keys)) {
        in_order[rank as usize] = category;
        their_keys[rank as usize] = key;
    }
    let drawable = keys.iter().filter(|&&key| key != NO_KEY).count();
    let k = categories.len().min(drawable);
    categories[..k].copy_from_slice(&in_order[..k]);
    won[..k].copy_from_slice(&their_keys[..k]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::philox::philox4x32_10;

    /// Keys of which many are the same, and categories that cannot be drawn: as a stable sort orders them.
    #[test]
    fn ranks_are_those_of_a_sort() {
        fn check<const N: usize>(keys: &[i64; N], k: usize) {
            let mut sorted: Vec<_> = (0u32..).zip(keys.iter().copied()).collect();
            sorted.retain(|&(_, key)| key != NO_KEY);
            sorted.sort_by_key(|&(_, key)| std::cmp::Reverse(key));
            sorted.resize(k.max(N), (u32::MAX, -7));
            let (mut categories, mut won) = (vec![u32::MAX; k], vec![-7; k]);
            write::<N>(keys, &mut categories, &mut won);
            let found = categories.into_iter().zip(won);
            assert!(found.eq(sorted[..k].iter().copied()), "{keys:?}, {k}");
        }
        for turn in 0..300 {
            let key = |i: usize| {
                let [a, b, ..] = philox4x32_10([i as u32, turn, 0, 0], [3, 4]);
                match turn % 3 {
                    0 => i64::from(a % 5) - 2,
                    1 if a % 4 == 0 => NO_KEY,
                    1 => NO_KEY + 1 + i64::from(b % 3),
                    _ => (i64::from(a) << 32 | i64::from(b)).wrapping_mul(3).max(NO_KEY + 1),
                }
            };
            for k in [1, 2, 7, 8, 40] {
                check::<8>(&std::array::from_fn(key), k);
                check::<16>(&std::array::from_fn(key), k);
                check::<24>(&std::array::from_fn(key), k);
                check::<32>(&std::array::from_fn(key), k);
            }
        }
    }
}
