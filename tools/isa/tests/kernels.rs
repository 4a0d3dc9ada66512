//! How often the waves of the kernels enter the exact part. The test needs RADV: `scripts/isa --check` runs it.

use gumbel_isa::Teams;
use gumbel_isa::account::Account;
use gumbel_isa::radv::Chip;
use gumbel_isa::workload::{self, FAMILIES, Program, Shape};

fn account(chip: &Chip, shape: Shape) -> Account {
    let race = Program::new(chip, shape.variant(false, true)).unwrap();
    let merge = shape.merge(false, true).map(|merge| Program::new(chip, merge).unwrap());
    let programs = (&race, merge.as_ref());
    let simulated = workload::simulate(FAMILIES[0], shape, false, programs, 0).unwrap();
    Account::new(&race, merge.as_ref(), &simulated)
}

/// The larger a team, the fewer turns enter the exact part. A simulation of the filter's arithmetic alone found
/// 88, 61 and 38 % of turns, in rows of normal logits with a standard deviation of 3. In that simulation the
/// waves of a team open a race one after the other, so that later waves begin with the cutoff that earlier
/// ones have found. Waves that advance at the same pace do not have this cutoff yet, and enter more often. A
/// team of one wave must enter as often in both. The test applies as long as the loop evaluates a
/// category exactly in the turn that finds it.
#[test]
#[ignore = "needs RADV: scripts/isa --check"]
fn waves_enter_the_exact_part_as_often_as_a_simulation_says() {
    let chip = Chip::open(FAMILIES[0].name, true).unwrap();
    for (team, parts, wanted) in [(64, 16, 0.85..0.91), (256, 4, 0.61..0.88), (512, 1, 0.38..0.88)]
    {
        // so many that rows are cut into so many parts
        let busy_invocations = 256 * parts * team as usize;
        let teams = Teams { team, busy_invocations, ..Teams::HARDWARE };
        let shape = Shape { teams, ..Shape::new(256, 128_256, 4) };
        assert_eq!(shape.teams(false), (parts as u32, team));
        let share = account(&chip, shape).share_entered().unwrap();
        assert!(wanted.contains(&share), "{parts} parts of {team}: {share}, and not {wanted:?}");
    }
}
