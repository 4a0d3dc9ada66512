//! What the scalar pipe does.
//!
//! Sources come as 64 bits, of which an operation takes as many as it works on; results are cut to the
//! registers that they go to.

use crate::Error;
use crate::listing::{EXEC, Instruction};
use crate::machine::Wave;

/// An operation of two sources and the scalar condition.
pub type Two = fn(u64, u64, bool) -> u64;

/// What becomes of the scalar condition.
#[derive(Clone, Copy, Debug)]
pub enum Sets {
    /// It stays.
    Nothing,
    /// Whether the result is not 0.
    NonZero,
    /// Bit 32 of the result, which is a carry or a borrow.
    Carry,
    /// A function of the sources and the result.
    By(fn(u64, u64, u64) -> bool),
}

/// A scalar operation, by what it reads and writes.
#[derive(Clone, Copy, Debug)]
pub enum Scalar {
    /// A result of one source.
    One(fn(u64) -> u64, Sets),
    /// A result of two.
    Two(Two, Sets),
    /// A result of what stands in its place and of a source.
    Change(Two, Sets),
    /// The scalar condition.
    Compare(fn(u64, u64) -> bool),
    /// The lanes that are on, which were saved before; of a source and of them.
    Save(fn(u64, u64) -> u64),
    /// The lanes that are on and a copy of them; of a source and of them.
    Write(fn(u64, u64) -> u64),
}

/// The operation of this name.
pub fn named(name: &str) -> Option<Scalar> {
    use Scalar::*;
    use Sets::*;
    // whether a sum or a difference is beyond 31 bits
    const SUM: Sets = By(|a, b, r| (!(a ^ b) & (a ^ r)) >> 31 & 1 == 1);
    const DIFFERENCE: Sets = By(|a, b, r| ((a ^ b) & (a ^ r)) >> 31 & 1 == 1);
    Some(match name {
        "s_mov_b32" | "s_mov_b64" => One(|a| a, Nothing),
        // the constant is of 16 bits
        "s_movk_i32" => One(|a| a as i16 as u64, Nothing),
        "s_not_b32" | "s_not_b64" => One(|a| !a, NonZero),
        "s_brev_b32" => One(|a| u64::from((a as u32).reverse_bits()), Nothing),
        "s_brev_b64" => One(u64::reverse_bits, Nothing),
        "s_ff1_i32_b32" | "s_ctz_i32_b32" => One(|a| trailing(a as u32 as u64), Nothing),
        "s_ff1_i32_b64" | "s_ctz_i32_b64" => One(trailing, Nothing),
        "s_flbit_i32_b32" | "s_clz_i32_u32" => One(
            |a| if a as u32 == 0 { u64::MAX } else { (a as u32).leading_zeros().into() },
            Nothing,
        ),
        "s_flbit_i32_b64" | "s_clz_i32_u64" => {
            One(|a| if a == 0 { u64::MAX } else { a.leading_zeros().into() }, Nothing)
        }
        "s_bcnt1_i32_b32" => One(|a| (a as u32).count_ones().into(), NonZero),
        "s_bcnt1_i32_b64" => One(|a| a.count_ones().into(), NonZero),
        "s_bitreplicate_b64_b32" => {
            One(|a| (0..32).map(|i| (a >> i & 1) * (3 << (2 * i))).sum(), Nothing)
        }
        "s_abs_i32" => One(|a| u64::from((a as i32).unsigned_abs()), NonZero),
        "s_sext_i32_i16" => One(|a| a as i16 as u64, Nothing),
        "s_add_u32" => Two(|a, b, _| low(a) + low(b), Carry),
        "s_addc_u32" => Two(|a, b, c| low(a) + low(b) + u64::from(c), Carry),
        "s_sub_u32" => Two(|a, b, _| low(a).wrapping_sub(low(b)), Carry),
        "s_subb_u32" => {
            Two(|a, b, c| low(a).wrapping_sub(low(b)).wrapping_sub(u64::from(c)), Carry)
        }
        "s_add_i32" => Two(|a, b, _| a.wrapping_add(b), SUM),
        "s_sub_i32" => Two(|a, b, _| a.wrapping_sub(b), DIFFERENCE),
        "s_lshl1_add_u32" => Two(|a, b, _| (low(a) << 1) + low(b), Carry),
        "s_lshl2_add_u32" => Two(|a, b, _| (low(a) << 2) + low(b), Carry),
        "s_lshl3_add_u32" => Two(|a, b, _| (low(a) << 3) + low(b), Carry),
        "s_lshl4_add_u32" => Two(|a, b, _| (low(a) << 4) + low(b), Carry),
        "s_mul_i32" => Two(|a, b, _| low(a).wrapping_mul(low(b)), Nothing),
        "s_mul_hi_u32" => Two(|a, b, _| (low(a) * low(b)) >> 32, Nothing),
        "s_mul_hi_i32" => {
            Two(|a, b, _| ((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u64, Nothing)
        }
        "s_and_b32" | "s_and_b64" => Two(|a, b, _| a & b, NonZero),
        "s_or_b32" | "s_or_b64" => Two(|a, b, _| a | b, NonZero),
        "s_xor_b32" | "s_xor_b64" => Two(|a, b, _| a ^ b, NonZero),
        "s_nand_b32" | "s_nand_b64" => Two(|a, b, _| !(a & b), NonZero),
        "s_nor_b32" | "s_nor_b64" => Two(|a, b, _| !(a | b), NonZero),
        "s_xnor_b32" | "s_xnor_b64" => Two(|a, b, _| !(a ^ b), NonZero),
        "s_andn2_b32" | "s_andn2_b64" | "s_and_not1_b32" | "s_and_not1_b64" => {
            Two(|a, b, _| a & !b, NonZero)
        }
        "s_orn2_b32" | "s_orn2_b64" | "s_or_not1_b32" | "s_or_not1_b64" => {
            Two(|a, b, _| a | !b, NonZero)
        }
        "s_lshl_b32" => Two(|a, b, _| low(a) << (b & 31), NonZero),
        "s_lshl_b64" => Two(|a, b, _| a << (b & 63), NonZero),
        "s_lshr_b32" => Two(|a, b, _| low(a) >> (b & 31), NonZero),
        "s_lshr_b64" => Two(|a, b, _| a >> (b & 63), NonZero),
        "s_ashr_i32" => Two(|a, b, _| (a as i32 >> (b & 31)) as u64, NonZero),
        "s_ashr_i64" => Two(|a, b, _| (a as i64 >> (b & 63)) as u64, NonZero),
        "s_bfm_b32" => Two(|a, b, _| ((1 << (a & 31)) - 1) << (b & 31), Nothing),
        "s_bfm_b64" => Two(|a, b, _| ((1 << (a & 63)) - 1) << (b & 63), Nothing),
        "s_bfe_u32" => {
            Two(|a, b, _| (low(a) >> (b & 31)) & ((1 << (b >> 16 & 127).min(32)) - 1), NonZero)
        }
        "s_min_u32" => Two(|a, b, _| low(a).min(low(b)), By(|a, b, _| low(a) < low(b))),
        "s_max_u32" => Two(|a, b, _| low(a).max(low(b)), By(|a, b, _| low(a) > low(b))),
        "s_min_i32" => {
            Two(|a, b, _| (a as i32).min(b as i32) as u64, By(|a, b, _| (a as i32) < b as i32))
        }
        "s_max_i32" => {
            Two(|a, b, _| (a as i32).max(b as i32) as u64, By(|a, b, _| a as i32 > b as i32))
        }
        "s_cselect_b32" | "s_cselect_b64" => Two(|a, b, c| if c { a } else { b }, Nothing),
        "s_pack_ll_b32_b16" => Two(|a, b, _| (a & 0xffff) | ((b & 0xffff) << 16), Nothing),
        "s_pack_hh_b32_b16" => Two(|a, b, _| (a >> 16 & 0xffff) | (b & 0xffff_0000), Nothing),
        "s_addk_i32" => Change(|a, b, _| a.wrapping_add(b as i16 as u64), SUM),
        "s_mulk_i32" => Change(|a, b, _| a.wrapping_mul(b as i16 as u64), Nothing),
        "s_bitset0_b32" => Change(|a, b, _| a & !(1 << (b & 31)), Nothing),
        "s_bitset1_b32" => Change(|a, b, _| a | (1 << (b & 31)), Nothing),
        "s_bitset0_b64" => Change(|a, b, _| a & !(1 << (b & 63)), Nothing),
        "s_bitset1_b64" => Change(|a, b, _| a | (1 << (b & 63)), Nothing),
        "s_cmov_b32" | "s_cmov_b64" => Change(|a, b, c| if c { b } else { a }, Nothing),
        "s_cmp_eq_i32" | "s_cmp_eq_u32" | "s_cmpk_eq_i32" | "s_cmpk_eq_u32" => {
            Compare(|a, b| low(a) == low(b))
        }
        "s_cmp_lg_i32" | "s_cmp_lg_u32" | "s_cmpk_lg_i32" | "s_cmpk_lg_u32" => {
            Compare(|a, b| low(a) != low(b))
        }
        "s_cmp_eq_u64" => Compare(|a, b| a == b),
        "s_cmp_lg_u64" => Compare(|a, b| a != b),
        "s_cmp_gt_u32" | "s_cmpk_gt_u32" => Compare(|a, b| low(a) > low(b)),
        "s_cmp_ge_u32" | "s_cmpk_ge_u32" => Compare(|a, b| low(a) >= low(b)),
        "s_cmp_lt_u32" | "s_cmpk_lt_u32" => Compare(|a, b| low(a) < low(b)),
        "s_cmp_le_u32" | "s_cmpk_le_u32" => Compare(|a, b| low(a) <= low(b)),
        "s_cmp_gt_i32" | "s_cmpk_gt_i32" => Compare(|a, b| a as i32 > b as i32),
        "s_cmp_ge_i32" | "s_cmpk_ge_i32" => Compare(|a, b| a as i32 >= b as i32),
        "s_cmp_lt_i32" | "s_cmpk_lt_i32" => Compare(|a, b| (a as i32) < b as i32),
        "s_cmp_le_i32" | "s_cmpk_le_i32" => Compare(|a, b| a as i32 <= b as i32),
        "s_bitcmp0_b32" => Compare(|a, b| low(a) >> (b & 31) & 1 == 0),
        "s_bitcmp1_b32" => Compare(|a, b| low(a) >> (b & 31) & 1 == 1),
        "s_bitcmp0_b64" => Compare(|a, b| a >> (b & 63) & 1 == 0),
        "s_bitcmp1_b64" => Compare(|a, b| a >> (b & 63) & 1 == 1),
        "s_and_saveexec_b64" => Save(|a, exec| a & exec),
        "s_or_saveexec_b64" => Save(|a, exec| a | exec),
        "s_xor_saveexec_b64" => Save(|a, exec| a ^ exec),
        "s_andn2_saveexec_b64" | "s_and_not1_saveexec_b64" => Save(|a, exec| a & !exec),
        "s_andn1_saveexec_b64" | "s_and_not0_saveexec_b64" => Save(|a, exec| !a & exec),
        "s_orn2_saveexec_b64" | "s_or_not1_saveexec_b64" => Save(|a, exec| a | !exec),
        "s_andn1_wrexec_b64" | "s_and_not0_wrexec_b64" => Write(|a, exec| !a & exec),
        "s_andn2_wrexec_b64" | "s_and_not1_wrexec_b64" => Write(|a, exec| a & !exec),
        _ => return None,
    })
}

fn low(a: u64) -> u64 {
    u64::from(a as u32)
}

/// The lowest bit that is set; all ones if there is none.
fn trailing(a: u64) -> u64 {
    if a == 0 { u64::MAX } else { a.trailing_zeros().into() }
}

/// Does a scalar instruction.
pub fn execute(wave: &mut Wave, scalar: Scalar, of: &Instruction) -> Result<(), Error> {
    let at = |i: usize| of.operands.get(i).ok_or("an operand is missing");
    let (first, second) = (at(0)?, at(1)?);
    match scalar {
        Scalar::One(f, sets) => {
            let a = wave.scalar(second)?;
            finish(wave, of, f(a), sets, (a, 0))?;
        }
        Scalar::Two(f, sets) => {
            let (a, b) = (wave.scalar(second)?, wave.scalar(at(2)?)?);
            finish(wave, of, f(a, b, wave.condition), sets, (a, b))?;
        }
        Scalar::Change(f, sets) => {
            let (a, b) = (wave.scalar(first)?, wave.scalar(second)?);
            finish(wave, of, f(a, b, wave.condition), sets, (a, b))?;
        }
        Scalar::Compare(f) => wave.condition = f(wave.scalar(first)?, wave.scalar(second)?),
        Scalar::Save(f) | Scalar::Write(f) => {
            let (a, before) = (wave.scalar(second)?, wave.lanes_on());
            let lanes = f(a, before);
            let saved = if matches!(scalar, Scalar::Save(_)) { before } else { lanes };
            wave.set_scalar(first, saved)?;
            wave.set_pair(EXEC, lanes);
            wave.condition = lanes != 0;
        }
    }
    Ok(())
}

fn finish(
    wave: &mut Wave,
    of: &Instruction,
    result: u64,
    sets: Sets,
    (a, b): (u64, u64),
) -> Result<(), Error> {
    let target = &of.operands[0];
    let cut = if target.count > 1 { result } else { low(result) };
    wave.set_scalar(target, cut)?;
    match sets {
        Sets::Nothing => {}
        Sets::NonZero => wave.condition = cut != 0,
        Sets::Carry => wave.condition = result >> 32 & 1 == 1,
        Sets::By(f) => wave.condition = f(a, b, result),
    }
    Ok(())
}
