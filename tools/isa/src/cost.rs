//! What an instruction costs: issue slots of the vector pipe at its full rate, by ACO's own table.

use crate::listing::{Instruction, Operation};

/// The classes that the tables count by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The vector pipe at its full rate.
    Full,
    /// Shifts of 64 bits: half of it.
    Wide,
    /// Products of 32 bits: a quarter.
    Product,
    /// Reciprocals, roots, logarithms and powers: a quarter.
    Transcendental,
    /// Loads and stores of buffers.
    Memory,
    /// Workgroup memory.
    Workgroup,
    /// Scalars, their loads among them.
    Scalar,
    /// Jumps.
    Branch,
    /// Waits, hints and barriers.
    Wait,
}

/// The class of an instruction.
pub fn class(of: &Instruction) -> Class {
    let name = of.name.as_str();
    let one_of = |parts: &[&str]| parts.iter().any(|part| name.starts_with(part));
    match of.operation {
        Operation::Branch => Class::Branch,
        Operation::Hint | Operation::Barrier | Operation::End => Class::Wait,
        Operation::Memory if name.starts_with("ds_") => Class::Workgroup,
        Operation::Memory if name.starts_with("buffer_") => Class::Memory,
        _ if !name.starts_with("v_") => Class::Scalar,
        _ if one_of(&[
            "v_mul_lo_",
            "v_mul_hi_u32",
            "v_mul_hi_i32",
            "v_mad_u64",
            "v_mad_i64",
            "v_mad_co_u64",
        ]) && !name.ends_with("24") =>
        {
            Class::Product
        }
        _ if one_of(&["v_rcp", "v_rsq", "v_sqrt", "v_log", "v_exp", "v_sin", "v_cos"]) => {
            Class::Transcendental
        }
        _ if one_of(&["v_lshlrev_b64", "v_lshrrev_b64", "v_ashrrev_i64"]) => Class::Wide,
        _ => Class::Full,
    }
}

/// The units of an instruction: only the vector pipe's count.
pub fn units(of: &Instruction) -> u64 {
    match class(of) {
        Class::Full => 1,
        Class::Wide => 2,
        Class::Product | Class::Transcendental => 4,
        _ => 0,
    }
}
