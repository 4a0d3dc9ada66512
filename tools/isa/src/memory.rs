//! Buffers, workgroup memory, and what reads and writes them.

use crate::Error;
use crate::listing::{Instruction, Operand, Place};
use crate::machine::{LANES, Wave};

/// What workgroup memory has in it before anything is written, as nothing clears it.
const UNWRITTEN: u32 = 0xdead_beef;

/// The memory of a dispatch.
#[derive(Debug, Default)]
pub struct Memory {
    buffers: Vec<(u64, Vec<u32>)>,
    workgroup: Vec<u32>,
}

impl Memory {
    /// Puts words at an address.
    pub fn put(&mut self, address: u64, words: Vec<u32>) {
        self.buffers.retain(|(at, _)| *at != address);
        self.buffers.push((address, words));
    }

    /// The words that were put at an address.
    pub fn at(&self, address: u64) -> Option<&[u32]> {
        let found = self.buffers.iter().find(|(at, _)| *at == address)?;
        Some(&found.1)
    }

    /// The workgroup memory of another workgroup.
    pub fn clear_workgroup(&mut self) {
        self.workgroup.clear();
        self.workgroup.resize(1 << 14, UNWRITTEN);
    }

    fn word(&mut self, address: u64) -> Result<&mut u32, Error> {
        let found = self.buffers.iter_mut().find_map(|(at, words)| {
            let offset = address.checked_sub(*at)? / 4;
            words.get_mut(usize::try_from(offset).ok()?)
        });
        found.ok_or_else(|| format!("there is nothing at the address {address:#x}").into())
    }

    fn of_workgroup(&mut self, address: usize) -> Result<&mut u32, Error> {
        let word = self.workgroup.get_mut(address / 4);
        word.ok_or_else(|| format!("there is no workgroup memory at {address}").into())
    }
}

/// Does a load, a store or an atomic operation.
pub fn execute(wave: &mut Wave, memory: &mut Memory, of: &Instruction) -> Result<(), Error> {
    let name = of.name.as_str();
    if let Some(size) = name.strip_prefix("s_load_") {
        load_scalars(wave, memory, of, words(size)?, false)
    } else if let Some(size) = name.strip_prefix("s_buffer_load_") {
        load_scalars(wave, memory, of, words(size)?, true)
    } else if name.starts_with("ds_") {
        workgroup(wave, memory, of)
    } else if name.starts_with("scratch_") {
        Err("the kernel spills registers to memory, which is not simulated".into())
    } else {
        buffer(wave, memory, of)
    }
}

/// The words of a size.
pub fn words(size: &str) -> Result<usize, Error> {
    Ok(match size {
        "dword" | "b32" => 1,
        "dwordx2" | "b64" => 2,
        "dwordx3" | "b96" => 3,
        "dwordx4" | "b128" => 4,
        "dwordx8" | "b256" => 8,
        "dwordx16" | "b512" => 16,
        _ => return Err(format!("loads and stores of {size} are not known").into()),
    })
}

fn operand(of: &Instruction, i: usize) -> Result<&Operand, Error> {
    of.operands.get(i).ok_or_else(|| "an operand is missing".into())
}

fn scalar_at(operand: &Operand) -> Result<usize, Error> {
    match operand.place {
        Place::Scalar(at) => Ok(at),
        _ => Err("a scalar register was expected".into()),
    }
}

fn vector_at(operand: &Operand) -> Result<usize, Error> {
    match operand.place {
        Place::Vector(at) => Ok(at),
        _ => Err("a vector register was expected".into()),
    }
}

/// The address and the bytes of a buffer.
fn described(wave: &Wave, descriptor: &Operand) -> Result<(u64, u64), Error> {
    let at = scalar_at(descriptor)?;
    let [low, high, bytes] = [0, 1, 2].map(|i| u64::from(wave.scalars[at + i]));
    Ok(((high & 0xffff) << 32 | low, bytes))
}

fn load_scalars(
    wave: &mut Wave,
    memory: &mut Memory,
    of: &Instruction,
    count: usize,
    buffer: bool,
) -> Result<(), Error> {
    let (to, base) = (scalar_at(operand(of, 0)?)?, operand(of, 1)?);
    let offset = wave.scalar(operand(of, 2)?)? + of.number("offset") as u64;
    let (address, bytes) =
        if buffer { described(wave, base)? } else { (wave.scalar(base)?, u64::MAX) };
    for i in 0..count {
        let at = offset + 4 * i as u64;
        wave.scalars[to + i] = if at + 4 <= bytes { *memory.word(address + at)? } else { 0 };
    }
    Ok(())
}

fn buffer(wave: &mut Wave, memory: &mut Memory, of: &Instruction) -> Result<(), Error> {
    let data = vector_at(operand(of, 0)?)?;
    let (address, bytes) = described(wave, operand(of, 2)?)?;
    if of.has("idxen") {
        return Err("buffers with an index are not known".into());
    }
    let base = wave.scalar(operand(of, 3)?)? + of.number("offset") as u64;
    let offsets = wave.vector(operand(of, 1)?)?;
    let lanes = wave.lanes_on();
    let offset = |lane: usize| base + if of.has("offen") { offsets[lane].into() } else { 0 };
    let name = of.name.as_str();
    let load = name.strip_prefix("buffer_load_").map(words).transpose()?;
    let store = name.strip_prefix("buffer_store_").map(words).transpose()?;
    for lane in (0..LANES).filter(|lane| lanes >> lane & 1 == 1) {
        for i in 0..load.or(store).unwrap_or(1) {
            let at = offset(lane) + 4 * i as u64;
            let inside = at + 4 <= bytes;
            let register = &mut wave.vectors[data + i][lane];
            if load.is_some() {
                *register = if inside { *memory.word(address + at)? } else { 0 };
            } else if inside && store.is_some() {
                *memory.word(address + at)? = *register;
            } else if inside {
                let word = memory.word(address + at)?;
                let before = *word;
                *word = changed(name, before, *register)?;
                if of.has("glc") || of.has("sc0") {
                    *register = before;
                }
            }
        }
    }
    Ok(())
}

fn workgroup(wave: &mut Wave, memory: &mut Memory, of: &Instruction) -> Result<(), Error> {
    let name = of.name.as_str();
    let lanes = wave.lanes_on();
    if name == "ds_append" {
        let to = vector_at(operand(of, 0)?)?;
        let word = memory.of_workgroup(of.number("offset"))?;
        let before = *word;
        *word = before.wrapping_add(lanes.count_ones());
        for lane in (0..LANES).filter(|lane| lanes >> lane & 1 == 1) {
            wave.vectors[to][lane] = before;
        }
        return Ok(());
    }
    let loads = name.starts_with("ds_read") || name.starts_with("ds_load");
    let stores =
        !name.contains("xchg") && (name.starts_with("ds_write") || name.starts_with("ds_store"));
    let returns = loads || name.contains("_rtn_");
    let addresses = wave.vector(operand(of, usize::from(returns))?)?;
    let (_, size) = name.rsplit_once('_').ok_or("a size was expected")?;
    if !loads && !stores {
        let data = wave.vector(operand(of, 1 + usize::from(returns))?)?;
        for lane in (0..LANES).filter(|lane| lanes >> lane & 1 == 1) {
            let word = memory.of_workgroup(addresses[lane] as usize + of.number("offset"))?;
            let before = *word;
            *word = changed(name, before, data[lane])?;
            if returns {
                let to = vector_at(operand(of, 0)?)?;
                wave.vectors[to][lane] = before;
            }
        }
        return Ok(());
    }
    let count = words(size)?;
    let two = ["read2", "write2", "2addr"].iter().any(|two| name.contains(two));
    let unit = 4 * count * if name.contains("st64") || name.contains("stride64") { 64 } else { 1 };
    let places = if two {
        vec![unit * of.number("offset0"), unit * of.number("offset1")]
    } else {
        vec![of.number("offset")]
    };
    for (n, place) in places.into_iter().enumerate() {
        let register = if loads {
            vector_at(operand(of, 0)?)? + n * count
        } else {
            vector_at(operand(of, 1 + n)?)?
        };
        for lane in (0..LANES).filter(|lane| lanes >> lane & 1 == 1) {
            for i in 0..count {
                let word = memory.of_workgroup(addresses[lane] as usize + place + 4 * i)?;
                let own = &mut wave.vectors[register + i][lane];
                if loads { *own = *word } else { *word = *own }
            }
        }
    }
    Ok(())
}

/// What an atomic operation makes of a word.
fn changed(name: &str, word: u32, value: u32) -> Result<u32, Error> {
    let rest = name.strip_prefix("buffer_atomic_").or_else(|| name.strip_prefix("ds_"));
    let operation = rest.unwrap_or(name).replace("_rtn", "");
    let (i, j) = (word as i32, value as i32);
    Ok(match operation.as_str() {
        "add" | "add_u32" => word.wrapping_add(value),
        "sub" | "sub_u32" => word.wrapping_sub(value),
        "umin" | "min_u32" => word.min(value),
        "umax" | "max_u32" => word.max(value),
        "smin" | "min_i32" => i.min(j) as u32,
        "smax" | "max_i32" => i.max(j) as u32,
        "and" | "and_b32" => word & value,
        "or" | "or_b32" => word | value,
        "xor" | "xor_b32" => word ^ value,
        "swap" | "swap_b32" | "wrxchg_b32" | "storexchg_b32" => value,
        _ => return Err(format!("{name} is not known: see src/memory.rs").into()),
    })
}
