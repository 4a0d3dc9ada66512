//! From a batch that is on the device to a kernel and its teams. Pure: no device is asked.
//!
//! A *race* is one draw of one row. A *team* of invocations takes a race, or a *part* of one if there
//! are too few races to keep the device busy; parts are merged by a second pass. A team has up to a
//! workgroup of invocations, and short rows share a workgroup.

use crate::shaders::{Kernel, Reduction};

/// The most octets that an invocation takes in one pass; see `shaders/kernel/stream.wgsl`.
pub(crate) const MAX_OCTETS_PER_LANE: usize = 2048;
/// The most parts that an invocation merges, unless a row is longer than any buffer.
const MAX_PARTS_PER_LANE: usize = 1 << 15;
/// The octets that an invocation holds; see `shaders/kernel/several_draws.wgsl`.
const HELD_OCTETS: usize = 4;
/// Rows of more parts than this are loaded again for each draw: the outcomes of the parts would grow
/// beside what is saved.
const MAX_HELD_PARTS: usize = 256;
/// The most draws from what is held; see there.
const MAX_DRAWS_AT_ONCE: usize = 512;
/// The bytes of an outcome; see `shaders/kernel/outcome.wgsl`.
const OUTCOME_BYTES: u64 = 16;
/// The invocations of a workgroup whose members draw each for itself.
const SHARED_WORKGROUP: u32 = 64;

/// How many invocations a device's teams have. The draws do not depend on it.
///
/// [`DeviceKind`](crate::DeviceKind) has one for each kind of device that gumbel knows. This is for who measures
/// another: `gumbel bench --teams`. Numbers that the device cannot have are lowered to those that it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Teams {
    /// The largest team, which is a workgroup then; a power of two.
    pub team: u32,
    /// The invocations of a workgroup in which there are several teams, or which is not for draws by races; a
    /// power of two.
    pub shared_workgroup: u32,
    /// Rows of up to so many octets get a single invocation.
    pub alone_octets: usize,
    /// The octets that there should be for each invocation of a larger team.
    pub octets_per_lane: usize,
    /// The invocations that keep the device busy: with fewer races than that, rows are cut into
    /// parts.
    pub busy_invocations: usize,
    /// Whether several draws from a row hold its logits in registers.
    pub holds_logits: bool,
}

impl Teams {
    /// For a GPU. Nothing here has been measured on one: a large GPU has room for 2¹⁸ invocations, each
    /// of which should have a pair of octets at least, and small workgroups leave fewer of them
    /// idle at barriers.
    pub const HARDWARE: Self = Self {
        team: SHARED_WORKGROUP,
        shared_workgroup: SHARED_WORKGROUP,
        alone_octets: 4,
        octets_per_lane: 2,
        busy_invocations: 1 << 18,
        holds_logits: true,
    };

    /// For an adapter that emulates a GPU on `cores` cores. It runs the invocations of a vector of eight
    /// to the end, or to a barrier, before the next: so teams are one vector, which reads a row
    /// from its beginning to its end. (With 64 lanes, Mesa 25's lavapipe takes 1.4 times as long for
    /// 256 × 128,256, and twice as long for the argmax.) Logits come from a cache for a row's later
    /// draws, and holding them takes 1.0 to 1.1 times as long as loading them again.
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

    /// The teams, lowered to what there can be in workgroups of so many invocations, a power of two.
    pub(crate) fn within(self, workgroup_size: u32) -> Self {
        let size = |lanes: u32| 1 << lanes.clamp(1, workgroup_size).ilog2();
        let team = size(self.team);
        Self {
            team,
            // parts are taken by the workgroup
            shared_workgroup: if team == 1 { 1 } else { size(self.shared_workgroup) },
            // one invocation takes no more of a row
            alone_octets: self.alone_octets.min(MAX_OCTETS_PER_LANE),
            octets_per_lane: self.octets_per_lane.clamp(1, MAX_OCTETS_PER_LANE),
            busy_invocations: self.busy_invocations.max(1),
            ..self
        }
    }
}

/// What kind of device a layout is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    /// As they are [within](Teams::within) its workgroups.
    pub(crate) teams: Teams,
    /// Whether there are subgroup operations.
    pub(crate) subgroups: bool,
    /// The most workgroups along one dimension of a dispatch.
    pub(crate) workgroups: u32,
}

impl Device {
    /// The device, with no more kept busy by so many races than so many bytes have room for, in outcomes of
    /// their parts and one more of each race that is carried over.
    pub(crate) fn with_memory_for_parts(self, races: usize, bytes: u64) -> Self {
        let outcomes = usize::try_from(bytes / OUTCOME_BYTES).unwrap_or(usize::MAX);
        let parts = (outcomes / races).saturating_sub(1).max(1);
        let busy = parts.saturating_mul(races).saturating_mul(self.teams.team as usize);
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
            // the merge's loops are bounded too
            busy.min(octets.div_ceil(lanes * per_lane)).min(lanes * MAX_PARTS_PER_LANE)
        } else {
            1
        };
        let part_octets = octets.div_ceil(wanted.max(needed));
        let parts = octets.div_ceil(part_octets);

        // the team's findings are joined in a loop
        let most_draws = MAX_DRAWS_AT_ONCE.min((1 << 15) / lanes);
        let turns =
            teams.busy_invocations.div_ceil(races.rows.saturating_mul(parts).saturating_mul(lanes));
        let draws_at_once =
            if hold { (races.draws as usize).div_ceil(turns).min(most_draws) } else { 1 };
        let whole = lanes == teams.team as usize;
        Self {
            kernel: match (races.greedy, hold) {
                (true, _) => Kernel::Greedy,
                (false, true) => Kernel::SeveralDraws,
                (false, false) => Kernel::Stream,
            },
            reduction: match (lanes, device.subgroups && whole) {
                (1, _) => Reduction::Alone,
                (_, true) => Reduction::Subgroups,
                (_, false) => Reduction::Workgroup,
            },
            // of several teams or, where they would not fit, of one
            workgroup_size: if whole && lanes > 1 {
                teams.team
            } else {
                teams.shared_workgroup.max(lanes as u32)
            },
            lanes: lanes as u32,
            parts: parts as u32,
            part_octets: part_octets as u32,
            draws_at_once: draws_at_once as u32,
            races,
            workgroups: device.workgroups,
        }
    }

    /// The layout for a pass that is dispatched as a whole, and whose outcomes have to fit into so many
    /// bytes. Rows are cut into fewer parts if that helps, and their logits loaded again for each draw if
    /// those that hold them are too many; outcomes may still be too many.
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

    /// What the outcomes of a pass take: one for each part of a race, and one that is carried over.
    pub(crate) fn outcome_bytes(&self) -> u128 {
        let races = self.races.rows as u128 * u128::from(self.races.draws);
        let parts = u128::from(self.parts) + 1;
        if self.is_cut() { races * parts * u128::from(OUTCOME_BYTES) } else { 0 }
    }

    /// A workgroup for each race.
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

    /// The layout with a kernel in the place of the plain race that sums rows too, or only that. Where teams
    /// hold logits for several draws, sums are of a pass of their own.
    pub(crate) fn with_sums(self, kernel: Kernel) -> Self {
        if self.kernel == Kernel::Stream { Self { kernel, ..self } } else { self }
    }

    /// True if a merge pass has to follow.
    pub(crate) fn is_cut(&self) -> bool {
        self.parts > 1
    }

    /// Workgroups along x and y, for a pass with at most as many rows and draws as were planned for.
    pub(crate) fn workgroups(&self, rows: usize, draws: usize) -> [u32; 2] {
        let turns = draws.div_ceil(self.draws_at_once as usize);
        let teams = rows.saturating_mul(turns).saturating_mul(self.parts as usize);
        grid(teams.div_ceil((self.workgroup_size / self.lanes) as usize), self.workgroups)
    }

    /// Workgroups of the merge pass.
    pub(crate) fn merge_workgroups(&self, rows: usize, draws: usize) -> [u32; 2] {
        grid(rows.saturating_mul(draws), self.workgroups)
    }
}

/// So many workgroups along x and y, with at most so many in a dimension.
///
/// As even as can be: with full rows of workgroups, nearly all of the last could be idle, and an
/// idle workgroup takes as long as one that draws from a short row.
pub(crate) fn grid(workgroups: usize, most: u32) -> [u32; 2] {
    let y = workgroups.div_ceil(most as usize).max(1);
    [workgroups.div_ceil(y) as u32, y as u32]
}

#[cfg(test)]
mod tests;
