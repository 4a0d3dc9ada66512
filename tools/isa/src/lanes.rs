//! How the vector pipe reads its sources and writes its results: whole or a half, from a lane's own
//! register or from its neighbour's.

use crate::Error;
use crate::listing::{Instruction, Operand, Place};
use crate::machine::{LANES, Lanes, Wave};

/// The modifiers that are known here.
const KNOWN: [&str; 20] = [
    "quad_perm",
    "row_shl",
    "row_shr",
    "row_ror",
    "row_mirror",
    "row_half_mirror",
    "row_bcast",
    "row_share",
    "row_xmask",
    "row_mask",
    "bank_mask",
    "bound_ctrl",
    "fi",
    "dst_sel",
    "dst_unused",
    "src0_sel",
    "src1_sel",
    "op_sel",
    "op_sel_hi",
    "mul",
];

/// The operands with these numbers, in all lanes.
pub fn sources<const N: usize>(
    wave: &Wave,
    of: &Instruction,
    at: [usize; N],
) -> Result<[Lanes; N], Error> {
    let mut all = [[0; LANES]; N];
    for (n, (lanes, i)) in all.iter_mut().zip(at).enumerate() {
        *lanes = wave.vector(of.operands.get(i).ok_or("an operand is missing")?)?;
        if !of.modifiers.is_empty() {
            modify(wave, of, n, lanes)?;
        }
    }
    Ok(all)
}

/// An operand of 64 bits, in all lanes.
pub fn wide(wave: &Wave, operand: &Operand) -> Result<[u64; LANES], Error> {
    let Place::Vector(at) = operand.place else {
        return Ok([wave.scalar(operand)?; LANES]);
    };
    let (low, high) = (&wave.vectors[at], &wave.vectors[at + 1]);
    Ok(std::array::from_fn(|i| u64::from(high[i]) << 32 | u64::from(low[i])))
}

fn modify(wave: &Wave, of: &Instruction, n: usize, lanes: &mut Lanes) -> Result<(), Error> {
    for modifier in &of.modifiers {
        let name = modifier.split(':').next().unwrap_or("");
        if !KNOWN.contains(&name) {
            return Err(format!("the modifier {modifier} is not known: see src/lanes.rs").into());
        }
    }
    if n == 0
        && let Some(from) = neighbour(of)?
    {
        let own = *lanes;
        let readable = readable(wave, of);
        *lanes = std::array::from_fn(|i| {
            from(i).filter(|&lane| readable >> lane & 1 == 1).map_or(0, |lane| own[lane])
        });
    }
    // which half of a register a source of 16 bits is in
    if of.name.contains("16") && !of.name.contains("permlane") && !of.name.contains("pk_") {
        let list = of.modifier("op_sel").map(numbers).unwrap_or_default();
        if list.get(n) == Some(&1) {
            lanes.iter_mut().for_each(|word| *word >>= 16);
        }
    }
    if let Some(part) = of.modifier(["src0_sel", "src1_sel", "src2_sel"][n.min(2)]) {
        let (shift, mask) = part_of_word(part)?;
        lanes.iter_mut().for_each(|word| *word = *word >> shift & mask);
    }
    Ok(())
}

/// `WORD_1` and the like: where in a register, and how wide.
fn part_of_word(part: &str) -> Result<(u32, u32), Error> {
    Ok(match part {
        "DWORD" => (0, !0),
        "WORD_0" => (0, 0xffff),
        "WORD_1" => (16, 0xffff),
        "BYTE_0" => (0, 0xff),
        "BYTE_1" => (8, 0xff),
        "BYTE_2" => (16, 0xff),
        "BYTE_3" => (24, 0xff),
        _ => return Err(format!("no part of a register is {part}").into()),
    })
}

fn numbers(list: &str) -> Vec<usize> {
    let list = list.trim_matches(['[', ']']);
    list.split(',').filter_map(|n| n.trim().parse().ok()).collect()
}

/// The lane from which another gets its first source, if there is one.
type Neighbour = Box<dyn Fn(usize) -> Option<usize>>;

/// From where lanes get their first source, if not from themselves.
fn neighbour(of: &Instruction) -> Result<Option<Neighbour>, Error> {
    let row = |i: usize| i & !15;
    Ok(Some(if let Some(list) = of.modifier("quad_perm") {
        let list: [usize; 4] =
            numbers(list).try_into().map_err(|_| "quad_perm takes four numbers")?;
        Box::new(move |i| Some(i & !3 | list[i & 3]))
    } else if of.has("row_mirror") {
        Box::new(move |i| Some(row(i) | (15 - (i & 15))))
    } else if of.has("row_half_mirror") {
        Box::new(move |i| Some(i & !7 | (7 - (i & 7))))
    } else if of.modifier("row_shl").is_some() {
        let n = of.number("row_shl");
        Box::new(move |i| Some(i + n).filter(|&lane| row(lane) == row(i)))
    } else if of.modifier("row_shr").is_some() {
        let n = of.number("row_shr");
        Box::new(move |i| i.checked_sub(n).filter(|&lane| row(lane) == row(i)))
    } else if of.modifier("row_ror").is_some() {
        let n = of.number("row_ror");
        Box::new(move |i| Some(row(i) | (i + 16 - n) & 15))
    } else if of.modifier("row_share").is_some() {
        let n = of.number("row_share");
        Box::new(move |i| Some(row(i) | n))
    } else if of.modifier("row_xmask").is_some() {
        let n = of.number("row_xmask");
        Box::new(move |i| Some(i ^ n))
    } else if of.modifier("row_bcast").is_some() {
        // the last lane of the row, or the pair of rows, before
        match of.number("row_bcast") {
            15 => Box::new(move |i| row(i).checked_sub(1)),
            _ => Box::new(|i| (i & !31).checked_sub(1)),
        }
    } else {
        return Ok(None);
    }))
}

/// The lanes that a neighbour may read.
fn readable(wave: &Wave, of: &Instruction) -> u64 {
    if of.number("fi") == 1 { !0 } else { wave.lanes_on() }
}

/// Writes the result in these lanes.
pub fn store(wave: &mut Wave, of: &Instruction, lanes: u64, result: Lanes) -> Result<(), Error> {
    let Some(Place::Vector(at)) = of.operands.first().map(|target| target.place) else {
        return Err("a result in a vector register was expected".into());
    };
    let mut lanes = lanes;
    let mut result = result;
    if !of.modifiers.is_empty() {
        if let Some(from) = neighbour(of)? {
            let (rows, banks) = (hexadecimal(of, "row_mask"), hexadecimal(of, "bank_mask"));
            // who has no neighbour gets a zero or nothing
            let zero = of.modifier("bound_ctrl").is_some();
            let readable = readable(wave, of);
            for i in 0..LANES {
                let masked = rows >> (i / 16) & 1 == 0 || banks >> (i / 4 % 4) & 1 == 0;
                let there = from(i).is_some_and(|lane| readable >> lane & 1 == 1);
                if masked || !(there || zero) {
                    lanes &= !(1 << i);
                }
            }
        }
        // a float is doubled once more on its way to the register
        if of.modifier("mul").is_some() {
            let factor = of.number("mul") as f32;
            for word in &mut result {
                *word = (f32::from_bits(*word) * factor).to_bits();
            }
        }
        if let Some(part) = of.modifier("dst_sel") {
            let (shift, mask) = part_of_word(part)?;
            let keep = match of.modifier("dst_unused") {
                Some("UNUSED_PRESERVE") => !(mask << shift),
                Some("UNUSED_PAD") | None => 0,
                Some(other) => return Err(format!("{other} is not known").into()),
            };
            let before = &wave.vectors[at];
            result = std::array::from_fn(|i| (result[i] & mask) << shift | before[i] & keep);
        }
    }
    let register = &mut wave.vectors[at];
    for (i, value) in result.into_iter().enumerate() {
        if lanes >> i & 1 == 1 {
            register[i] = value;
        }
    }
    Ok(())
}

/// A mask, which is full if it is not written.
fn hexadecimal(of: &Instruction, name: &str) -> u64 {
    of.modifier(name).map_or(15, |_| of.number(name) as u64)
}

/// Writes 64 bits in these lanes.
pub fn store_wide(
    wave: &mut Wave,
    target: &Operand,
    lanes: u64,
    result: [u64; LANES],
) -> Result<(), Error> {
    let Place::Vector(at) = target.place else {
        return Err("a result in vector registers was expected".into());
    };
    for (i, value) in result.into_iter().enumerate() {
        if lanes >> i & 1 == 1 {
            wave.vectors[at][i] = value as u32;
            wave.vectors[at + 1][i] = (value >> 32) as u32;
        }
    }
    Ok(())
}
