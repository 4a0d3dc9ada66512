//! Chooses a kernel and its teams for a batch that is on the device. Pure: no device is asked.
//!
//! A *race* is one draw of one row. A *team* of invocations takes a race, or a *part* of one if there
//! are too few races to keep the device busy; parts are merged by a second pass. A team has up to a
//! workgroup of invocations, and short rows share a workgroup.

use crate::noise::bits::FLAT;
use crate::noise::groups::SPAN;
use crate::shaders::{Kernel, Reduction};

/// The most octets that an invocation takes in one pass; see `shaders/kernel/stream.wgsl`.
pub(crate) const MAX_OCTETS_PER_LANE: usize = 2048;
/// The most parts that an invocation merges, unless a row is longer than any buffer.
const MAX_PARTS_PER_LANE: usize = 1 << 15;
/// The octets that an invocation holds; see `shaders/kernel/several_draws.wgsl`.
const HELD_OCTETS: usize = 4;
/// Rows of more parts than this are loaded again for each draw: with more parts, their outcomes
/// would cost much of what holding the logits saves.
const MAX_HELD_PARTS: usize = 256;
/// The most draws from logits that are held; see `shaders/kernel/several_draws.wgsl`.
const MAX_DRAWS_AT_ONCE: usize = 512;
/// The half-spans that an invocation holds; see `shaders/kernel/several_draws.groups.wgsl`.
const HELD_HALVES: usize = 4;
/// The octets of a half-span; see `shaders/kernel/half_span.wgsl`.
pub(crate) const HALF_OCTETS: usize = SPAN / 2 / 8;
/// The most draws from half-spans that are held; see `shaders/kernel/several_draws.groups.wgsl`.
const MAX_DRAWS_OF_HALVES: usize = 32;
/// The most invocations of a team that settles groups: so many that the workgroup memory of any device suffices.
const MAX_TEAM_OF_GROUPS: u32 = 256;
/// The bytes of an outcome; see `shaders/kernel/outcome.wgsl`.
const OUTCOME_BYTES: u64 = 16;
/// The number of invocations of a workgroup in which invocations draw alone, or several teams are.
const SHARED_WORKGROUP: u32 = 64;

/// How a device's invocations are divided into teams. The draws do not depend on it.
///
/// [`DeviceKind`](crate::DeviceKind) has teams for each kind of device that gumbel knows. This type
/// is for measurements of another kind: `gumbel bench --teams`. Numbers that are too large for the
/// device are lowered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Teams {
    /// The number of invocations of the largest team, which is a whole workgroup; a power of two.
    pub team: u32,
    /// The number of invocations of a workgroup that has several teams, or that does not draw by
    /// races; a power of two.
    pub shared_workgroup: u32,
    /// The most octets of a row that a single invocation takes.
    pub alone_octets: usize,
    /// The number of octets that there should be for each invocation of a larger team.
    pub octets_per_lane: usize,
    /// The number of invocations that keep the device busy. If one of the largest teams for each
    /// race has fewer invocations in all, rows are cut into parts.
    pub busy_invocations: usize,
    /// Whether a team that takes several draws from a row holds the row's logits in registers.
    pub holds_logits: bool,
}

impl Teams {
    /// The teams for a GPU. These numbers have not been measured on one. Each team has to find a
    /// cutoff and to evaluate its winner, so one large team for a row costs less than many small
    /// ones: `scripts/isa` counts 36 % fewer instructions for 256 × 128,256 than with four teams
    /// of 64. Long rows have no larger teams, as these need more workgroup memory than each device
    /// has.
    /// 2¹⁶ invocations with four loads of 16 bytes each keep a large GPU's memory busy.
    pub const HARDWARE: Self = Self {
        team: 256,
        shared_workgroup: SHARED_WORKGROUP,
        alone_octets: 2,
        octets_per_lane: 2,
        busy_invocations: 1 << 16,
        holds_logits: true,
    };

    /// The teams for an adapter that emulates a GPU on `cores` cores. Such an adapter runs the
    /// eight invocations of a vector to the end, or to a barrier, before the next eight: so a team
    /// is one vector, which reads a row from its beginning to its end. (With 64 lanes, Mesa 25's
    /// lavapipe took 1.4 times as long for 256 × 128,256, and twice as long for the argmax.) For a
    /// row's later draws logits come from a cache, and holding them takes 1.0 to 1.1 times as long
    /// as loading them again.
    pub(crate) fn emulated(cores: usize) -> Self {
        Self {
            team: 8,
            shared_workgroup: SHARED_WORKGROUP,
            alone_octets: 128,
            octets_per_lane: 16,
            busy_invocations: 4 * 8 * cores,
            holds_logits: false,
        }
    }

    /// Returns these teams, lowered to what workgroups of `workgroup_size` invocations, a power of
    /// two, can have.
    pub(crate) fn within(self, workgroup_size: u32) -> Self {
        let size = |lanes: u32| 1 << lanes.clamp(1, workgroup_size).ilog2();
        let team = size(self.team);
        Self {
            team,
            // a part is taken by a whole workgroup, which is one invocation if that is the largest
            // team
            shared_workgroup: if team == 1 { 1 } else { size(self.shared_workgroup) },
            // an invocation takes no more octets in one pass
            alone_octets: self.alone_octets.min(MAX_OCTETS_PER_LANE),
            octets_per_lane: self.octets_per_lane.clamp(1, MAX_OCTETS_PER_LANE),
            busy_invocations: self.busy_invocations.max(1),
            ..self
        }
    }
}

/// The properties of a device that a layout depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    /// The teams, lowered to what they can be [within](Teams::within) the device's workgroups.
    pub(crate) teams: Teams,
    /// Whether there are subgroup operations.
    pub(crate) subgroups: bool,
    /// The most workgroups along one dimension of a dispatch.
    pub(crate) workgroups: u32,
}

impl Device {
    /// Returns the device with `busy_invocations` lowered so far that `bytes` bytes suffice for the
    /// outcomes of `races` races: one for each part, and one of each race that is carried over.
    pub(crate) fn with_memory_for_parts(self, races: usize, bytes: u64) -> Self {
        let outcomes = usize::try_from(bytes / OUTCOME_BYTES).unwrap_or(usize::MAX);
        let parts = (outcomes / races).saturating_sub(1).max(1);
        // the largest teams of long rows may be smaller than others
        let team = self.teams.team.min(MAX_TEAM_OF_GROUPS) as usize;
        let busy = parts.saturating_mul(races).saturating_mul(team);
        let busy_invocations = self.teams.busy_invocations.min(busy);
        Self { teams: Teams { busy_invocations, ..self.teams }, ..self }
    }
}

/// The races of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Races {
    pub(crate) rows: usize,
    pub(crate) categories: usize,
    pub(crate) draws: u32,
    /// True if all are at temperature 0.
    pub(crate) greedy: bool,
    /// True if the noise comes from the top down; see [`has_groups`].
    pub(crate) groups: bool,
}

/// Whether the noise of rows of this number of categories comes from the top down. Of a row that is cut into segments all
/// categories count.
pub(crate) fn has_groups(categories: usize) -> bool {
    categories > FLAT
}

/// The most half-spans that an invocation of a team takes in one pass; see `shaders/kernel/settle.wgsl`.
pub(crate) fn most_halves(team: usize) -> usize {
    if team <= 16 { 64 } else { 32 }
}

/// The number of half-spans in a row, or in a segment that begins with a span.
pub(crate) fn halves(categories: usize) -> usize {
    2 * categories.div_ceil(SPAN)
}

/// Which kernel runs, and how invocations share its races.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) kernel: Kernel,
    pub(crate) reduction: Reduction,
    pub(crate) workgroup_size: u32,
    /// The invocations of a team, a power of two.
    pub(crate) lanes: u32,
    /// The teams that share a race, and the octets of each.
    pub(crate) parts: u32,
    pub(crate) part_octets: u32,
    /// The draws that a team takes one after the other.
    pub(crate) draws_at_once: u32,
    races: Races,
    workgroups: u32,
}

impl Layout {
    /// The layout for a pass with at least one race.
    pub(crate) fn new(races: Races, device: Device) -> Self {
        if races.groups && !races.greedy {
            return Self::of_groups(races, device);
        }
        let teams = device.teams;
        let octets = races.categories.div_ceil(8);
        let held = HELD_OCTETS * teams.team as usize;
        let hold = teams.holds_logits
            && !races.greedy
            && races.draws > 1
            && octets.div_ceil(held) <= MAX_HELD_PARTS;
        let per_lane = if hold { HELD_OCTETS } else { teams.octets_per_lane };
        let alone = if hold { HELD_OCTETS } else { teams.alone_octets };
        let lanes = if octets <= alone {
            1
        } else {
            octets.div_ceil(per_lane).next_power_of_two().min(teams.team as usize)
        };

        // saturating for the 32-bit usize of a browser
        let all = races.rows.saturating_mul(races.draws as usize);
        let most_per_lane = if hold { HELD_OCTETS } else { MAX_OCTETS_PER_LANE };
        let needed = octets.div_ceil(lanes * most_per_lane);
        let wanted = if lanes == teams.team as usize {
            let busy = teams.busy_invocations.div_ceil(all.saturating_mul(lanes));
            // the loops of the merge are bounded too
            busy.min(octets.div_ceil(lanes * per_lane)).min(lanes * MAX_PARTS_PER_LANE)
        } else {
            1
        };
        let part_octets = octets.div_ceil(wanted.max(needed));
        let parts = octets.div_ceil(part_octets);

        // each draw joins the team's findings in a loop, and loops are bounded
        let most_draws = MAX_DRAWS_AT_ONCE.min((1 << 15) / lanes);
        let turns =
            teams.busy_invocations.div_ceil(races.rows.saturating_mul(parts).saturating_mul(lanes));
        let draws_at_once =
            if hold { (races.draws as usize).div_ceil(turns).min(most_draws) } else { 1 };
        let whole = lanes == teams.team as usize;
        // a workgroup of several teams, or of one where several would not fit
        let workgroup_size =
            if whole && lanes > 1 { teams.team } else { teams.shared_workgroup.max(lanes as u32) };
        let is_workgroup = lanes == workgroup_size as usize;
        Self {
            kernel: match (races.greedy, hold) {
                (true, _) => Kernel::Greedy,
                (false, true) => Kernel::SeveralDraws,
                (false, false) => Kernel::Stream,
            },
            reduction: match (lanes, device.subgroups && is_workgroup) {
                (1, _) => Reduction::Alone,
                (_, true) => Reduction::Subgroups,
                (_, false) => Reduction::Workgroup,
            },
            workgroup_size,
            lanes: lanes as u32,
            parts: parts as u32,
            part_octets: part_octets as u32,
            draws_at_once: draws_at_once as u32,
            races,
            workgroups: device.workgroups,
        }
    }

    /// The layout for long rows, whose noise comes from the top down: a team is a workgroup, and takes whole spans.
    fn of_groups(races: Races, device: Device) -> Self {
        let teams = device.teams;
        let halves = halves(races.categories);
        // invocations beyond a row's half-spans would only wait
        let enough = halves.next_power_of_two().max(teams.shared_workgroup as usize);
        let team = (teams.team.min(MAX_TEAM_OF_GROUPS) as usize).min(enough);
        let hold = teams.holds_logits
            && races.draws > 1
            && halves.div_ceil(HELD_HALVES * team) <= MAX_HELD_PARTS;
        let most_per_lane = if hold { HELD_HALVES } else { most_halves(team) };
        let all = races.rows.saturating_mul(races.draws as usize);
        let busy = teams.busy_invocations.div_ceil(all.saturating_mul(team));
        let wanted = busy.min(halves.div_ceil(team)).min(team * MAX_PARTS_PER_LANE);
        let part = halves.div_ceil(wanted.max(halves.div_ceil(team * most_per_lane)));
        // a part begins with a span
        let part_octets = part.next_multiple_of(2) * HALF_OCTETS;
        let parts = races.categories.div_ceil(8).div_ceil(part_octets);
        let of_row = races.rows.saturating_mul(parts).saturating_mul(team);
        let turns = teams.busy_invocations.div_ceil(of_row);
        let draws_at_once =
            if hold { (races.draws as usize).div_ceil(turns).min(MAX_DRAWS_OF_HALVES) } else { 1 };
        Self {
            kernel: if hold { Kernel::SeveralDraws } else { Kernel::Stream },
            reduction: if device.subgroups { Reduction::Subgroups } else { Reduction::Workgroup },
            workgroup_size: team as u32,
            lanes: team as u32,
            parts: parts as u32,
            part_octets: part_octets as u32,
            draws_at_once: draws_at_once as u32,
            races,
            workgroups: device.workgroups,
        }
    }

    /// Returns the layout for a pass that is dispatched as a whole and whose outcomes have to fit
    /// into `bytes` bytes. Rows are cut into fewer parts if that helps. If the parts that hold
    /// logits are still too many, logits are loaded again for each draw. Even then the outcomes may
    /// be too many.
    pub(crate) fn within(races: Races, device: Device, bytes: u64) -> Self {
        let teams = races.rows.saturating_mul(races.draws as usize);
        let device = device.with_memory_for_parts(teams, bytes);
        let layout = Self::new(races, device);
        if layout.kernel == Kernel::SeveralDraws && layout.outcome_bytes() > u128::from(bytes) {
            let teams = Teams { holds_logits: false, ..device.teams };
            return Self::new(races, Device { teams, ..device });
        }
        layout
    }

    /// The bytes of a pass's outcomes: one for each part of a race, and one that is carried over. 0
    /// if rows are not cut.
    pub(crate) fn outcome_bytes(&self) -> u128 {
        let races = self.races.rows as u128 * u128::from(self.races.draws);
        let parts = u128::from(self.parts) + 1;
        if self.is_cut() { races * parts * u128::from(OUTCOME_BYTES) } else { 0 }
    }

    /// Returns the layout in which each race has a workgroup.
    pub(crate) fn of_workgroups(kernel: Kernel, races: Races, device: Device) -> Self {
        let octets = races.categories.div_ceil(8);
        Self {
            kernel,
            reduction: Reduction::Workgroup,
            workgroup_size: device.teams.shared_workgroup,
            lanes: device.teams.shared_workgroup,
            parts: 1,
            part_octets: octets as u32,
            draws_at_once: 1,
            races,
            workgroups: device.workgroups,
        }
    }

    /// Returns the layout with `kernel`, which sums rows and may draw too, in the place of
    /// [`Kernel::Stream`]. A layout with another kernel is left as it is: sums then need a pass of
    /// their own.
    pub(crate) fn with_sums(self, kernel: Kernel) -> Self {
        if self.kernel == Kernel::Stream { Self { kernel, ..self } } else { self }
    }

    /// True if the kernel takes the noise of races from the top down.
    pub(crate) fn has_groups(&self) -> bool {
        let draws = matches!(
            self.kernel,
            Kernel::Stream | Kernel::Score | Kernel::SeveralDraws | Kernel::TopK
        );
        self.races.groups && draws
    }

    /// True if a merge pass has to follow.
    pub(crate) fn is_cut(&self) -> bool {
        self.parts > 1
    }

    /// The numbers of workgroups along x and y, for a pass with at most as many rows and draws as
    /// were planned for.
    pub(crate) fn workgroups(&self, rows: usize, draws: usize) -> [u32; 2] {
        let turns = draws.div_ceil(self.draws_at_once as usize);
        let teams = rows.saturating_mul(turns).saturating_mul(self.parts as usize);
        grid(teams.div_ceil((self.workgroup_size / self.lanes) as usize), self.workgroups)
    }

    /// The numbers of workgroups of the merge pass along x and y.
    pub(crate) fn merge_workgroups(&self, rows: usize, draws: usize) -> [u32; 2] {
        grid(rows.saturating_mul(draws), self.workgroups)
    }
}

/// Divides workgroups among x and y, with at most `most` in a dimension.
///
/// The rows of workgroups are as even as can be: if all but the last were full, nearly all of the
/// last could be idle, and an idle workgroup takes as long as one that draws from a short row.
pub(crate) fn grid(workgroups: usize, most: u32) -> [u32; 2] {
    let y = workgroups.div_ceil(most as usize).max(1);
    [workgroups.div_ceil(y) as u32, y as u32]
}

#[cfg(test)]
mod tests;
