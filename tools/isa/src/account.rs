//! Where a wave's units go.
//!
//! The jumps of a listing show the kernel's loops, and a simulation says how often each instruction was issued.
//! The *main loop* is the loop that loads most from buffers outside of the loops within it. An instruction in it
//! belongs to *every turn* if it was issued at least as often as the loads, and else to the part that only some turns
//! *enter*.
//!
//! With flat noise the main loop is in no other. The code before it opens a race, and the code behind it ends one. With
//! noise from the top down it is in an *outer loop*, which settles the groups that the main loop has queued: what is in
//! the outer loop alone *settles*, and the code before and behind the outer loop opens and ends.

use crate::cost::{self, Class};
use crate::listing::{Instruction, Listing, Operation};
use crate::machine::LANES;
use crate::memory;
use crate::workload::{Program, Simulation};

/// Units, of all waves together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Regions {
    /// Before the loop, but for loops: places, first loads and noise, what the first octets are sure to reach,
    /// and their upper scores.
    pub opening: u64,
    /// The loops before the loop: what of the first octets is evaluated exactly.
    pub opening_exact: u64,
    /// In every turn of the loop.
    pub turns: u64,
    /// In turns of which something may win: all upper scores, or, if there is an outer loop, groups are queued.
    pub scores: u64,
    /// What is evaluated exactly: in the loops within, or in the outer loop, where groups are settled.
    pub exact: u64,
    /// Behind the loops: outcomes are joined and written.
    pub end: u64,
    /// The pass that joins parts.
    pub merge: u64,
}

impl Regions {
    /// In the order of their columns.
    pub fn all(&self) -> [u64; 7] {
        let Self { opening, opening_exact, turns, scores, exact, end, merge } = *self;
        [opening, opening_exact, turns, scores, exact, end, merge]
    }
}

/// What an instruction of a turn is counted as, and the loads by their bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// So many instructions of each class.
    pub classes: Vec<(Class, u64)>,
    /// The bytes of each load of a lane.
    pub loads: Vec<usize>,
    /// The units.
    pub units: u64,
}

/// The account of a shape.
#[derive(Clone, Debug)]
pub struct Account {
    /// By where they go.
    pub regions: Regions,
    /// Waves.
    pub waves: u64,
    /// Logits that they drew from.
    pub logits: u64,
    /// Turns of the loop, of all waves.
    pub turns: u64,
    /// Turns that enter the exact part, if there is no outer loop.
    pub entered: Option<u64>,
    /// A turn in which nothing may win.
    pub turn: Turn,
}

impl Account {
    /// The account of a simulation.
    pub fn new(program: &Program, merge: Option<&Program>, simulated: &Simulation) -> Self {
        let merged = |merge: &Program| {
            let code = merge.listing.instructions.iter();
            code.zip(&simulated.merge).map(|(of, count)| cost::units(of) * count).sum()
        };
        let account = Self::of(&program.listing, &simulated.race);
        Self {
            regions: Regions { merge: merge.map_or(0, merged), ..account.regions },
            waves: simulated.waves,
            logits: simulated.logits,
            ..account
        }
    }

    /// The account of one kernel, but for what it worked on.
    pub fn of(listing: &Listing, counts: &[u64]) -> Self {
        let code = &listing.instructions;
        let loops = loops(listing);
        let the_loop = main_loop(listing, &loops);
        let (begin, end) = the_loop.unwrap_or((code.len(), code.len()));
        let outermost = loops.iter().filter(|&&(b, e)| b <= begin && end <= e);
        let outer = outermost.max_by_key(|(b, e)| e - b).copied().unwrap_or((begin, end));
        let settles = outer != (begin, end);
        let within = |i: usize| (begin..end).contains(&i);
        let in_outer = |i: usize| (outer.0..outer.1).contains(&i);
        let nested = |i: usize| {
            let around = |&(b, e): &(usize, usize)| b <= begin && end <= e;
            loops.iter().any(|of| !around(of) && (of.0..of.1).contains(&i))
        };
        let loads = |i: usize| code[i].name.starts_with("buffer_load");
        let straight = (begin..end).filter(|&i| loads(i) && !nested(i));
        let turns = straight.map(|i| counts[i]).max().unwrap_or(0);
        let mut account = Self {
            regions: Regions::default(),
            waves: 0,
            logits: 0,
            turns,
            entered: None,
            turn: Turn::default(),
        };
        let mut by_count = std::collections::BTreeMap::<u64, u64>::new();
        for (i, of) in code.iter().enumerate() {
            let units = cost::units(of) * counts[i];
            let every = counts[i] >= turns;
            let r = &mut account.regions;
            let place = match (within(i), nested(i)) {
                (true, false) if every => {
                    if turns > 0 {
                        account.turn.count(of);
                    }
                    &mut r.turns
                }
                (true, false) => {
                    *by_count.entry(counts[i]).or_default() += units;
                    &mut r.scores
                }
                (true, true) if settles => &mut r.scores,
                (true, true) => &mut r.exact,
                (false, _) if in_outer(i) => &mut r.exact,
                (false, true) if i < begin => &mut r.opening_exact,
                (false, false) if i < begin => &mut r.opening,
                _ => &mut r.end,
            };
            *place += units;
        }
        // the part of most units: beside it stands what cuts a last octet
        let most = by_count.into_iter().max_by_key(|(_, units)| *units);
        account.entered = (!settles).then(|| most.map_or(0, |(count, _)| count));
        account
    }

    /// A number of units for each logit of a wave's.
    pub fn a_logit(&self, units: u64) -> f64 {
        units as f64 * LANES as f64 / self.logits.max(1) as f64
    }

    /// All units for each logit.
    pub fn units_a_logit(&self) -> f64 {
        self.a_logit(self.regions.all().iter().sum())
    }

    /// Of the turns, how many enter the exact part.
    pub fn share_entered(&self) -> Option<f64> {
        let entered = self.entered.filter(|_| self.turns > 0)?;
        Some(entered as f64 / self.turns as f64)
    }

    /// The units for each logit of a turn in which nothing may win: a lane has as many logits as it loads.
    pub fn turn_a_logit(&self, logit_bytes: usize) -> Option<f64> {
        let logits = self.turn.loads.iter().sum::<usize>() / logit_bytes;
        (self.turns > 0 && logits > 0).then(|| self.turn.units as f64 / logits as f64)
    }
}

impl Turn {
    fn count(&mut self, of: &Instruction) {
        let class = cost::class(of);
        match self.classes.iter_mut().find(|(c, _)| *c == class) {
            Some((_, count)) => *count += 1,
            None => self.classes.push((class, 1)),
        }
        self.units += cost::units(of);
        self.loads.extend(loaded(of));
    }

    /// How many instructions are of a class.
    pub fn of(&self, class: Class) -> u64 {
        self.classes.iter().find(|(c, _)| *c == class).map_or(0, |(_, count)| *count)
    }
}

/// The loops: from where a jump back goes to behind the last such jump. Their code is in one piece.
fn loops(listing: &Listing) -> Vec<(usize, usize)> {
    let mut loops: Vec<(usize, usize)> = Vec::new();
    for (i, of) in listing.instructions.iter().enumerate() {
        if let (Operation::Branch, Some(begin)) = (of.operation, of.target)
            && begin <= i
        {
            match loops.iter_mut().find(|(b, _)| *b == begin) {
                Some((_, end)) => *end = i + 1,
                None => loops.push((begin, i + 1)),
            }
        }
    }
    loops
}

/// The loop that loads the most bytes outside of the loops within it.
fn main_loop(listing: &Listing, loops: &[(usize, usize)]) -> Option<(usize, usize)> {
    let code = &listing.instructions;
    let bytes = |&(begin, end): &(usize, usize)| -> usize {
        let within = |&&(b, e): &&(usize, usize)| (b, e) != (begin, end) && begin <= b && e <= end;
        let inner: Vec<_> = loops.iter().filter(within).collect();
        let own = (begin..end).filter(|i| !inner.iter().any(|(b, e)| (b..e).contains(&i)));
        own.filter_map(|i| loaded(&code[i])).sum()
    };
    let loading = loops.iter().filter(|of| bytes(of) > 0);
    loading.max_by_key(|of| bytes(of)).copied()
}

/// The bytes that a lane loads from a buffer.
fn loaded(of: &Instruction) -> Option<usize> {
    let words = memory::words(of.name.strip_prefix("buffer_load_")?).ok()?;
    Some(4 * words)
}
