//! The draws of simulated kernels. This is a test binary of its own, since a process can open only one chip at a time;
//! see tests/kernels.rs.

use gumbel_isa::radv::Chip;
use gumbel_isa::workload::{self, FAMILIES, Program, Shape};

/// Teams of other sizes than in the tables, and rows that end within an octet or a span: their draws, and those at
/// temperature 0, equal the CPU engine's.
#[test]
#[ignore = "needs RADV: scripts/isa --check"]
fn waves_draw_what_the_cpu_engine_draws() {
    for (family, int64) in FAMILIES.into_iter().zip([true, false]) {
        let chip = Chip::open(family.name, int64).unwrap();
        for (rows, categories, simulated) in [
            (9, 4, 9),
            (300, 100, 96),
            (40, 1004, 40),
            (5, 5000, 5),
            (3, 20_004, 3),
            (2, 70_004, 2),
        ] {
            for greedy in [false, true] {
                let shape = Shape::new(rows, categories, simulated);
                let race = Program::new(&chip, shape.variant(greedy, int64)).unwrap();
                let merge = shape.merge(greedy, int64);
                let merge = merge.map(|merge| Program::new(&chip, merge).unwrap());
                workload::simulate(family, shape, greedy, (&race, merge.as_ref()), 0).unwrap();
            }
        }
    }
}
