//! What cannot be bound, and faults that the comparison has to see.

use gumbel::{AdapterReport, DeviceBatch, DeviceKind, Error, NO_DRAW, Share, Truncation};
use libtest_mimic::Failed;

use super::super::super::ensure;
use super::super::batch::{Batch, buffer};
use super::super::faults::seen;
use super::super::shared;
use super::calls::counts_that_floats_tell_apart;
use super::{ALL, F32};

pub(super) fn truncations_that_cannot_be_bound(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    let [logits, draws, cuts] = [10 * 100, 10, 9].map(|n| buffer(&gpu, &vec![0u32; n]));
    let batch = DeviceBatch::new(&logits, &draws, 10, 100);
    for (truncation, what) in [
        (Truncation::new().with_top_k(0), "top-k"),
        (Truncation::new().with_top_p(0.0), "top-p"),
        (Truncation::new().with_min_p(2.0), "min-p"),
        (Truncation::new().with_epsilon(f32::NAN), "epsilon"),
    ] {
        let error = gpu.bind(&batch.with_truncation(truncation)).err();
        let named = matches!(error, Some(Error::Truncation { what: named, .. }) if named == what);
        ensure(named, || format!("{what}: {error:?}"))?;
    }
    let short = [
        ("the numbers of top-k", batch.with_top_k(&cuts)),
        ("the shares of top-p", batch.with_top_p(&cuts)),
        ("the shares of min-p", batch.with_min_p(&cuts)),
        ("the probabilities of epsilon", batch.with_epsilon(&cuts)),
    ];
    for (what, batch) in short {
        let error = gpu.bind(&batch).err();
        let named = matches!(error, Some(Error::DeviceBuffer { what: named, .. }) if named == what);
        ensure(named, || format!("{what}: {error:?}"))?;
    }
    let values = buffer(&gpu, &vec![0u32; 622_593]);
    let long = DeviceBatch::new(&values, &draws, 1, 622_593).with_truncation(ALL);
    let error = gpu.bind(&long).err();
    let named = matches!(error, Some(Error::DeviceBuffer { what: "the truncation", .. }));
    ensure(named, || format!("{error:?}"))
}

pub(super) fn faults_in_truncations_are_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let batch = |truncation, categories| Batch {
        truncation,
        ..Batch::normal(F32, 40, categories, categories)
    };
    let new = Truncation::new;
    // sums are exact where a row has many draws; where it has few, they are at first in floats
    let edit = |source: String| {
        source
            .replace("vec2<u32>(t.top_k, 0u)", "vec2<u32>(t.top_k + 1u, 0u)")
            .replace("distance_of(t.min_p)", "vec2<u32>(0u, 0u)")
            .replace("bitcast<f32>(epsilon) * bitcast", "4.0 * bitcast<f32>(epsilon) * bitcast")
            .replace(
                "return share_of(epsilon, total);",
                "return shl64(share_of(epsilon, total), 2u);",
            )
            .replace("let limit = bitcast", "let limit = 0.5 * bitcast")
            .replace(
                "search.limit = share_of(t.top_p, total);",
                "search.limit = share_of(t.top_p, shr64(total, 1u));",
            )
            .replace("    return bits <= 0x3f800000u", "    return bits <= 0x40000000u")
    };
    let many = |batch| Batch { draws: 65, ..batch };
    let shares = [None, Some([2.0, 0.1].repeat(20)), None];
    let above_1 = Batch { shares, ..batch(new(), 203) };
    let batches = [
        ("one more than k", batch(new().with_top_k(2), 203)),
        ("only the largest", batch(new().with_min_p(0.1), 203)),
        ("four times epsilon", batch(new().with_epsilon(0.01), 203)),
        ("four times epsilon, exactly", many(batch(new().with_epsilon(0.01), 203))),
        ("half of the sum", batch(new().with_top_p(0.9), 203)),
        ("half of the sum, long rows", batch(new().with_top_p(0.9), 4500)),
        ("half of the sum, exactly", many(batch(new().with_top_p(0.9), 203))),
        ("half of the sum, exactly, long rows", many(batch(new().with_top_p(0.9), 4500))),
        ("min-p above 1", above_1.clone()),
    ];
    seen(adapter, edit, &batches)?;
    let drawn = above_1.drawn(&*shared(adapter, DeviceKind::Emulation)?)?;
    ensure(drawn.contains(&NO_DRAW), || "min-p above 1, and a draw".to_owned())?;

    let alike = |source: String| {
        source.replace(
            "search.bracket.low) == k_of_word(row.scale, row.top)",
            "row.top) == k_of_word(row.scale, row.top)",
        )
    };
    let of_k = new().with_top_k(30).with_top_p(0.5);
    seen(adapter, alike, &[("all that top-k keeps, taken for equal", batch(of_k, 203))])?;

    // some draws are cut, and are right only once the row is drawn from again
    let of_length = |rows, categories, truncation| Batch {
        truncation,
        ..Batch::normal(F32, rows, categories, categories)
    };
    let top_p = new().with_top_p(0.9);
    let of_all = new().with_top_k(10).with_top_p(0.1).with_share(Share::All);
    let sure = |source: String| source.replace("u32(doubt)", "0u");
    let settled = [
        ("a draw in doubt is kept", of_length(500, 203, top_p)),
        ("a draw in doubt is kept, long rows", of_length(50, 5003, top_p)),
    ];
    seen(adapter, sure, &settled)?;

    // what long rows alone have: bounds of the sums of groups, and the sum of what is above a draw, are too small; and words are not
    // listed
    let forgetful = |source: String| {
        source
            .replace("total_of_four(bitcast<vec4<f32>>(low) + bitcast<vec4<f32>>(high))", "0.0")
            .replace("List(low, count)", "List(low, count / 2u)")
            .replace(
                "bracket.all = sum_of_list(",
                "if step == TOP_P { continue; } bracket.all = sum_of_list(",
            )
    };
    let long = [
        ("no bounds", of_length(50, 5003, top_p)),
        ("words not listed", of_length(50, 5003, new().with_top_k(30))),
        ("a share of what is listed", many(of_length(4, 5003, of_all))),
    ];
    seen(adapter, forgetful, &long)?;
    let halved =
        |source: String| source.replace("+= total_of_four(four)", "+= 0.5 * total_of_four(four)");
    seen(adapter, halved, &[("half of each sum", of_length(100, 5003, top_p))])?;

    // where words with the same K are cut apart, where a row is cut too high to be drawn from again, and where floats are
    // trusted that must not be
    let flat = new().with_top_p(0.01).with_at_temperature(1e30);
    let apart = |source: String| {
        source
            .replace("last_with_k_of(sums.x, least, top)", "least")
            .replace("max(kept_from, drawn.last + 1u)", "drawn.top")
            .replace("MOST_ROUGH_SCALE: u32 = 0x45800000u", "MOST_ROUGH_SCALE: u32 = 0x7f7fffffu")
    };
    let rows = [
        ("words of one K", of_length(40, 203, flat)),
        ("cut too high", of_length(50, 5003, new().with_top_p(0.5))),
        ("floats at a low temperature", counts_that_floats_tell_apart(20, 4001)),
    ];
    seen(adapter, apart, &rows)
}
