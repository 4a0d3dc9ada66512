//! The definition of a draw, written a second time: in f64, from the definition alone.
//!
//! No line of the crate is used: to go unseen, a mistake would have to be made twice, in two kinds
//! of arithmetic. The oracle has its own Philox and its own counter layout; its keys are f64. A
//! race also returns its margin, because the crate rounds numbers that the oracle does not round.

use std::ops::ControlFlow;

/// The position of a race's noise: a race depends on this, its logits and its temperature.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) seed: u64,
    pub(crate) row: u64,
    pub(crate) draw: u32,
}

/// A mistake that the oracle makes on purpose, to show that a comparison sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    None,
    /// Nine rounds of Philox instead of ten.
    NineRounds,
    /// The low word of the row and the draw number in each other's place.
    RowAndDrawSwapped,
    /// The coarse bits of a category and of its neighbour exchanged.
    HalvesSwapped,
    /// p = V/2⁶⁴ with V's complement: the wrong end of the noise wins.
    WrongEnd,
    /// The scaled logit rounded to f32 before the noise is added.
    ProductRoundedToF32,
    /// Of several largest keys the last one wins.
    LastOfEqualsWins,
    /// In a group every member's alarm is its own, as if none rang first.
    NoFirstMember,
    /// In a group members do not wait for the first alarm.
    NoWait,
}

/// The result of a race.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// The winner, or `None` in a row of NaN, +∞ or nothing but −∞.
    pub(crate) winner: Option<u32>,
    /// The best key less the second best; +∞ if no category won, or no other took part.
    pub(crate) gap: f64,
}

/// Philox4x32 (Salmon et al., SC'11) with any number of rounds.
pub(crate) fn philox(rounds: u32, counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut a, mut b, mut c, mut d] = counter.map(u64::from);
    for round in 0..rounds {
        let bump = |word: u32, by: u32| u64::from(word.wrapping_add(by.wrapping_mul(round)));
        let (x, y) = (a * 0xD2511F53, c * 0xCD9E8D57);
        (a, c) =
            ((y >> 32) ^ b ^ bump(key[0], 0x9E3779B9), (x >> 32) ^ d ^ bump(key[1], 0xBB67AE85));
        (b, d) = (y % (1 << 32), x % (1 << 32));
    }
    [a, b, c, d].map(|word| word as u32)
}

/// Returns the block with this counter, of the words of the coarse kind or, with `fine` = 1, of the fine kind.
fn block(fault: Fault, place: Place, first: u32, fine: u32) -> [u32; 4] {
    let rounds = if fault == Fault::NineRounds { 9 } else { 10 };
    let (mut low, high) = (place.row as u32, (place.row >> 32) as u32);
    let mut draw = place.draw;
    if fault == Fault::RowAndDrawSwapped {
        (low, draw) = (draw, low);
    }
    let key = [place.seed as u32, (place.seed >> 32) as u32];
    philox(rounds, [first, low, high, draw * 2 + fine], key)
}

/// Returns the 64 bits of a category's flat noise.
pub(crate) fn bits(fault: Fault, place: Place, category: u32) -> u64 {
    // the block as 16 bytes, two for each of eight categories
    let coarse = block(fault, place, category / 8, 0).map(u32::to_le_bytes).concat();
    let half = (category % 8) ^ u32::from(fault == Fault::HalvesSwapped);
    let fine = block(fault, place, category, 1).map(u32::to_le_bytes).concat();
    let mut bytes = [0; 8];
    bytes[..6].copy_from_slice(&fine[..6]);
    bytes[6..].copy_from_slice(&coarse[half as usize * 2..][..2]);
    let v = u64::from_le_bytes(bytes);
    if fault == Fault::WrongEnd { !v } else { v }
}

/// Returns −ln(1 − p) with p = (n + ½)/2^bits, for n below 2^bits.
fn time(n: u64, bits: i32) -> f64 {
    let unit = 2f64.powi(-bits);
    if n >> (bits - 1) == 0 {
        -(-(n as f64 + 0.5) * unit).ln_1p()
    } else {
        // 2^64 − n does not fit, and −1 is the ½ on the other side
        -(((u64::MAX >> (64 - bits)) - n) as f64 + 0.5).ln()
            + f64::from(bits) * std::f64::consts::LN_2
    }
}

/// Returns the Gumbel value of a category of a long row: its group's first alarm, and its own time after that.
fn grouped(fault: Fault, place: Place, category: u32) -> f64 {
    let (span, member, lane) = (category / 256, category / 16 % 16, category % 16);
    let group = span * 16 + lane;
    let of_group = |first: u32| block(fault, place, first + group / 4, 0)[group as usize % 4];
    let (word, further) = (of_group(0x4000_0000), of_group(0x6000_0000));
    let first = time(u64::from(word / 16) << 32 | u64::from(further), 60) / 16.0;
    if word % 16 == member && fault != Fault::NoFirstMember {
        return -first.ln();
    }
    let own = block(fault, place, 0x7fff_fff0 + category / 32 * 16 + lane, 1);
    let own = if member % 2 == 0 { [own[0], own[1]] } else { [own[2], own[3]] };
    let own = time(u64::from(own[1]) << 32 | u64::from(own[0]), 64);
    -(if fault == Fault::NoWait { own } else { first + own }).ln()
}

/// Returns the Gumbel value of a category in a row of so many.
pub(crate) fn noise(fault: Fault, place: Place, category: u32, categories: usize) -> f64 {
    if categories > 4096 {
        grouped(fault, place, category)
    } else {
        gumbel(bits(fault, place, category))
    }
}

/// Returns −ln(−ln(1 − p)) with p = (V + ½)/2⁶⁴. The result is right to 10⁻¹⁵ of itself, or some
/// 10⁻⁷ units of 2⁻²⁴.
pub(crate) fn gumbel(v: u64) -> f64 {
    -time(v, 64).ln()
}

/// Races one row. Logits are divided by the temperature as the crate promises: by an exact product
/// with the f32 nearest to 1/temperature, which f64 holds.
pub(crate) fn race(fault: Fault, logits: &[f32], place: Place, temperature: f32) -> Verdict {
    let scale = if temperature == 0.0 { 1.0 } else { f64::from(1.0 / temperature) };
    // Keys count from the largest logit: a difference of two such products is exact wherever it is
    // small enough for the noise to matter.
    let highest = logits.iter().copied().map(f64::from).fold(f64::NEG_INFINITY, f64::max) * scale;
    let (mut best, mut second, mut winner) = (f64::NEG_INFINITY, f64::NEG_INFINITY, None);
    let flow = (0..).zip(logits).try_for_each(|(category, &logit)| {
        if logit.is_nan() || logit == f32::INFINITY {
            return ControlFlow::Break(());
        }
        if logit == f32::NEG_INFINITY {
            return ControlFlow::Continue(());
        }
        let noise =
            if temperature == 0.0 { 0.0 } else { noise(fault, place, category, logits.len()) };
        let mut scaled = f64::from(logit) * scale;
        if fault == Fault::ProductRoundedToF32 {
            scaled = f64::from(scaled as f32);
        }
        let key = scaled - highest + noise;
        let equal = key == best && fault == Fault::LastOfEqualsWins;
        if winner.is_none() || key > best || equal {
            (second, best, winner) = (best, key, Some(category));
        } else {
            second = second.max(key);
        }
        ControlFlow::Continue(())
    });
    if flow.is_break() || winner.is_none() {
        return Verdict { winner: None, gap: f64::INFINITY };
    }
    Verdict { winner, gap: best - second }
}
