//! What the vector pipe does, in each lane that is on.

use crate::Error;
use crate::lanes::{sources, store, store_wide, wide};
use crate::listing::{EXEC, Instruction, Place};
use crate::machine::{LANES, Wave};

/// A vector operation, by what it reads and writes.
#[derive(Clone, Copy, Debug)]
pub enum Vector {
    /// A result of one source.
    One(fn(u32) -> u32),
    /// A result of two.
    Two(fn(u32, u32) -> u32),
    /// A result of three.
    Three(fn(u32, u32, u32) -> u32),
    /// A result of two sources and what stands in its place.
    Onto(fn(u32, u32, u32) -> u32),
    /// A result and a carry in its bit 32, of two sources and, if there is a third, a carry.
    Carry(fn(u64, u64, u64) -> u64),
    /// A bit for each lane, which with `true` says too which of them stay on.
    Compare(fn(u32, u32) -> bool, bool),
    /// The same of 64 bits.
    CompareWide(fn(u64, u64) -> bool, bool),
    /// 64 bits of an amount and 64 bits.
    Shift(fn(u64, u32) -> u64),
    /// 64 bits, a product of two words and a sum.
    Product,
    /// The second where a bit is set, the first elsewhere.
    Select,
    /// The bits of a mask that lanes below have, in the lower or the upper half.
    CountBelow(usize),
    /// A scalar from a lane; the first that is on if none is named.
    Read,
    /// A lane from a scalar.
    Write,
    /// From a lane of the same row of 16, or of the one beside it.
    Permute(usize),
}

/// The operation of this name.
pub fn named(name: &str) -> Option<Vector> {
    use Vector::*;
    if let Some(compare) = comparison(name) {
        return Some(compare);
    }
    Some(match name {
        "v_mov_b32" => One(|a| a),
        "v_not_b32" => One(|a| !a),
        "v_bfrev_b32" => One(u32::reverse_bits),
        "v_ffbh_u32" | "v_clz_i32_u32" => One(|a| if a == 0 { !0 } else { a.leading_zeros() }),
        "v_ffbl_b32" | "v_ctz_i32_b32" => One(|a| if a == 0 { !0 } else { a.trailing_zeros() }),
        "v_cvt_f32_u32" => One(|a| (a as f32).to_bits()),
        "v_cvt_f32_i32" => One(|a| (a as i32 as f32).to_bits()),
        "v_cvt_u32_f32" => One(|a| f(a) as u32),
        "v_cvt_i32_f32" => One(|a| f(a) as i32 as u32),
        "v_cvt_u32_u16" => One(|a| a & 0xffff),
        "v_rcp_f32" | "v_rcp_iflag_f32" => One(|a| (1.0 / f(a)).to_bits()),
        "v_log_f32" => One(|a| f(a).log2().to_bits()),
        "v_exp_f32" => One(|a| f(a).exp2().to_bits()),
        "v_add_nc_u32" | "v_add_u32" => Two(u32::wrapping_add),
        "v_sub_nc_u32" | "v_sub_u32" => Two(u32::wrapping_sub),
        "v_subrev_nc_u32" | "v_subrev_u32" => Two(|a, b| b.wrapping_sub(a)),
        "v_mul_lo_u32" | "v_mul_lo_i32" => Two(u32::wrapping_mul),
        "v_mul_hi_u32" => Two(|a, b| ((u64::from(a) * u64::from(b)) >> 32) as u32),
        "v_mul_hi_i32" => Two(|a, b| ((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u32),
        "v_mul_u32_u24" => Two(|a, b| (a & M24).wrapping_mul(b & M24)),
        "v_mul_hi_u32_u24" => Two(|a, b| ((u64::from(a & M24) * u64::from(b & M24)) >> 32) as u32),
        "v_and_b32" => Two(|a, b| a & b),
        "v_or_b32" => Two(|a, b| a | b),
        "v_xor_b32" => Two(|a, b| a ^ b),
        "v_xnor_b32" => Two(|a, b| !(a ^ b)),
        "v_lshlrev_b32" => Two(|a, b| b << (a & 31)),
        "v_lshrrev_b32" => Two(|a, b| b >> (a & 31)),
        "v_ashrrev_i32" => Two(|a, b| (b as i32 >> (a & 31)) as u32),
        "v_min_u32" => Two(u32::min),
        "v_max_u32" => Two(u32::max),
        "v_min_i32" => Two(|a, b| (a as i32).min(b as i32) as u32),
        "v_max_i32" => Two(|a, b| (a as i32).max(b as i32) as u32),
        "v_min_u16" => Two(|a, b| (a & 0xffff).min(b & 0xffff)),
        "v_max_u16" => Two(|a, b| (a & 0xffff).max(b & 0xffff)),
        "v_pk_min_u16" => Two(|a, b| halves(a, b, u16::min)),
        "v_pk_max_u16" => Two(|a, b| halves(a, b, u16::max)),
        "v_add_f32" => Two(|a, b| (f(a) + f(b)).to_bits()),
        "v_sub_f32" => Two(|a, b| (f(a) - f(b)).to_bits()),
        "v_subrev_f32" => Two(|a, b| (f(b) - f(a)).to_bits()),
        "v_mul_f32" => Two(|a, b| (f(a) * f(b)).to_bits()),
        "v_min_f32" => Two(|a, b| f(a).min(f(b)).to_bits()),
        "v_max_f32" => Two(|a, b| f(a).max(f(b)).to_bits()),
        "v_ldexp_f32" => {
            Two(|a, b| ((f64::from(f(a)) * f64::from(b as i32).exp2()) as f32).to_bits())
        }
        "v_bcnt_u32_b32" => Two(|a, b| a.count_ones().wrapping_add(b)),
        "v_bfm_b32" => Two(|a, b| ((1 << (a & 31)) - 1) << (b & 31)),
        "v_lshl_add_u32" => Three(|a, b, c| (a << (b & 31)).wrapping_add(c)),
        "v_add_lshl_u32" => Three(|a, b, c| a.wrapping_add(b) << (c & 31)),
        "v_lshl_or_b32" => Three(|a, b, c| (a << (b & 31)) | c),
        "v_and_or_b32" => Three(|a, b, c| (a & b) | c),
        "v_or3_b32" => Three(|a, b, c| a | b | c),
        "v_xor3_b32" => Three(|a, b, c| a ^ b ^ c),
        "v_xad_u32" => Three(|a, b, c| (a ^ b).wrapping_add(c)),
        "v_add3_u32" => Three(|a, b, c| a.wrapping_add(b).wrapping_add(c)),
        "v_min3_u32" => Three(|a, b, c| a.min(b).min(c)),
        "v_max3_u32" => Three(|a, b, c| a.max(b).max(c)),
        "v_min3_i32" => Three(|a, b, c| (a as i32).min(b as i32).min(c as i32) as u32),
        "v_max3_i32" => Three(|a, b, c| (a as i32).max(b as i32).max(c as i32) as u32),
        "v_med3_i32" => Three(|a, b, c| median(a as i32, b as i32, c as i32) as u32),
        "v_med3_u32" => Three(median),
        "v_min3_f32" => Three(|a, b, c| f(a).min(f(b)).min(f(c)).to_bits()),
        "v_max3_f32" => Three(|a, b, c| f(a).max(f(b)).max(f(c)).to_bits()),
        "v_med3_f32" => Three(|a, b, c| f(a).max(f(b)).min(f(a).min(f(b)).max(f(c))).to_bits()),
        "v_minmax_f32" => Three(|a, b, c| f(a).min(f(b)).max(f(c)).to_bits()),
        "v_maxmin_f32" => Three(|a, b, c| f(a).max(f(b)).min(f(c)).to_bits()),
        "v_fma_f32" | "v_fmaak_f32" => Three(|a, b, c| f(a).mul_add(f(b), f(c)).to_bits()),
        "v_fmamk_f32" => Three(|a, k, b| f(a).mul_add(f(k), f(b)).to_bits()),
        "v_mad_f32" | "v_madak_f32" => Three(|a, b, c| (f(a) * f(b) + f(c)).to_bits()),
        "v_madmk_f32" => Three(|a, k, b| (f(a) * f(k) + f(b)).to_bits()),
        "v_mad_u32_u24" => Three(|a, b, c| (a & M24).wrapping_mul(b & M24).wrapping_add(c)),
        "v_mad_u32_u16" => Three(|a, b, c| ((a & 0xffff) * (b & 0xffff)).wrapping_add(c)),
        "v_bfe_u32" => Three(|a, b, c| (a >> (b & 31)) & (((1u64 << (c & 31)) - 1) as u32)),
        "v_bfe_i32" => Three(|a, b, c| match c & 31 {
            0 => 0,
            width => ((a as i32 >> (b & 31)) << (32 - width) >> (32 - width)) as u32,
        }),
        "v_bfi_b32" => Three(|a, b, c| (a & b) | (!a & c)),
        "v_alignbit_b32" => Three(|a, b, c| (pair(b, a) >> (c & 31)) as u32),
        "v_alignbyte_b32" => Three(|a, b, c| (pair(b, a) >> (8 * (c & 3))) as u32),
        "v_perm_b32" => Three(permuted_bytes),
        "v_fmac_f32" => Onto(|a, b, d| f(a).mul_add(f(b), f(d)).to_bits()),
        "v_mac_f32" => Onto(|a, b, d| (f(a) * f(b) + f(d)).to_bits()),
        "v_add_co_u32" | "v_add_co_ci_u32" | "v_addc_co_u32" => Carry(|a, b, c| a + b + c),
        "v_sub_co_u32" | "v_sub_co_ci_u32" | "v_subb_co_u32" => {
            Carry(|a, b, c| a.wrapping_sub(b).wrapping_sub(c))
        }
        "v_subrev_co_u32" | "v_subrev_co_ci_u32" | "v_subbrev_co_u32" => {
            Carry(|a, b, c| b.wrapping_sub(a).wrapping_sub(c))
        }
        "v_lshlrev_b64" => Shift(|a, by| a << (by & 63)),
        "v_lshrrev_b64" => Shift(|a, by| a >> (by & 63)),
        "v_ashrrev_i64" => Shift(|a, by| (a as i64 >> (by & 63)) as u64),
        "v_mad_u64_u32" | "v_mad_co_u64_u32" => Product,
        "v_cndmask_b32" => Select,
        "v_mbcnt_lo_u32_b32" => CountBelow(0),
        "v_mbcnt_hi_u32_b32" => CountBelow(32),
        "v_readlane_b32" | "v_readfirstlane_b32" => Read,
        "v_writelane_b32" => Write,
        "v_permlane16_b32" => Permute(0),
        "v_permlanex16_b32" => Permute(16),
        _ => return None,
    })
}

/// `v_cmp_le_u32` and the like.
#[allow(clippy::neg_cmp_op_on_partial_ord, reason = "of numbers without order, not less is true")]
fn comparison(name: &str) -> Option<Vector> {
    let (rest, stay) = match name.strip_prefix("v_cmpx_") {
        Some(rest) => (rest, true),
        None => (name.strip_prefix("v_cmp_")?, false),
    };
    macro_rules! compare {
        ($kind:ident, $of:ty, $from:expr) => {
            match rest.split_once('_')?.0 {
                "lt" => Vector::$kind(|a, b| $from(a) < $from(b), stay),
                "le" => Vector::$kind(|a, b| $from(a) <= $from(b), stay),
                "gt" => Vector::$kind(|a, b| $from(a) > $from(b), stay),
                "ge" => Vector::$kind(|a, b| $from(a) >= $from(b), stay),
                "eq" => Vector::$kind(|a, b| $from(a) == $from(b), stay),
                // of numbers without order the first is false and the other true
                "lg" => Vector::$kind(|a, b| $from(a) < $from(b) || $from(a) > $from(b), stay),
                "ne" | "neq" => Vector::$kind(|a, b| $from(a) != $from(b), stay),
                "nlt" => Vector::$kind(|a, b| !($from(a) < $from(b)), stay),
                "nle" => Vector::$kind(|a, b| !($from(a) <= $from(b)), stay),
                "ngt" => Vector::$kind(|a, b| !($from(a) > $from(b)), stay),
                "nge" => Vector::$kind(|a, b| !($from(a) >= $from(b)), stay),
                _ => return None,
            }
        };
    }
    Some(match rest.rsplit_once('_')? {
        ("class", "f32") => Vector::Compare(|a, mask| mask >> class(a, 8, 23) & 1 == 1, stay),
        ("class", "f16") => Vector::Compare(|a, mask| mask >> class(a << 16, 5, 26) & 1 == 1, stay),
        (_, "u32") => compare!(Compare, u32, std::convert::identity::<u32>),
        (_, "i32") => compare!(Compare, i32, |a: u32| a as i32),
        (_, "f32") => compare!(Compare, f32, f),
        (_, "u16") => compare!(Compare, u32, |a: u32| a & 0xffff),
        (_, "i16") => compare!(Compare, i16, |a: u32| a as i16),
        (_, "u64") => compare!(CompareWide, u64, std::convert::identity::<u64>),
        (_, "i64") => compare!(CompareWide, i64, |a: u64| a as i64),
        _ => return None,
    })
}

const M24: u32 = 0xff_ffff;

fn f(bits: u32) -> f32 {
    f32::from_bits(bits)
}

fn pair(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

fn halves(a: u32, b: u32, f: fn(u16, u16) -> u16) -> u32 {
    u32::from(f(a as u16, b as u16)) | u32::from(f((a >> 16) as u16, (b >> 16) as u16)) << 16
}

fn median<T: Ord + Copy>(a: T, b: T, c: T) -> T {
    a.min(b).max(a.max(b).min(c))
}

fn permuted_bytes(a: u32, b: u32, selectors: u32) -> u32 {
    let bytes = pair(b, a).to_le_bytes();
    u32::from_le_bytes(selectors.to_le_bytes().map(|s| match s {
        0..8 => bytes[usize::from(s)],
        12 => 0,
        13.. => 0xff,
        // a sign, as often as there are bits
        _ => 0u8.wrapping_sub(bytes[usize::from(2 * s - 15)] >> 7),
    }))
}

/// Which of the ten kinds of float it is, with so many bits of exponent and a fraction below this bit.
fn class(bits: u32, exponent_bits: u32, shift: u32) -> u32 {
    let negative = bits >> 31 == 1;
    let exponent = bits << 1 >> (32 - exponent_bits);
    let fraction = bits << (32 - shift);
    let of = |below: u32, above: u32| if negative { below } else { above };
    if exponent == (1 << exponent_bits) - 1 {
        return match fraction {
            0 => of(2, 9),
            _ => fraction >> 31,
        };
    }
    match (exponent, fraction) {
        (0, 0) => of(5, 6),
        (0, _) => of(4, 7),
        _ => of(3, 8),
    }
}

/// Does a vector instruction.
pub fn execute(wave: &mut Wave, vector: Vector, of: &Instruction) -> Result<(), Error> {
    let at = |i: usize| of.operands.get(i).ok_or("an operand is missing");
    let target = at(0)?;
    let on = wave.lanes_on();
    match vector {
        Vector::One(f) => {
            let a = sources(wave, of, [1])?[0];
            store(wave, of, on, std::array::from_fn(|i| f(a[i])))
        }
        Vector::Two(f) => {
            let [a, b] = sources(wave, of, [1, 2])?;
            store(wave, of, on, std::array::from_fn(|i| f(a[i], b[i])))
        }
        Vector::Three(f) => {
            let [a, b, c] = sources(wave, of, [1, 2, 3])?;
            store(wave, of, on, std::array::from_fn(|i| f(a[i], b[i], c[i])))
        }
        Vector::Onto(f) => {
            let [a, b, d] = sources(wave, of, [1, 2, 0])?;
            store(wave, of, on, std::array::from_fn(|i| f(a[i], b[i], d[i])))
        }
        Vector::Select => {
            let [a, b] = sources(wave, of, [1, 2])?;
            let mask = wave.scalar(at(3)?)?;
            store(wave, of, on, std::array::from_fn(|i| if bit(mask, i) { b[i] } else { a[i] }))
        }
        Vector::CountBelow(half) => {
            let [mask, sum] = sources(wave, of, [1, 2])?;
            let below = |i: usize| (u64::from(mask[i]) << half) & ((1 << i) - 1);
            store(wave, of, on, std::array::from_fn(|i| below(i).count_ones().wrapping_add(sum[i])))
        }
        Vector::Carry(f) => {
            let [a, b] = sources(wave, of, [2, 3])?;
            let carries = of.operands.get(4).map_or(Ok(0), |carry| wave.scalar(carry))?;
            let all: [u64; LANES] =
                std::array::from_fn(|i| f(a[i].into(), b[i].into(), u64::from(bit(carries, i))));
            wave.set_scalar(at(1)?, bits(|i| bit(on, i) && all[i] >> 32 & 1 == 1))?;
            store(wave, of, on, all.map(|sum| sum as u32))
        }
        Vector::Compare(f, stay) => {
            let n = of.operands.len();
            let [a, b] = sources(wave, of, [n - 2, n - 1])?;
            told(wave, of, stay, bits(|i| bit(on, i) && f(a[i], b[i])))
        }
        Vector::CompareWide(f, stay) => {
            let n = of.operands.len();
            let (a, b) = (wide(wave, at(n - 2)?)?, wide(wave, at(n - 1)?)?);
            told(wave, of, stay, bits(|i| bit(on, i) && f(a[i], b[i])))
        }
        Vector::Shift(f) => {
            let ([by], a) = (sources(wave, of, [1])?, wide(wave, at(2)?)?);
            store_wide(wave, target, on, std::array::from_fn(|i| f(a[i], by[i])))
        }
        Vector::Product => {
            // the carry, which no code of gumbel's asks for, is left out
            let n = of.operands.len();
            let ([a, b], c) = (sources(wave, of, [n - 3, n - 2])?, wide(wave, at(n - 1)?)?);
            let product = |i: usize| u64::from(a[i]) * u64::from(b[i]);
            store_wide(wave, target, on, std::array::from_fn(|i| product(i).wrapping_add(c[i])))
        }
        Vector::Read => {
            let [values] = sources(wave, of, [1])?;
            let first = if on == 0 { 0 } else { on.trailing_zeros() as usize };
            let lane = of.operands.get(2).map_or(Ok(first as u64), |lane| wave.scalar(lane))?;
            wave.set_scalar(target, values[lane as usize % LANES].into())
        }
        Vector::Write => {
            let (value, lane) = (wave.scalar(at(1)?)?, wave.scalar(at(2)?)?);
            let Place::Vector(register) = target.place else {
                return Err("a lane is written of what is no vector".into());
            };
            wave.vectors[register][lane as usize % LANES] = value as u32;
            Ok(())
        }
        Vector::Permute(other) => {
            let [values] = sources(wave, of, [1])?;
            let selectors = pair(wave.scalar(at(2)?)? as u32, wave.scalar(at(3)?)? as u32);
            let from = |i: usize| (i & !15 ^ other) | (selectors >> (4 * (i & 15)) & 15) as usize;
            // from lanes that are off nothing comes, unless `fetch inactive` is set
            let all = of.modifier("op_sel").is_some_and(|bits| bits.starts_with("[1"));
            let there = bits(|i| all || bit(on, from(i)));
            store(wave, of, on & there, std::array::from_fn(|i| values[from(i)]))
        }
    }
}

fn bit(mask: u64, i: usize) -> bool {
    mask >> i & 1 == 1
}

fn bits(f: impl Fn(usize) -> bool) -> u64 {
    (0..LANES).fold(0, |mask, i| mask | u64::from(f(i)) << i)
}

/// What a comparison has found: written, if it says where, and kept as the lanes that stay on.
fn told(wave: &mut Wave, of: &Instruction, stay: bool, found: u64) -> Result<(), Error> {
    if of.operands.len() > 2 {
        wave.set_scalar(&of.operands[0], found)?;
    }
    if stay {
        wave.set_pair(EXEC, found);
    }
    Ok(())
}
