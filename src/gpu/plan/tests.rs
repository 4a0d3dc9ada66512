use super::super::drawing::sections;
use super::super::layout::Teams;
use super::*;
use crate::job::OwnOptions;

const SMALL: Limits = Limits {
    chunk_bytes: 1 << 10,
    binding_bytes: 1 << 12,
    device: Device {
        teams: Teams { alone_octets: 2, busy_invocations: 1024, ..Teams::HARDWARE },
        subgroups: false,
        workgroups: 3,
    },
};
const USUAL: Limits = Limits {
    chunk_bytes: 16 << 20,
    binding_bytes: 128 << 20,
    device: Device {
        teams: Teams { alone_octets: 2, ..Teams::HARDWARE },
        workgroups: 65_535,
        ..SMALL.device
    },
};

fn shape(rows: usize, categories: usize, row_stride: usize, draws: u32) -> Shape {
    Shape {
        rows,
        categories,
        row_stride,
        logit_bytes: 4,
        draws,
        greedy: false,
        own: false,
        output: Output::Draws,
    }
}

/// Everything that a plan must keep to, whatever the shape.
fn check(shape: Shape, limits: Limits) {
    let plan = Plan::new(shape, limits);
    let most = limits.chunk_bytes.min(limits.binding_bytes) as usize;
    assert!(plan.logits_bytes() <= most, "logits exceed a chunk: {plan:?}");
    assert!(
        4 * plan.races() * plan.record() <= most.max(4 * plan.record()),
        "draws exceed a chunk: {plan:?}"
    );
    assert!(8 * plan.rows() <= most, "row ids exceed a chunk: {plan:?}");
    let aligned = (plan.row_stride * shape.logit_bytes).is_multiple_of(16);
    assert_eq!(plan.aligned, aligned, "{plan:?}");
    assert!(plan.merges() || plan.outcomes() == 0, "{plan:?}");
    // rows that are moved on the device
    if plan.row_stride != shape.row_stride {
        assert!(plan.row_stride >= shape.categories, "rows would overlap: {plan:?}");
    }

    let mut next = 0;
    for segment in plan.segments() {
        assert_eq!(segment.start, next, "{plan:?}");
        assert!(segment.start.is_multiple_of(8) && !segment.is_empty(), "{plan:?}");
        let covered = plan.layout.parts as usize * plan.layout.part_octets as usize;
        assert!(covered >= segment.len().div_ceil(8), "categories left out: {plan:?}");
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
        next += chunk.races();
    }
    assert_eq!(next, shape.rows * shape.draws as usize, "{plan:?}");
    let words = plan.steps().filter(|(_, segment)| plan.has_result(segment));
    let words = words.map(|(chunk, _)| plan.words(&chunk)).sum();
    let planned = plan.all_words().unwrap();
    assert!(planned == words, "{words} words are written, and {planned} planned for: {plan:?}");
    // the first k of a single race may take more than that
    let one = if plan.races() == 1 && plan.k() > 1 { 4 * plan.most_words() } else { 0 };
    let (words, outcomes) = (4 * plan.most_words(), 16 * plan.outcomes());
    assert!(words <= most.max(one), "words exceed a chunk: {plan:?}");
    assert!(outcomes <= most, "outcomes exceed a chunk: {plan:?}");
    let own = OwnOptions { seeds: Some(&[]), temperatures: Some(&[]), first_draws: Some(&[]) };
    let own = if shape.own { own } else { OwnOptions::default() };
    let sections = sections(&plan, true, own);
    assert!(one > most || sections.are_within(limits.chunk_bytes), "{sections:?}: {plan:?}");
    let steps = plan.steps().count();
    assert_eq!(steps, plan.chunks().count() * plan.segments().count());
}

#[test]
fn every_plan_keeps_to_the_limits() {
    let teams = SMALL.device.teams.within(1);
    let alone = Limits { device: Device { teams, ..SMALL.device }, ..SMALL };
    for limits in [SMALL, USUAL, alone] {
        for rows in [1, 2, 63, 64, 65, 1000] {
            for categories in [1, 2, 7, 8, 9, 63, 64, 65, 255, 256, 257, 1000, 5000] {
                for row_stride in [0, 1, categories, categories + 3, 3 * categories] {
                    for draws in [1, 2, 100, 1000] {
                        let shape = shape(rows, categories, row_stride, draws);
                        check(shape, limits);
                        check(Shape { logit_bytes: 2, ..shape }, limits);
                        check(Shape { greedy: true, ..shape }, limits);
                        check(Shape { own: true, ..shape }, limits);
                        for output in [Output::Keys, Output::Scores, Output::Sums, Output::TopK(9)]
                        {
                            check(Shape { output, ..shape }, limits);
                        }
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
    check(Shape { own: true, ..shape(20_000_000, 1, 1, 1) }, USUAL);
    for output in [Output::Draws, Output::Scores, Output::Sums] {
        check(Shape { output, ..shape(100_000_000, 1, 0, 1) }, USUAL);
        let small = Limits { binding_bytes: 1 << 16, ..USUAL };
        check(Shape { output, ..shape(4000, 1032, 0, 1) }, small);
        check(Shape { output, ..shape(1, 1 << 27, 0, 1000) }, USUAL);
        let teams = Teams { busy_invocations: 1 << 24, ..USUAL.device.teams.within(1) };
        let alone = Device { teams, ..USUAL.device };
        check(Shape { output, ..shape(7_800_000, 17, 0, 1) }, Limits { device: alone, ..USUAL });
    }
}

#[test]
fn a_usual_batch_goes_through_the_ring() {
    let plan = Plan::new(shape(256, 128_256, 128_256, 1), USUAL);
    assert_eq!(plan.chunks().count(), 8);
    assert_eq!(plan.segments().count(), 1);
    assert!(plan.aligned && plan.row_stride == 128_256);
}

/// Chunks that hold few draws would leave a large device idle: 2¹⁸ invocations.
#[test]
fn many_draws_keep_a_device_busy() {
    for (rows, categories, draws) in
        [(1, 1, 100_000_000), (1, 16, 100_000_000), (10_000_000, 1, 1), (1_000_000, 16, 100)]
    {
        let plan = Plan::new(shape(rows, categories, categories, draws), USUAL);
        assert!(plan.races() >= 1 << 20, "{plan:?}");
    }
    // half a second's work, whatever a chunk would hold
    let plan = Plan::new(shape(1, 1000, 1000, 1_000_000), USUAL);
    assert_eq!(plan.races(), MAX_WORK / 1000);
    let plan = Plan::new(shape(1_000_000, 16, 16, 1), USUAL);
    assert_eq!((plan.rows(), plan.chunks().count()), (1 << 18, 4));
}

/// The loops of an invocation that finds the first k stay below Mesa 22.3's 65,535 iterations; see the shaders for the counts.
#[test]
fn the_first_k_take_few_iterations() {
    let bins = 2 * 2048;
    // 18 with a pair that is loaded and counted, and 16 categories that are evaluated
    let of_pairs = MAX_OF_WORKGROUP / 16 * (2 + 16) + bins;
    let of_halves = (MAX_OF_WORKGROUP / 128 + 1) * 235 + bins;
    assert!(of_pairs < 65_535 && of_halves < 65_535, "{of_pairs}, {of_halves}");
    let long = Shape { output: Output::TopK(3), ..shape(1, 1 << 24, 1 << 24, 1) };
    let lanes = USUAL.device.teams.shared_workgroup as usize;
    for segment in Plan::new(long, USUAL).segments() {
        assert!(segment.len() <= MAX_OF_WORKGROUP * lanes, "{segment:?}");
    }
}

#[test]
fn long_rows_of_odd_length_are_moved_apart_and_short_ones_are_not() {
    let long = Plan::new(shape(10, 50_257, 50_257, 1), USUAL);
    assert_eq!((long.row_stride, long.aligned), (50_260, true));
    let halves = Plan::new(Shape { logit_bytes: 2, ..shape(10, 50_257, 50_257, 1) }, USUAL);
    assert_eq!((halves.row_stride, halves.aligned), (50_264, true));
    let short = Plan::new(shape(10, 3, 3, 1), USUAL);
    assert_eq!((short.row_stride, short.aligned), (3, false));
    let gaps = Plan::new(shape(10, 100, 1000, 1), USUAL);
    assert_eq!(gaps.row_stride, 100);
    let shared = Plan::new(shape(10, 131, 0, 1), USUAL);
    assert_eq!((shared.row_stride, shared.aligned), (0, true));
}
