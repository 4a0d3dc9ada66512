//! Self-tests: the comparison sees a fault in the shader. And errors: what a user gets.

use gumbel::conformance;
use gumbel::{
    AdapterReport, DeviceKind, Error, GpuSampler, Logits, NO_DRAW, SampleOptions, Undrawable, wgpu,
};
use libtest_mimic::Failed;

use super::draws::sampler;
use super::{Check, Need, ensure};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("faults::a_swapped_tie_rule_is_seen", |adapter| {
        let edit =
            |source: String| source.replace("a.category < b.category", "a.category > b.category");
        seen(adapter, edit, "temperature 0, ties")
    }),
    ("faults::an_unwritten_output_is_seen", |adapter| {
        let edit = |source: String| {
            let but_the_last = "if team.lane == 0u && task.number + 1u < run.rows * run.draws {";
            source
                .replace("if team.lane == 0u && open {", but_the_last)
                .replace("if team.lane == 0u && open && !decided {", but_the_last)
                .replace("if contenders == 1u {", "if contenders == 1u && task.number > 0u {")
        };
        seen(adapter, edit, "normal logits")
    }),
    ("faults::a_wrong_counter_is_seen", |adapter| {
        let edit = |source: String| source.replace("(stream.draw << 1u) | 1u", "stream.draw | 1u");
        seen(adapter, edit, "5 draws a row")
    }),
    ("faults::a_draw_that_is_not_counted_is_seen", |adapter| {
        let edit = |source: String| source.replace("row.stream.draw++;", "");
        seen(adapter, edit, "5 draws a row")
    }),
    ("faults::a_filter_that_is_too_tight_is_seen", |adapter| {
        let edit = |source: String| {
            source
                .replace("return cutoff - slack - POWER * 143.0;", "return cutoff - POWER * 142.5;")
        };
        seen(adapter, edit, "normal logits")
    }),
    ("faults::an_octet_that_does_not_reach_what_it_should_is_seen", |adapter| {
        let edit = |source: String| {
            source.replace("greatest(octet), coarse_bits)", "greatest(octet), coarse_bits * 256u)")
        };
        seen(adapter, edit, "normal logits")
    }),
    ("faults::a_first_cutoff_that_is_too_high_is_seen", |adapter| {
        let edit = |source: String| source.replace("- POWER * 0.25;", "+ POWER * 1.5;");
        seen(adapter, edit, "normal logits")
    }),
    ("faults::a_forgotten_carry_over_is_seen", |adapter| {
        let edit = |source: String| {
            source.replace(
                "if invocation.index == 0u && (run.flags & CONTINUED) != 0u {",
                "if false {",
            )
        };
        seen(adapter, edit, "normal logits")
    }),
    ("faults::a_forgotten_part_is_seen", |adapter| {
        let edit = |source: String| {
            source.replace(
                "part < run.parts; part += WORKGROUP",
                "part + 1u < run.parts; part += WORKGROUP",
            )
        };
        seen(adapter, edit, "70 draws of long rows")
    }),
    ("faults::a_forgotten_lane_is_seen", |adapter| {
        let edit = |source: String| {
            source.replace("var step = run.lanes / 2u", "var step = run.lanes / 4u")
        };
        seen(adapter, edit, "normal logits")
    }),
    ("faults::a_winner_that_bounds_do_not_tell_is_seen", |adapter| {
        // the first category wins
        let edit = |source: String| {
            source
                .replace("if ends.second < lower_end && !is_invalid", "if !is_invalid")
                .replace("return bitcast<u32>(highest.most) & 15u;", "return 0u;")
        };
        seen(adapter, edit, "normal logits")
    }),
    ("faults::a_number_that_is_taken_for_nothing_is_seen", |adapter| {
        let edit = |source: String| {
            without_numbers(source).replace("if abs(upper_end) < 1.0 {", "if false {")
        };
        seen(adapter, edit, "the best key is 0")
    }),
    ("faults::a_number_of_a_score_that_is_taken_for_nothing_is_seen", |adapter| {
        let edit = |source: String| {
            without_numbers(source)
                .replace("highest.most, abs(highest.most) < 1.0)", "highest.most, false)")
        };
        seen(adapter, edit, "the best score is 0")
    }),
    ("faults::a_lower_end_that_is_too_high_is_seen", |adapter| {
        let edit = |source: String| {
            source.replace("return upper_end - interval - slack;", "return upper_end + POWER;")
        };
        seen(adapter, edit, "normal logits")
    }),
    ("faults::a_team_that_bounds_do_not_decide_is_seen", |adapter| {
        // bounds leave more contenders, and any of them writes the draw
        let edit = |source: String| {
            source
                .replace("decided = all_contenders == 1u;", "decided = all_contenders > 0u;")
                .replace("if contenders == 1u {", "if contenders > 0u {")
                .replace("let interval = POWER_LOG2_E", "let interval = 4.0 * POWER + POWER_LOG2_E")
        };
        seen(adapter, edit, "normal logits")
    }),
    ("faults::an_undecided_team_beside_others_is_seen", |adapter| {
        let edit = |source: String| {
            source.replace("if open && all != 1u && team.lane == 0u {", "if false {")
        };
        seen(adapter, edit, "in single rows")
    }),
    ("faults::contenders_of_another_team_are_seen", |adapter| {
        // bounds leave more contenders, and any of them writes the draw if another team has one
        let edit = |source: String| {
            source
                .replace("return atomicLoad(&contenders[team.slot]);", "return 1u;")
                .replace("if contenders == 1u {", "if contenders > 0u {")
                .replace("let interval = POWER_LOG2_E", "let interval = 4.0 * POWER + POWER_LOG2_E")
        };
        seen(adapter, edit, "normal logits")
    }),
    ("faults::an_infinity_that_wins_is_seen", |adapter| {
        let edit = |source: String| {
            source.replace(
                "abs(upper_end) >= 1125899906842624.0",
                "abs(upper_end) >= 9007199254740992.0",
            )
        };
        seen(adapter, edit, "temperature 1e30, infinities")
    }),
    ("faults::an_invalid_weight_that_wins_is_seen", |adapter| {
        let edit = |source: String| {
            source.replace(
                "abs(upper_end) >= 1125899906842624.0",
                "abs(upper_end) >= 2251799813685248.0",
            )
        };
        seen(adapter, edit, "temperature 2^100, invalid beside zeros, f32 weights")
    }),
    ("faults::a_contender_that_is_not_bounded_is_seen", |adapter| {
        let edit = |source: String| source.replace("if opening.second >= reached {", "if false {");
        seen(adapter, edit, "the best key is 0")
    }),
    ("faults::bounds_that_leave_too_little_are_seen", |adapter| {
        let edit = |source: String| {
            source.replace(
                "let reached = max(cutoff, cutoff_at(lower_end));",
                "let reached = max(cutoff, cutoff_at(lower_end)) + 0.5 * POWER;",
            )
        };
        seen(adapter, edit, "the best key is 0")
    }),
    ("faults::a_race_of_another_row_is_seen", |adapter| {
        let edit =
            |source: String| source.replace("(1u << 21u) / turns + 1u", "(1u << 21u) / turns");
        seen(adapter, edit, "5 draws a row")
    }),
    ("faults::a_nan_that_a_team_does_not_see_is_seen", |adapter| {
        let edit = |source: String| source.replace("+ 2u * u32(nan);", ";");
        seen(adapter, edit, "NaN, infinities and masks, late")
    }),
    ("faults::a_segment_that_bounds_decide_is_seen", |adapter| {
        let edit = |source: String| {
            source.replace("(CONTINUED | UNFINISHED | KEYED | UNFILTERED)", "(KEYED | UNFILTERED)")
        };
        seen(adapter, edit, "normal logits, of any length")
    }),
    ("faults::a_group_that_is_skipped_is_seen", |adapter| {
        let edit = |source: String| {
            source.replace(
                "left &= left - 1u;\n    }\n    return left;",
                "left = 0u;\n    }\n    return left;",
            )
        };
        seen(adapter, edit, "normal logits, of any length")
    }),
    ("faults::groups_that_find_no_room_and_are_forgotten_are_seen", |adapter| {
        let edit = |source: String| source.replace("if all.y == 0u {", "if true {");
        seen(adapter, edit, "level")
    }),
    ("faults::members_that_find_no_room_and_are_forgotten_are_seen", |adapter| {
        let edit = |source: String| {
            source.replace(
                "if !settle_members(row, team, &best) {",
                "if !settle_members(row, team, &best) || true {",
            )
        };
        seen(adapter, edit, "level")
    }),
    ("faults::an_alarm_without_its_groups_is_seen", |adapter| {
        let edit = |source: String| {
            source.replace(
                "return later_alarm(p, own_noise(",
                "return later_alarm(vec2<u32>(0u, 0u), own_noise(",
            )
        };
        seen(adapter, edit, "level")
    }),
    ("faults::a_wrong_first_member_is_seen", |adapter| {
        let edit =
            |source: String| source.replace("return word & 15u;", "return (word + 1u) & 15u;");
        seen(adapter, edit, "normal logits, of any length")
    }),
    ("faults::noise_of_another_segment_is_seen", |adapter| {
        let edit = |source: String| source.replace("(run.first_category >> 6u)", "0u");
        seen(adapter, edit, "normal logits, of any length")
    }),
    ("faults::a_cutoff_of_a_first_alarm_that_is_too_high_is_seen", |adapter| {
        let edit = |source: String| {
            source.replace("- POWER * select(0.25, 0.625, noise > 16777216.0)", "+ POWER * 2.0")
        };
        seen(adapter, edit, "normal logits, of any length")
    }),
    ("faults::an_invalid_value_that_is_not_seen_is_seen", |adapter| {
        let edit = |source: String| source.replace("invalid = invalid || has_invalid(tops);", "");
        seen(adapter, edit, "invalid in the last span, or in a group that cannot win")
    }),
    ("faults::a_forgotten_subgroup_is_seen", |adapter| {
        let edit = |source: String| {
            source.replace("atomicLoad(&outcomes_left);", "atomicLoad(&outcomes_left) / 2u;")
        };
        seen(adapter, edit, "70 draws of long rows")
    }),
    ("faults::half_a_subgroup_that_is_lost_is_seen", |adapter| {
        // only a subgroup's first invocation leaves an outcome, so the other parts of a split subgroup lose theirs
        let edit = |source: String| {
            split_subgroups(source)
                .replace("invocation.index == first", "invocation.in_subgroup == 0u")
        };
        seen(adapter, edit, "normal logits")
    }),
    ("faults::errors_name_the_row", errors_name_the_row),
];

pub(crate) const NEEDS: &[(&str, Need)] = &[
    ("faults::a_forgotten_subgroup_is_seen", subgroups),
    ("faults::half_a_subgroup_that_is_lost_is_seen", subgroups),
    ("conformance::in_split_subgroups", subgroups),
];

/// Returns a reason to skip without subgroups: without them there is nothing to break.
fn subgroups(adapter: &AdapterReport) -> Option<&'static str> {
    (!adapter.features.contains(wgpu::Features::SUBGROUP)).then_some("it has no SUBGROUP")
}

/// Returns the source with one place changed.
///
/// # Panics
/// If there is no such place: then the fault would not be injected.
pub(crate) fn replaced(source: String, from: &str, to: &str) -> String {
    assert_eq!(source.matches(from).count(), 1, "{from}");
    source.replace(from, to)
}

/// Returns the source as a device runs it that takes what is next to 0 for 0.
fn without_numbers(source: String) -> String {
    let lost = "max(before.most, select(numbered, 0.0, abs(numbered) < 1e-30))";
    source.replace("Highest(max(before.most, numbered)", &format!("Highest({lost}"))
}

/// Returns the source with the invocations of a subgroup apart where they leave an outcome: a third of them at a time.
pub(crate) fn split_subgroups(source: String) -> String {
    let together = "    leave(invocation, own);\n";
    let third = |n: u32| format!("    if invocation.index % 3u == {n}u {{\n    {together}    }}\n");
    source.replace(together, &[0, 1, 2].map(third).concat())
}

/// Checks that an engine with this fault mismatches in some case of this name.
///
/// The check also fails if the fault applies to no shader.
fn seen(adapter: &AdapterReport, edit: fn(String) -> String, name: &str) -> Result<(), Failed> {
    // small chunks, so that rows are cut
    let builder = || {
        GpuSampler::builder()
            .tune(|tuning| tuning.with_device_kind(DeviceKind::Hardware))
            .with_shader_edit(edit)
    };
    let engines = [
        sampler(adapter, builder())?,
        sampler(adapter, builder().with_chunk_bytes(1 << 12))?,
        sampler(adapter, builder().tune(|tuning| tuning.with_busy_invocations(1)))?,
        sampler(adapter, builder().tune(|tuning| tuning.with_device_kind(DeviceKind::Emulation)))?,
    ];
    let cases = conformance::cases().filter(|case| {
        let (rows, categories) = (case.batch().rows(), case.batch().categories());
        case.to_string().ends_with(name) && rows <= 65 && rows * categories < 60_000
    });
    for case in cases {
        let expected = case.expected();
        for engine in &engines {
            if case.mismatches(engine, &expected)? > 0 {
                return Ok(());
            }
        }
    }
    Err("the fault was not seen".into())
}

fn errors_name_the_row(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let mut data = [0.0; 40];
    data[8 * 2 + 5] = f32::NAN;
    data[8 * 3 + 1] = f32::INFINITY;
    let logits = Logits::new(&data, 8)?;
    let options = SampleOptions::default();
    let error = gpu.sample_rows(logits, &options).err();
    let nan = Undrawable::Nan { category: 5 };
    ensure(
        matches!(error, Some(Error::UndrawableRow { row: 2, reason }) if reason == nan),
        || format!("{error:?}"),
    )?;
    let draws = gpu.sample_rows(logits, &options.with_sentinels(true))?;
    let undrawn: Vec<_> = draws.iter().map(|&draw| draw == NO_DRAW).collect();
    ensure(undrawn == [false, false, true, true, false], || format!("{draws:?}"))?;
    let error = gpu.sample_rows(logits, &options.with_temperature(-1.0)).err();
    ensure(matches!(error, Some(Error::Temperature { .. })), || format!("{error:?}"))
}
