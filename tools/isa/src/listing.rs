//! The machine code of a kernel, as RADV prints it.

use std::collections::HashMap;

use crate::Error;
use crate::scalar::{self, Scalar};
use crate::vector::{self, Vector};

/// The registers of what has a name of its own among the scalar ones.
const NAMED: [(&str, usize, usize); 11] = [
    ("flat_scratch", 102, 2),
    ("flat_scratch_lo", 102, 1),
    ("flat_scratch_hi", 103, 1),
    ("xnack_mask", 104, 2),
    ("vcc", 106, 2),
    ("vcc_lo", 106, 1),
    ("vcc_hi", 107, 1),
    ("m0", 124, 1),
    ("exec", EXEC, 2),
    ("exec_lo", EXEC, 1),
    ("exec_hi", EXEC + 1, 1),
];
/// The register of the lanes that are on.
pub const EXEC: usize = 126;

/// Where an operand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// From this scalar register on.
    Scalar(usize),
    /// From this vector register on.
    Vector(usize),
    /// In the instruction, as wide as can be.
    Constant(u64),
    /// The scalar condition.
    Condition,
    /// Nowhere: read as 0.
    Null,
}

/// An operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    /// Where it is.
    pub place: Place,
    /// Its registers.
    pub count: usize,
    /// With its sign turned,
    pub negated: bool,
    /// after it was taken away.
    pub absolute: bool,
}

/// Which instruction it is.
#[derive(Clone, Copy, Debug)]
pub enum Operation {
    /// Of the scalar pipe.
    Scalar(Scalar),
    /// Of the vector pipe.
    Vector(Vector),
    /// A load or a store, through a descriptor, from a scalar's address or in workgroup memory.
    Memory,
    /// A jump.
    Branch,
    /// The other waves of the workgroup are waited for.
    Barrier,
    /// The end.
    End,
    /// Nothing that a draw depends on: waits and hints.
    Hint,
    /// Not known, which matters only if it is reached.
    Unknown,
}

/// An instruction.
#[derive(Clone, Debug)]
pub struct Instruction {
    /// Its name, without how it is encoded.
    pub name: String,
    /// What it does.
    pub operation: Operation,
    /// What it does it with, results first.
    pub operands: Vec<Operand>,
    /// `offen`, `offset:16`, `row_mirror` and the like.
    pub modifiers: Vec<String>,
    /// Where it jumps to.
    pub target: Option<usize>,
}

impl Instruction {
    /// What stands behind the colon of a modifier.
    pub fn modifier(&self, name: &str) -> Option<&str> {
        self.modifiers.iter().find_map(|m| m.strip_prefix(name)?.strip_prefix(':'))
    }

    /// A modifier that is a number; 0 if it is not there.
    pub fn number(&self, name: &str) -> usize {
        self.modifier(name).and_then(integer).unwrap_or(0) as usize
    }

    /// Whether a modifier without a value is there.
    pub fn has(&self, name: &str) -> bool {
        self.modifiers.iter().any(|m| m == name)
    }
}

/// A kernel's instructions in their order.
#[derive(Clone, Debug)]
pub struct Listing {
    /// All of them.
    pub instructions: Vec<Instruction>,
}

impl Listing {
    /// Reads what RADV prints: labels `BB1:`, and lines of an instruction and its encoding.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut labels = HashMap::new();
        let mut lines: Vec<String> = Vec::new();
        let mut rest = text.lines();
        while let Some(line) = rest.next() {
            let (code, words) = (line.split(';').next().unwrap_or("").trim(), encoding(line));
            if let Some(label) = code.strip_suffix(':') {
                labels.insert(label.to_string(), lines.len());
            } else if let Some(times) = code.strip_prefix("(then repeated ") {
                let times = times.split(' ').next().and_then(integer).unwrap_or(0);
                let last = lines.last().cloned().ok_or("a repeat with nothing before it")?;
                lines.extend((0..times).map(|_| last.clone()));
            } else if code == "(invalid instruction)" {
                let line = unprinted(words, || rest.next().map(encoding));
                lines.push(line.unwrap_or_else(|| "unprinted".into()));
            } else if !code.is_empty() {
                lines.push(code.to_string());
            }
        }
        let mut instructions = Vec::new();
        for line in &lines {
            let instruction = instruction(line, &labels);
            instructions.push(instruction.map_err(|e| format!("in the line `{line}`: {e}"))?);
        }
        Ok(Self { instructions })
    }
}

/// The words at the end of a line; before them may stand a warning.
fn encoding(line: &str) -> &str {
    line.rsplit(';').next().unwrap_or("").trim()
}

/// What Mesa's printer does not know: for gfx940, ACO still makes two instructions that the chips before
/// it had. The second word of the longer one is then printed as if it were an instruction. If it looks like one
/// of two words, it takes the next with it, and the listing is out of step: nothing is then made of
/// either, which matters only if a wave gets there.
fn unprinted<'a>(words: &str, next: impl FnOnce() -> Option<&'a str>) -> Option<String> {
    let word = |text: &str| u32::from_str_radix(text, 16).ok();
    let source = |field: u32| match field & 0x1ff {
        n @ 256.. => Some(format!("v{}", n - 256)),
        n @ 0..102 => Some(format!("s{n}")),
        n @ 128..193 => Some((n - 128).to_string()),
        n @ 193..209 => Some(format!("-{}", n - 192)),
        n @ 240..248 => {
            let all = ["0.5", "-0.5", "1.0", "-1.0", "2.0", "-2.0", "4.0", "-4.0"];
            Some(all[n as usize - 240].to_string())
        }
        _ => None,
    };
    let first = word(words)?;
    let [target, other] = [(first >> 17) & 0xff, (first >> 9) & 0xff];
    if first >> 25 == 0x16 {
        return Some(format!("v_mac_f32_e32 v{target}, {}, v{other}", source(first)?));
    }
    if first >> 16 != 0xd1c1 {
        return None;
    }
    let second = word(next()?)?;
    let of = |at: u32| {
        let text = source(second >> (9 * at))?;
        let text = if (first >> (8 + at)) & 1 != 0 { format!("|{text}|") } else { text };
        Some(if (second >> (29 + at)) & 1 != 0 { format!("-{text}") } else { text })
    };
    Some(format!("v_mad_f32 v{}, {}, {}, {}", first & 0xff, of(0)?, of(1)?, of(2)?))
}

fn instruction(line: &str, labels: &HashMap<String, usize>) -> Result<Instruction, Error> {
    let (full, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let name = ["_e32", "_e64", "_dpp", "_sdwa"]
        .iter()
        .find_map(|encoding| full.strip_suffix(encoding))
        .unwrap_or(full)
        .to_string();
    let operation = operation(&name);
    let mut instruction =
        Instruction { name, operation, operands: vec![], modifiers: vec![], target: None };
    match operation {
        Operation::Branch => {
            let target = labels.get(rest.trim());
            instruction.target = Some(*target.ok_or("it jumps to a label that is not there")?);
        }
        Operation::Scalar(_) | Operation::Vector(_) | Operation::Memory => {
            for text in split(rest) {
                let mut words = text.split_whitespace();
                instruction.operands.push(operand(words.next().unwrap_or(""))?);
                instruction.modifiers.extend(words.map(str::to_string));
            }
        }
        _ => {}
    }
    Ok(instruction)
}

fn operation(name: &str) -> Operation {
    const MEMORY: [&str; 5] = ["buffer_", "scratch_", "ds_", "s_load", "s_buffer_load"];
    const HINTS: [&str; 12] = [
        "s_waitcnt",
        "s_waitcnt_depctr",
        "s_delay_alu",
        "s_nop",
        "s_clause",
        "s_sendmsg",
        "s_sleep",
        "s_waitcnt_vscnt",
        "s_inst_prefetch",
        "s_setprio",
        "s_set_inst_prefetch_distance",
        "s_code_end",
    ];
    match name {
        "s_endpgm" => Operation::End,
        "s_barrier" => Operation::Barrier,
        _ if HINTS.contains(&name) => Operation::Hint,
        _ if name == "s_branch" || name.starts_with("s_cbranch") => Operation::Branch,
        _ if MEMORY.iter().any(|start| name.starts_with(start)) => Operation::Memory,
        _ => match (scalar::named(name), vector::named(name)) {
            (Some(scalar), _) => Operation::Scalar(scalar),
            (_, Some(vector)) => Operation::Vector(vector),
            _ => Operation::Unknown,
        },
    }
}

/// At commas outside of brackets.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0;
    let parts = text.split(|c| {
        depth += i32::from(c == '[') - i32::from(c == ']');
        c == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn operand(text: &str) -> Result<Operand, Error> {
    let unknown = || Error::from(format!("an operand that is not known: {text}"));
    // a number has its sign within
    let (negated, rest) = match text.strip_prefix('-') {
        Some(rest) if !rest.starts_with(|c: char| c.is_ascii_digit()) => (true, rest),
        // of a number that is an integer
        _ => match text.strip_prefix("neg(").and_then(|rest| rest.strip_suffix(')')) {
            Some(rest) => (true, rest),
            None => (false, text),
        },
    };
    let (absolute, rest) = match rest.strip_prefix('|').and_then(|rest| rest.strip_suffix('|')) {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let (place, count) = if let Some(&(_, at, count)) = NAMED.iter().find(|(n, ..)| *n == rest) {
        (Place::Scalar(at), count)
    } else if rest == "src_scc" || rest == "scc" {
        (Place::Condition, 1)
    } else if rest == "null" || rest == "off" {
        (Place::Null, 1)
    } else if let Some((at, count)) = registers(rest, 's') {
        (Place::Scalar(at), count)
    } else if let Some((at, count)) = registers(rest, 'v') {
        (Place::Vector(at), count)
    } else if let Some(integer) = integer(rest) {
        (Place::Constant(integer as u64), 1)
    } else {
        let float: f32 = rest.parse().map_err(|_| unknown())?;
        (Place::Constant(u64::from(float.to_bits())), 1)
    };
    Ok(Operand { place, count, negated, absolute })
}

/// `s7` or `s[8:11]`: the first, and how many.
fn registers(text: &str, kind: char) -> Option<(usize, usize)> {
    let rest = text.strip_prefix(kind)?;
    let Some(range) = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        return Some((rest.parse().ok()?, 1));
    };
    let (first, last) = range.split_once(':').unwrap_or((range, range));
    let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
    Some((first, last.checked_sub(first)? + 1))
}

fn integer(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
