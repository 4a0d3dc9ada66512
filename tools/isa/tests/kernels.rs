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

/// The larger a team, the fewer turns enter the exact part. These shares are of rows of normal logits with a
/// standard deviation of 3, and of waves that advance at the same pace. The test applies as long as the loop
/// evaluates a category exactly in the turn that finds it, with the cutoff of the whole team.
#[test]
#[ignore = "needs RADV: scripts/isa --check"]
fn waves_enter_the_exact_part_as_often_as_a_simulation_says() {
    let chip = Chip::open(FAMILIES[0].name, true).unwrap();
    for (team, parts, wanted) in [(64, 16, 0.58..0.68), (256, 4, 0.38..0.46), (512, 1, 0.17..0.23)]
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
