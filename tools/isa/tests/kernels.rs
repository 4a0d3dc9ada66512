//! What an account of the kernels says. The tests need RADV: `scripts/isa --check` runs them.

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

/// These shares are of rows of normal logits with a standard deviation of 3, and of waves that advance at the same pace.
/// The test applies to flat noise, and as long as the loop evaluates a category exactly in the turn that finds it, with
/// the cutoff of the whole team. The teams are smaller than a GPU's, whose first octets are a whole row of 4,096
/// categories.
#[test]
#[ignore = "needs RADV: scripts/isa --check"]
fn waves_enter_the_exact_part_as_often_as_a_simulation_says() {
    let chip = Chip::open(FAMILIES[0].name, true).unwrap();
    for (team, wanted) in [(64, 0.73..0.81), (128, 0.69..0.79)] {
        // so few that no row is cut
        let teams = Teams { team, busy_invocations: 1, ..Teams::HARDWARE };
        let shape = Shape { teams, ..Shape::new(512, 4096, 128) };
        assert_eq!(shape.teams(false), (1, team));
        let share = account(&chip, shape).share_entered().unwrap();
        assert!(wanted.contains(&share), "teams of {team}: {share}, and not {wanted:?}");
    }
}

/// The loop that loads is found within the one that settles.
#[test]
#[ignore = "needs RADV: scripts/isa --check"]
fn groups_are_settled_behind_the_loop_that_loads_them() {
    let chip = Chip::open(FAMILIES[0].name, true).unwrap();
    let account = account(&chip, Shape::new(256, 128_256, 1));
    // 1,002 half-spans of 128 logits, of which the first 256 open the race
    assert_eq!(account.turn.loads, [16; 32]);
    assert_eq!(account.turns, 4 * 3);
    assert_eq!(account.share_entered(), None);
    let regions = account.regions;
    assert!([regions.opening, regions.scores, regions.exact, regions.end].iter().all(|&of| of > 0));
    assert_eq!((regions.opening_exact, regions.merge), (0, 0));
}
