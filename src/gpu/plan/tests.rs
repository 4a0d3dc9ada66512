use super::*;

const SMALL: Limits = Limits { binding_bytes: 1 << 10, workgroups: 3, workgroup_size: 64 };
const USUAL: Limits = Limits { binding_bytes: 64 << 20, workgroups: 65_535, workgroup_size: 256 };

fn shape(rows: usize, categories: usize, row_stride: usize, draws: u32) -> Shape {
    Shape { rows, categories, row_stride, draws }
}

/// Everything that a plan must keep to, whatever the shape.
fn check(shape: Shape, limits: Limits) {
    let plan = Plan::new(shape, limits);
    let words = (limits.binding_bytes / 4) as usize;
    assert!(plan.lanes.is_power_of_two() && plan.lanes <= limits.workgroup_size, "{plan:?}");
    assert!(plan.logits_words() <= words, "logits exceed a binding: {plan:?}");
    assert!(plan.races() <= words, "draws exceed a binding: {plan:?}");
    assert!(2 * plan.rows() <= words.max(2), "row ids exceed a binding: {plan:?}");
    assert!(!plan.cuts_rows() || 4 * plan.races() <= words, "outcomes exceed a binding: {plan:?}");

    let mut next = 0;
    for segment in plan.segments() {
        assert_eq!(segment.start, next, "{plan:?}");
        assert!(segment.start.is_multiple_of(8) && !segment.is_empty(), "{plan:?}");
        let octets = segment.len().div_ceil(8).div_ceil(plan.lanes as usize);
        assert!(octets <= MAX_OCTETS_PER_LANE, "{octets} octets a lane: {plan:?}");
        next = segment.end;
    }
    assert_eq!(next, shape.categories, "{plan:?}");

    // the chunks' draws follow each other in the result, without a gap
    let mut next = 0;
    for chunk in plan.chunks() {
        let all_draws = chunk.draws.len() == shape.draws as usize;
        assert!(all_draws || chunk.rows.len() == 1, "draws not contiguous: {plan:?}");
        assert_eq!(chunk.rows.start * shape.draws as usize + chunk.draws.start as usize, next);
        assert!(chunk.races() <= plan.races() && chunk.rows.len() <= plan.rows());
        assert!(!plan.cuts_rows() || chunk.rows.len() == 1, "{plan:?}");
        assert!(chunk.workgroups.iter().all(|&n| 0 < n && n <= limits.workgroups), "{plan:?}");
        let races = chunk.workgroups.iter().map(|&n| n as usize).product::<usize>()
            * (limits.workgroup_size / plan.lanes) as usize;
        assert!(races >= chunk.races(), "{plan:?}");
        next += chunk.races();
    }
    assert_eq!(next, shape.rows * shape.draws as usize, "{plan:?}");
}

#[test]
fn every_plan_keeps_to_the_limits() {
    for limits in [SMALL, USUAL, Limits { workgroup_size: 1, ..SMALL }] {
        for rows in [1, 2, 63, 64, 65, 1000] {
            for categories in [1, 2, 7, 8, 9, 63, 64, 65, 255, 256, 257, 1000, 5000] {
                for row_stride in [0, 1, categories, categories + 3, 3 * categories] {
                    for draws in [1, 2, 100, 1000] {
                        check(shape(rows, categories, row_stride, draws), limits);
                    }
                }
            }
        }
    }
}

#[test]
fn large_shapes_are_cut() {
    check(shape(70_000, 16, 16, 1), USUAL);
    check(shape(1, 1 << 30, 1 << 30, 1), USUAL);
    check(shape(5000, 1 << 20, 0, 1), USUAL);
    check(shape(1, 1000, 1000, 100_000_000), USUAL);
    check(shape(3, 100_000_000, 100_000_000, 3), USUAL);
    check(shape(20_000_000, 1, 1, 1), USUAL);
}

#[test]
fn a_usual_batch_is_one_chunk() {
    let plan = Plan::new(shape(64, 128_256, 128_256, 1), USUAL);
    assert_eq!(plan.chunks().count(), 1);
    assert_eq!(plan.segments().count(), 1);
    assert_eq!(plan.lanes, 256);
}

#[test]
fn short_rows_share_a_workgroup() {
    let plan = Plan::new(shape(1_000_000, 16, 16, 1), USUAL);
    assert_eq!(plan.lanes, 2);
    let chunk = plan.chunks().next().unwrap();
    assert_eq!(chunk.rows.len(), 1_000_000);
    assert_eq!(chunk.workgroups, [7813, 1]);
}

#[test]
fn more_workgroups_than_a_dimension_holds_go_into_the_second() {
    let plan = Plan::new(shape(100, 300, 0, 1), Limits { workgroups: 70, ..USUAL });
    let chunk = plan.chunks().next().unwrap();
    assert_eq!(chunk.rows.len(), 100);
    assert_eq!(chunk.workgroups, [25, 1]);
    let plan = Plan::new(shape(1000, 3000, 0, 1), Limits { workgroups: 70, ..USUAL });
    assert_eq!(plan.chunks().next().unwrap().workgroups, [70, 15]);
}
