//! Mistakes that an engine could make, to check that the batches show them.

use gumbel::NO_DRAW;
use gumbel::noise::bits::{FLAT, Stream};
use gumbel::noise::groups::{
    first_member, group_block, group_of, member_of, noise, own_noise, word_in,
};
use gumbel::noise::gumbel::{UNIT, gumbel};
use gumbel::noise::order::{NEG_INFINITY, greedy_key, is_invalid, key};
use gumbel::reference::Temperature;

use super::batch::Batch;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    None,
    /// The highest of several categories with the largest key wins.
    TiesToTheHighest,
    /// The lowest 48 bits of noise are taken for 0.
    CoarseBitsAlone,
    /// The threshold is a 64th of a power of two too high.
    ThresholdTooHigh,
    /// Keys are compared as `f32`.
    KeysInF32,
    /// In long rows, later members ring as if the first one had not.
    FirstAlarmForgotten,
    /// In long rows, neighbouring members of a group are taken for each other.
    WrongMember,
    /// In long rows, a group of each span is skipped.
    GroupSkipped,
    /// The categories of a last, incomplete octet are left out.
    TailLeftOut,
    /// A NaN or +∞ counts as −∞.
    InvalidIgnored,
    /// At temperature 0, zeros of different sign are not equal, and logits are compared by their
    /// bits.
    OrderOfBits,
}

pub(crate) const FAULTS: [Fault; 10] = [
    Fault::TiesToTheHighest,
    Fault::CoarseBitsAlone,
    Fault::ThresholdTooHigh,
    Fault::KeysInF32,
    Fault::FirstAlarmForgotten,
    Fault::WrongMember,
    Fault::GroupSkipped,
    Fault::TailLeftOut,
    Fault::InvalidIgnored,
    Fault::OrderOfBits,
];

fn rings_first(stream: Stream, category: u32) -> bool {
    let group = group_of(category);
    first_member(word_in(group_block(stream, group / 4), group)) == member_of(category)
}

/// Returns all draws of a batch.
#[expect(clippy::unwrap_used, reason = "a batch has a temperature that is one")]
pub(crate) fn draws(batch: &Batch, data: &[f32], fault: Fault) -> Vec<u32> {
    let logits = batch.logits(data);
    let temperature = Temperature::new(batch.temperature).unwrap();
    let races = (0..batch.rows).flat_map(|row| (0..batch.draws).map(move |draw| (row, draw)));
    races
        .map(|(row, draw)| one(batch, logits.row(row), row, draw, temperature, fault))
        .map(|draw| draw.unwrap_or(NO_DRAW))
        .collect()
}

fn one(
    batch: &Batch,
    logits: &[f32],
    row: usize,
    draw: u32,
    temperature: Temperature,
    fault: Fault,
) -> Option<u32> {
    let stream = batch.stream(row, draw);
    if fault != Fault::InvalidIgnored && logits.iter().any(|x| is_invalid(x.to_bits())) {
        return None;
    }
    // category, key, and the least and the largest key that the leading 16 bits of its noise allow
    let categories = (0..logits.len() as u32).filter_map(|category| {
        let bits = logits[category as usize].to_bits();
        if is_invalid(bits) || bits == NEG_INFINITY {
            return None;
        }
        let Temperature::Scaled(scale) = temperature else {
            let key = if fault == Fault::OrderOfBits {
                i64::from(bits as i32 ^ ((bits as i32 >> 31) as u32 >> 1) as i32) << 32
            } else {
                greedy_key(bits)
            };
            return Some((category, key, key, key));
        };
        let v = noise(stream, category, logits.len());
        let coarse = v >> 48;
        let (least, most) = ((coarse + 1).wrapping_shl(48), coarse << 48);
        let drawn = match fault {
            Fault::CoarseBitsAlone => most,
            _ if logits.len() <= FLAT => v,
            Fault::FirstAlarmForgotten if !rings_first(stream, category) => {
                own_noise(stream, category)
            }
            Fault::WrongMember => noise(stream, category ^ 16, logits.len()),
            _ => v,
        };
        let [key, least, most] =
            [drawn, least.wrapping_sub(1), most].map(|noise| key(bits, scale, gumbel(noise)));
        Some((category, key, least, most))
    });
    let mut categories: Vec<_> = categories.collect();
    match fault {
        Fault::TailLeftOut if logits.len() > 8 => {
            categories.retain(|&(category, ..)| (category as usize) < logits.len() / 8 * 8);
        }
        Fault::ThresholdTooHigh if temperature != Temperature::Greedy => {
            let &(_, _, least, highest) = categories.iter().max_by_key(|of| of.3)?;
            let threshold = least + (UNIT as f64 * std::f64::consts::LN_2 / 64.0) as i64;
            categories.retain(|of| of.3 >= threshold || of.3 == highest);
        }
        Fault::GroupSkipped if logits.len() > FLAT && temperature != Temperature::Greedy => {
            categories.retain(|&(category, ..)| group_of(category) % 16 != 5);
        }
        Fault::KeysInF32 => categories.iter_mut().for_each(|of| of.1 = of.1 as f32 as i64),
        _ => {}
    }
    if fault == Fault::TiesToTheHighest {
        return categories.iter().max_by_key(|of| of.1).map(|of| of.0);
    }
    categories.iter().rev().max_by_key(|of| of.1).map(|of| of.0)
}
