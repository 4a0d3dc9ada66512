use super::super::work::sections;
use super::*;
use crate::gpu::layout::{Device, Teams};
use crate::options::Logits;
use crate::options::{Relaxation, SampleOptions};

fn plan(rows: usize, categories: usize, draws: u32, limits: &Limits) -> Result<Plan, Error> {
    let row = vec![0.0f32; categories];
    let logits = Logits::strided(&row, rows, categories, 0)?;
    let options = SampleOptions::default().with_draws(draws);
    Plan::new(&Softening::new(logits, &options, Relaxation::soft(1.0))?, limits)
}

/// Whatever the shape: buffers are no larger than allowed, chunks follow each other in the result,
/// all octets are in a strip, and no loop is too long.
#[test]
fn plans_keep_to_the_limits() {
    for (chunk_bytes, binding_bytes) in [(1 << 10, 1 << 12), (16 << 20, 128 << 20)] {
        let devices = [Teams::HARDWARE, Teams::emulated(2)].map(|teams| Device {
            teams,
            subgroups: false,
            workgroups: 65_535,
        });
        for (device, rows) in
            devices.iter().flat_map(|device| [1, 3, 1000, 70_000].map(|n| (device, n)))
        {
            let limits = Limits { chunk_bytes, binding_bytes, device: *device };
            for (categories, draws) in
                [(1, 1), (2, 3), (9, 1), (257, 70), (1000, 1), (5, 1 << 20), (128_256, 2)]
            {
                let Ok(plan) = plan(rows, categories, draws, &limits) else {
                    assert!(categories > binding_bytes as usize / 4 - 4);
                    continue;
                };
                let binding = binding_bytes as usize;
                assert!(4 * plan.floats() <= binding && plan.logits_bytes() <= binding, "{plan:?}");
                assert!(16 * plan.outcomes() <= binding && 8 * plan.rows <= binding, "{plan:?}");
                assert!(8 * plan.sums(true) <= binding, "{plan:?}");
                for vjp in [false, true] {
                    let sections = sections(&plan, true, vjp);
                    let within = sections.are_within(chunk_bytes);
                    // a row is never cut
                    assert!(within || plan.races() == 1, "{sections:?}: {plan:?}");
                }
                let octets = categories.div_ceil(8);
                assert!(octets.div_ceil(plan.strips as usize) < 1 << 15, "{plan:?}");
                assert!((1..=512).contains(&plan.strips) && plan.draws <= 1 << 15, "{plan:?}");
                let [x, y] = plan.workgroups(plan.races() * plan.strips as usize);
                assert!(x <= 65_535 && y <= 65_535, "{plan:?}");
                let mut next = 0;
                for chunk in plan.chunks().take(10_000) {
                    let floats = chunk.floats(categories);
                    assert_eq!(floats.start, next);
                    assert!(floats.len() <= plan.floats());
                    next = floats.end;
                }
            }
        }
    }
}
