//! A workgroup's waves, which run beside each other.

use crate::Error;
use crate::cost;
use crate::listing::{EXEC, Instruction, Listing, Operand, Operation, Place};
use crate::memory::{self, Memory};
use crate::{scalar, vector};

/// The lanes of a wave. RADV takes waves of 64 for compute shaders, unless they ask for others.
pub const LANES: usize = 64;
/// A vector register.
pub type Lanes = [u32; LANES];

/// More instructions than any workgroup here takes.
const MOST_INSTRUCTIONS: u64 = 10_000_000;

/// What a wave does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    Waiting,
    Ended,
}

/// A wave's registers.
#[derive(Clone, Debug)]
pub struct Wave {
    /// The scalar registers, and among them what has a name of its own.
    pub scalars: [u32; 128],
    /// The vector registers.
    pub vectors: Vec<Lanes>,
    /// The scalar condition.
    pub condition: bool,
    counter: usize,
    state: State,
    spent: u64,
}

impl Wave {
    /// A wave that begins with these scalars, in lanes that are all on and know their number.
    pub fn new(scalars: &[u32], first_invocation: u32) -> Self {
        let mut all = [0; 128];
        all[..scalars.len()].copy_from_slice(scalars);
        let mut vectors = vec![[0; LANES]; 512];
        vectors[0] = std::array::from_fn(|lane| first_invocation + lane as u32);
        let mut wave = Self {
            scalars: all,
            vectors,
            condition: false,
            counter: 0,
            state: State::Running,
            spent: 0,
        };
        wave.set_pair(EXEC, !0);
        wave
    }

    /// The lanes that are on.
    pub fn lanes_on(&self) -> u64 {
        self.pair(EXEC)
    }

    fn pair(&self, at: usize) -> u64 {
        u64::from(self.scalars[at + 1]) << 32 | u64::from(self.scalars[at])
    }

    /// Sets two scalar registers.
    pub fn set_pair(&mut self, at: usize, value: u64) {
        self.scalars[at] = value as u32;
        self.scalars[at + 1] = (value >> 32) as u32;
    }

    /// An operand of the scalar pipe.
    pub fn scalar(&self, operand: &Operand) -> Result<u64, Error> {
        match operand.place {
            Place::Scalar(at) if operand.count > 1 => Ok(self.pair(at)),
            Place::Scalar(at) => Ok(self.scalars[at].into()),
            Place::Constant(bits) => Ok(bits),
            Place::Condition => Ok(self.condition.into()),
            Place::Null => Ok(0),
            Place::Vector(_) => Err("a scalar was expected, and not a vector".into()),
        }
    }

    /// Writes a result of the scalar pipe.
    pub fn set_scalar(&mut self, operand: &Operand, value: u64) -> Result<(), Error> {
        match operand.place {
            Place::Scalar(at) if operand.count > 1 => self.set_pair(at, value),
            Place::Scalar(at) => self.scalars[at] = value as u32,
            Place::Null => {}
            _ => return Err("a result in a scalar register was expected".into()),
        }
        Ok(())
    }

    /// An operand of the vector pipe.
    pub fn vector(&self, operand: &Operand) -> Result<Lanes, Error> {
        let mut lanes = match operand.place {
            Place::Vector(at) => self.vectors[at],
            _ => [self.scalar(operand)? as u32; LANES],
        };
        // only floats have signs to turn
        if operand.absolute {
            lanes.iter_mut().for_each(|word| *word &= 0x7fff_ffff);
        }
        if operand.negated {
            lanes.iter_mut().for_each(|word| *word ^= 0x8000_0000);
        }
        Ok(lanes)
    }
}

/// How often each instruction was issued, in waves.
pub type Counts = Vec<u64>;

/// Runs a workgroup to its end. The wave that has spent the fewest units always issues next, so that waves advance at
/// the same pace.
pub fn run(
    listing: &Listing,
    memory: &mut Memory,
    mut waves: Vec<Wave>,
    counts: &mut Counts,
) -> Result<(), Error> {
    counts.resize(listing.instructions.len(), 0);
    memory.clear_workgroup();
    let mut issued = 0;
    loop {
        let running = waves.iter_mut().filter(|wave| wave.state == State::Running);
        let Some(wave) = running.min_by_key(|wave| wave.spent) else {
            let mut waiting = waves.iter_mut().filter(|wave| wave.state == State::Waiting);
            if waiting.by_ref().map(|wave| wave.state = State::Running).count() == 0 {
                return Ok(());
            }
            continue;
        };
        let at = wave.counter;
        let of = listing.instructions.get(at).ok_or("a wave runs beyond the end of its code")?;
        counts[at] += 1;
        issued += 1;
        if issued > MOST_INSTRUCTIONS {
            return Err("a workgroup does not end".into());
        }
        step(wave, memory, of).map_err(|e| format!("at `{} {:?}`: {e}", of.name, of.modifiers))?;
    }
}

fn step(wave: &mut Wave, memory: &mut Memory, of: &Instruction) -> Result<(), Error> {
    wave.counter += 1;
    // what costs the vector pipe nothing still takes a turn
    wave.spent += cost::units(of).max(1);
    match of.operation {
        Operation::Scalar(scalar) => scalar::execute(wave, scalar, of)?,
        Operation::Vector(vector) => vector::execute(wave, vector, of)?,
        Operation::Memory => memory::execute(wave, memory, of)?,
        Operation::Branch => {
            let taken = match of.name.as_str() {
                "s_branch" => true,
                "s_cbranch_scc0" => !wave.condition,
                "s_cbranch_scc1" => wave.condition,
                "s_cbranch_vccz" => wave.pair(106) == 0,
                "s_cbranch_vccnz" => wave.pair(106) != 0,
                "s_cbranch_execz" => wave.lanes_on() == 0,
                "s_cbranch_execnz" => wave.lanes_on() != 0,
                _ => return Err("a jump that is not known: see src/machine.rs".into()),
            };
            if let (true, Some(target)) = (taken, of.target) {
                wave.counter = target;
            }
        }
        Operation::Barrier => wave.state = State::Waiting,
        Operation::End => wave.state = State::Ended,
        Operation::Hint => {}
        Operation::Unknown => {
            let what = match of.name.as_str() {
                "unprinted" => "an instruction that Mesa does not print: see src/listing.rs",
                _ => {
                    "an instruction that is not known: src/scalar.rs and src/vector.rs have tables"
                }
            };
            return Err(what.into());
        }
    }
    Ok(())
}
