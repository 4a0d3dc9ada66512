use super::*;

const GPU: Device = Device { teams: Teams::HARDWARE, subgroups: true, workgroups: 65_535 };
/// Teams that nobody would choose.
const ODD: Teams = Teams {
    team: 1000,
    shared_workgroup: 5,
    alone_octets: 1 << 20,
    octets_per_lane: 0,
    busy_invocations: 0,
    holds_logits: true,
};

fn devices() -> impl Iterator<Item = Device> {
    let large = Teams { team: 512, octets_per_lane: 8, ..Teams::HARDWARE };
    let single = Teams { team: 1, busy_invocations: 1 << 30, ..ODD };
    let all = [
        Teams::HARDWARE,
        Teams::emulated(2),
        large,
        single,
        ODD,
        Teams { shared_workgroup: 0, ..large },
    ];
    all.into_iter().flat_map(|teams| {
        [1, 2, 8, 64, 256, 1024].into_iter().flat_map(move |size| {
            let teams = teams.within(size);
            [(false, 65_535), (true, 7)].map(|(subgroups, workgroups)| Device {
                teams,
                subgroups,
                workgroups,
            })
        })
    })
}

fn shapes() -> impl Iterator<Item = Races> {
    let categories = [1, 7, 8, 9, 16, 32, 33, 64, 129, 1000, 1024, 1025, 50_257, 128_256, 1 << 24];
    categories.into_iter().flat_map(|categories| {
        [1, 2, 63, 256, 10_000].into_iter().flat_map(move |rows| {
            [(1, false), (1, true), (2, false), (3, true), (1000, false)].map(|(draws, greedy)| {
                Races { rows, categories, draws, greedy, groups: has_groups(categories) }
            })
        })
    })
}

/// Everything that a layout must keep to, whatever the shape.
#[test]
fn every_layout_covers_its_races() {
    for device in devices() {
        for races in shapes() {
            let layout = Layout::new(races, device);
            let octets = races.categories.div_ceil(8) as u64;
            let (parts, part_octets) = (u64::from(layout.parts), u64::from(layout.part_octets));
            let lanes = u64::from(layout.lanes);
            assert!((parts - 1) * part_octets < octets, "an empty part: {layout:?}");
            assert!(parts * part_octets >= octets, "categories left out: {layout:?}");
            assert!(layout.lanes.is_power_of_two() && layout.lanes <= layout.workgroup_size);
            let most = device.teams.team.max(device.teams.shared_workgroup);
            assert!(layout.workgroup_size <= most, "{layout:?}");
            // the merge, and the shader's arithmetic, need this
            assert!(parts == 1 || layout.lanes == layout.workgroup_size, "{layout:?}");
            let whole = layout.lanes == layout.workgroup_size;
            assert!(
                layout.reduction != Reduction::Subgroups || (whole && device.subgroups),
                "{layout:?}"
            );
            assert!(layout.reduction != Reduction::Alone || layout.lanes == 1, "{layout:?}");

            if layout.has_groups() {
                assert_eq!(part_octets % (2 * HALF_OCTETS as u64), 0, "no whole spans: {layout:?}");
                assert!(whole && layout.workgroup_size <= 256, "{layout:?}");
            }

            // loops stay below Mesa 22.3's 65,535 iterations
            let a_lane = part_octets.div_ceil(lanes);
            match layout.kernel {
                Kernel::Stream if races.groups => {
                    // of as many groups as there are invocations, where none is out; see settle.wgsl
                    let room = 128.max(lanes + 16);
                    let turns = (16 * lanes).div_ceil(room / 16 * 16);
                    let of_groups =
                        9 + 16 * turns.min(8) + turns * (1 + room.min(16 * lanes).div_ceil(lanes));
                    let all = a_lane.div_ceil(HALF_OCTETS as u64) * (264 + 8 * of_groups);
                    assert!(all < 65_535, "{all} iterations: {layout:?}");
                }
                Kernel::Stream | Kernel::Greedy => assert!(a_lane <= 2048, "{layout:?}"),
                Kernel::SeveralDraws if races.groups => {
                    assert!(a_lane <= (HELD_HALVES * HALF_OCTETS) as u64, "not held: {layout:?}");
                    assert!((1..=32).contains(&layout.draws_at_once), "{layout:?}");
                }
                Kernel::SeveralDraws => {
                    assert!(a_lane <= HELD_OCTETS as u64, "not held: {layout:?}");
                    let a_draw = 40 + layout.lanes;
                    assert!((1..=512).contains(&layout.draws_at_once), "{layout:?}");
                    assert!(layout.draws_at_once * a_draw < 65_535, "{layout:?}");
                }
                _ => panic!("{layout:?}"),
            }
            assert!(parts.div_ceil(lanes) < 65_535, "{layout:?}");
            assert_eq!(layout.kernel == Kernel::Greedy, races.greedy);

            let draws = races.draws as usize;
            let [x, y] = layout.workgroups(races.rows, draws).map(u64::from);
            let turns = draws.div_ceil(layout.draws_at_once as usize) as u64;
            let teams = races.rows as u64 * turns * parts;
            let workgroups = teams.div_ceil(u64::from(layout.workgroup_size) / lanes);
            // no workgroup is missing, and hardly any is idle
            assert!(workgroups <= x * y && x * y < workgroups + y, "{layout:?}");
            assert!(x <= u64::from(device.workgroups));
            let [x, y] = layout.merge_workgroups(races.rows, draws).map(u64::from);
            assert!(x * y >= (races.rows * draws) as u64);
        }
    }
}

fn layout(rows: usize, categories: usize, draws: u32) -> Layout {
    Layout::new(
        Races { rows, categories, draws, greedy: false, groups: has_groups(categories) },
        GPU,
    )
}

#[test]
fn short_rows_get_an_invocation_each() {
    let short = layout(1_000_000, 16, 1);
    assert_eq!((short.reduction, short.lanes, short.parts), (Reduction::Alone, 1, 1));
    assert_eq!(short.workgroups(1_000_000, 1), [15_625, 1]);
}

#[test]
fn middling_rows_get_a_few_invocations_or_a_workgroup() {
    let few = layout(100_000, 100, 1);
    assert_eq!((few.reduction, few.lanes, few.parts), (Reduction::Workgroup, 8, 1));
    let whole = layout(65_536, 1024, 1);
    assert_eq!((whole.reduction, whole.lanes, whole.parts), (Reduction::Subgroups, 64, 1));
    // a team smaller than the largest, and yet a whole workgroup
    assert_eq!((whole.workgroup_size, GPU.teams.team), (64, 256));
    let larger = layout(65_536, 2048, 1);
    let of = (larger.reduction, larger.lanes, larger.workgroup_size);
    assert_eq!(of, (Reduction::Subgroups, 128, 128));
}

#[test]
fn few_long_rows_are_cut_into_parts_that_fill_the_device() {
    let one = layout(1, 128_256, 1);
    assert_eq!((one.reduction, one.lanes, one.parts), (Reduction::Subgroups, 256, 4));
    assert_eq!(layout(64, 128_256, 1).parts, 4);
    // one team for each row is enough, and needs no merge
    assert_eq!(layout(256, 128_256, 1).parts, 1);
    assert_eq!(layout(5000, 128_256, 1).parts, 1);
}

#[test]
fn teams_have_no_more_invocations_than_long_rows_have_half_spans() {
    for (categories, team) in [(4097, 64), (8192, 64), (8193, 128), (16_384, 128), (16_385, 256)] {
        let layout = layout(64, categories, 1);
        assert_eq!((layout.lanes, layout.workgroup_size, layout.parts), (team, team, 1));
        assert_eq!(layout.reduction, Reduction::Subgroups);
    }
}

#[test]
fn several_draws_hold_their_logits() {
    let bootstrap = layout(1, 1000, 10_000);
    assert_eq!((bootstrap.kernel, bootstrap.lanes, bootstrap.parts), (Kernel::SeveralDraws, 32, 1));
    assert_eq!(bootstrap.draws_at_once, 5);
    let long = layout(1000, 128_256, 16);
    assert_eq!((long.kernel, long.parts, long.draws_at_once), (Kernel::SeveralDraws, 1, 16));
}

#[test]
fn more_workgroups_than_a_dimension_holds_go_into_the_second() {
    let device = Device { workgroups: 70, ..GPU };
    let races = Races { rows: 1000, categories: 3000, draws: 1, greedy: false, groups: false };
    let layout = Layout::new(races, device);
    assert_eq!(layout.merge_workgroups(1000, 1), [67, 15]);
    assert_eq!(layout.merge_workgroups(71, 1), [36, 2]);
}

/// A batch on the device is not cut into chunks, so the memory for outcomes bounds its parts.
#[test]
fn outcomes_fit_where_fewer_parts_would_do() {
    let few = Races { rows: 100, categories: 128_256, draws: 1, greedy: false, groups: true };
    let teams = Teams { busy_invocations: 1 << 24, ..GPU.teams };
    let busy = Device { teams, ..GPU };
    let all = Layout::new(few, busy);
    assert_eq!((all.parts, all.outcome_bytes()), (4, 5 * 100 * 16));
    let within = Layout::within(few, busy, 5 * 100 * 16 - 1);
    assert_eq!((within.parts, within.outcome_bytes()), (3, 4 * 100 * 16));
    assert_eq!(Layout::within(few, busy, 5 * 100 * 16), all);

    // these parts hold the logits
    let many = Races { rows: 1000, categories: 500_000, draws: 16, greedy: false, groups: true };
    let held = Layout::new(many, GPU);
    assert_eq!((held.kernel, held.parts), (Kernel::SeveralDraws, 4));
    assert_eq!(Layout::within(many, GPU, 5 * 16_000 * 16), held);
    let loaded = Layout::within(many, GPU, 5 * 16_000 * 16 - 1);
    assert_eq!((loaded.kernel, loaded.parts), (Kernel::Stream, 1));

    for device in devices() {
        for races in shapes() {
            for bytes in [1 << 16, 1 << 20, 128 << 20] {
                let layout = Layout::within(races, device, bytes);
                // the parts that are left, whose length is in whole octets or whole spans
                let (units, most, whole, octets_of_unit) = if layout.has_groups() {
                    (halves(races.categories), most_halves(layout.lanes as usize), 2, HALF_OCTETS)
                } else {
                    (races.categories.div_ceil(8), MAX_OCTETS_PER_LANE, 1, 1)
                };
                let needed = units.div_ceil(layout.lanes as usize * most);
                let part = units.div_ceil(needed).next_multiple_of(whole) * octets_of_unit;
                let fewest = races.categories.div_ceil(8).div_ceil(part) as u32;
                let fits = layout.outcome_bytes() <= u128::from(bytes);
                assert!(fits || layout.parts == fewest, "{layout:?}");
                assert!(fits || layout.kernel != Kernel::SeveralDraws, "{layout:?}");
            }
        }
    }
}

/// The reciprocal of `shaders/kernel/team.wgsl`, for all that it is used for.
#[test]
fn a_small_division_is_a_product() {
    for turns in 1..1024u32 {
        let reciprocal = (1 << 21) / turns + 1;
        for rest in 0..turns + 1024 {
            assert_eq!((rest * reciprocal) >> 21, rest / turns, "{rest} / {turns}");
        }
    }
}
