//! The filter on the GPU: a device may round, fuse and flush its floats as it likes, but every
//! category that can win has to pass.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use gumbel::AdapterReport;
use gumbel::noise::groups::{first_alarm, later_alarm};
use gumbel::noise::gumbel::gumbel;
use gumbel::noise::order::{Best, Scale, key};
use gumbel::noise::pair::pair;
use libtest_mimic::Failed;

use super::faults::replaced;
use super::probe::{Engine, Twin, Words, differences, differences_in, random, same, same_in};
use super::{Check, ensure};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("filter::never_discards_a_category_that_can_win", |adapter| {
        same(adapter, &PASSING, &able_to_win(200_000))
    }),
    ("filter::never_discards_a_member_that_can_win", |adapter| {
        same(adapter, &MEMBERS, &members(100_000))
    }),
    ("filter::faults_of_members_are_seen", faults_of_members_are_seen),
    ("filter::faults_are_seen", faults_are_seen),
    ("filter::bounds_hold", bounds_hold),
    ("filter::faults_of_bounds_are_seen", faults_of_bounds_are_seen),
    ("filter::numbers_of_categories_lower_no_score", numbers_cost_nothing),
    ("filter::discards_nearly_everything_that_cannot_win", discards_nearly_everything),
    ("filter::an_octet_reaches_what_its_categories_do", octets_reach),
    ("filter::faults_of_octets_are_seen", faults_of_octets_are_seen),
];

/// x: a logit, its coarse bits and the best key; y: the filter. The CPU says which have to pass.
const PASSING: Twin = Twin {
    wgsl: "vec4<u32>(u32(upper_score(Filter(bitcast<f32>(y.x), y.y), x.x, x.y) >= cutoff_of(x.zw)), \
           0u, 0u, 0u)",
    rust: |_, _| [1, 0, 0, 0],
};

/// The filter as the host passes it to the shader: `Filter::new` of `src/filter.rs`, which is not
/// public.
fn filter(scale: Scale) -> Words {
    let slope = scale.reciprocal() * (8_388_608.0 * std::f32::consts::LOG2_E);
    let lowest = -(2f32.powi(100) / slope).min(f32::MAX);
    [slope.to_bits(), (-lowest).to_bits(), 0, 0]
}

fn item(logit: f32, coarse: u32, best: i64, scale: Scale) -> [Words; 2] {
    let [low, high] = pair(best as u64);
    [[logit.to_bits(), coarse, low, high], filter(scale)]
}

/// Returns best keys that a category just reaches. For each logit, coarse bits and temperature they
/// are: its key with the fine bits that make it largest, the key below that, one further below, and
/// no best key at all.
fn able_to_win(n: u32) -> Vec<[Words; 2]> {
    let candidates = (0..).zip(random(n)).filter_map(|(i, [[a, b, c, d], [e, f, ..]])| {
        let scale = Scale::from_temperature(temperature(i / 8, e)).unwrap();
        let logit = logit(i, a, b, 1.0 / scale.reciprocal());
        // few bits, where p is small and the bound is tight; powers of two, where it is tightest
        let coarse = if c % 4 == 0 { 1 << (d >> 28) } else { (d & 0xffff) >> (d >> 28) };
        // the largest G with these coarse bits: all fine bits 0
        let most = key(logit.to_bits(), scale, gumbel(u64::from(coarse) << 48));
        let best = [most, most - 1, most - i64::from(f >> (c >> 27)), Best::NONE.key];
        logit.is_finite().then(|| best.map(|best| item(logit, coarse, best, scale)))
    });
    candidates.flatten().collect()
}

/// Returns both ends of the range, ordinary temperatures, and any others in the range.
fn temperature(i: u32, word: u32) -> f32 {
    match i % 8 {
        0 => Scale::MIN_TEMPERATURE,
        1 => Scale::MAX_TEMPERATURE,
        2 => 1.0,
        3 => 0.3,
        4 => 3.7,
        5 => f32::from_bits(word & 0x7f_ffff | (127 - 6 + word % 13) << 23),
        _ => f32::from_bits(word & 0x7f_ffff | (127 - 100 + (word >> 23) % 200) << 23),
    }
}

/// Returns logits of four kinds: zeros, subnormal numbers and the far ends; any bits; logits around
/// ±2³¹ times the temperature, where the scale of keys changes; and logits from 2⁻³⁵ to 2³⁵ times
/// the temperature, where keys are close.
fn logit(i: u32, a: u32, b: u32, temperature: f32) -> f32 {
    const EDGES: [u32; 8] =
        [0, 1, 0x40_0000, 0x7f_ffff, 0x80_0000, 0x80_0001, 3e38f32.to_bits(), 0x7f7f_ffff];
    let sign = a & 0x8000_0000;
    f32::from_bits(match i % 8 {
        0 => EDGES[b as usize % 8] | sign,
        1 => a & 0x807f_ffff,
        2 => a,
        3 => {
            let turn = (temperature * 2f32.powi(31)).min(f32::MAX);
            (turn.to_bits() - 8 + b % 16) | sign
        }
        _ => {
            let exponent = (temperature.to_bits() >> 23) as i32 - 35 + (b % 71) as i32;
            a & 0x807f_ffff | (exponent.clamp(0, 254) as u32) << 23
        }
    })
}

fn faults_are_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let items = able_to_win(50_000);
    let faults = [
        // these faults need the slack that is missing
        ("return cutoff - slack - POWER * 143.0;", "return cutoff - POWER * 143.0;"),
        ("- POWER * 143.0;", "- POWER * 142.99;"),
        ("const POWER: f32 = 8388608.0;", "const POWER: f32 = 8387608.0;"),
        ("const POWER_LOG2_E: f32 = 12102203.0;", "const POWER_LOG2_E: f32 = 12102183.0;"),
        ("f32(bitcast<i32>(coarse_bits))", "f32(bitcast<i32>(coarse_bits + 1u))"),
        // these faults are at the ends of the ranges
        ("min(above_least, bitcast<i32>(f.clamp_bits))", "min(above_least, 0x3f800000)"),
        ("if high >= 8388608 || high < -8388608 {", "if high >= 8388608 {"),
        ("-2535301200456458802993406410752.0", "-1.0e18"),
    ];
    faults.iter().try_for_each(|(from, to)| {
        let edit = |source| replaced(source, from, to);
        let differences = differences(adapter, &PASSING, &items, edit)?;
        ensure(differences.iter().all(|&n| n > 0), || format!("not seen: {to}"))
    })
}

/// x: a logit, its best key with the leading bits and the high word of its own noise that are in y, and y: the filter. Its
/// score reaches the cutoff of that key, and it sets no higher cutoff than its least key does, which is the second of two
/// items.
const MEMBERS: Twin = Twin {
    wgsl: "vec4<u32>(
        u32(upper_score_in_group(Filter(bitcast<f32>(y.x), y.y), x.x, least_noise(y.z, y.w)) >= cutoff_of(x.zw)
            || x.y == 1u),
        u32(sure_cutoff_in_group(Filter(bitcast<f32>(y.x), y.y), x.x, most_noise(least_noise(y.z, y.w)))
            <= cutoff_of(x.zw) || x.y == 0u),
        0u, 0u)",
    rust: |_, _| [1, 1, 0, 0],
};

/// Returns members of groups, with the largest and the least key that they can have.
fn members(n: u32) -> Vec<[Words; 2]> {
    let all = (0..).zip(random(n)).filter_map(|(i, [[a, b, c, d], [e, f, ..]])| {
        let scale = Scale::from_temperature(temperature(i / 8, e)).unwrap();
        let logit = logit(i, a, b, 1.0 / scale.reciprocal());
        let leading_bits = (d >> 4) >> (c >> 27).min(28);
        let own = if i % 2 == 0 { 0 } else { f >> (e >> 27) };
        let key = |further: u32| {
            let p = first_alarm(u64::from(leading_bits) << 32 | u64::from(further));
            let later = later_alarm(p, u64::from(own) << 32 | u64::from(further));
            key(logit.to_bits(), scale, gumbel(if i % 2 == 0 { p } else { later }))
        };
        let of_filter = filter(scale);
        let item = |is_least, key: i64| {
            let [low, high] = pair(key as u64);
            let noise = [of_filter[0], of_filter[1], leading_bits, own];
            [[logit.to_bits(), is_least, low, high], noise]
        };
        logit.is_finite().then(|| [item(0, key(0)), item(1, key(u32::MAX))])
    });
    all.flatten().collect()
}

fn faults_of_members_are_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let items = members(50_000);
    let faults = [
        ("f32(bitcast<i32>(noise)) - POWER * 16.0", "f32(bitcast<i32>(noise)) - POWER * 15.99"),
        ("POWER * select(0.25, 0.625, noise > 16777216.0)", "POWER * 0.05"),
        ("POWER * select(0.25, 0.625, noise > 16777216.0)", "POWER * 0.25"),
        (
            "log2_low_of(noise), POWER * 149.0, noise > 134217728.0",
            "log2_low_of(noise), 0.0, false",
        ),
        ("return least + 4.0;", "return least * 0.9;"),
    ];
    faults.iter().try_for_each(|(from, to)| {
        let edit = |source| replaced(source, from, to);
        let differences = differences(adapter, &MEMBERS, &items, edit)?;
        ensure(differences.iter().any(|&n| n > 0), || format!("not seen: {to}"))
    })
}

/// A filter that passes everything would pass the checks above. The best of 2¹⁷ flat categories has
/// a key of about 12: against it one value of the coarse bits passes at most.
fn discards_nearly_everything(adapter: &AdapterReport) -> Result<(), Failed> {
    let items: Vec<_> =
        (0..1 << 16).map(|coarse| item(0.0, coarse, 12 << 24, Scale::ONE)).collect();
    let discarded = differences(adapter, &PASSING, &items, |source| source)?;
    ensure(discarded.iter().all(|&n| n + 1 >= items.len()), || format!("{discarded:?}"))
}

/// Whether the upper bound of a category with logit 0 is as near to its largest key as it should
/// be, and the threshold no higher than its least key.
const BOUNDED: Twin = Twin {
    wgsl: "vec4<u32>(
        u32(abs(upper(Filter(12102203.0, 0x7f000000u), 0u, x.x) - bitcast<f32>(x.y)) <= bitcast<f32>(x.w)),
        u32(threshold(upper(Filter(12102203.0, 0x7f000000u), 0u, x.x), x.x) <= bitcast<f32>(x.z)),
        0u, 0u)",
    rust: |_, _| [1, 1, 0, 0],
};

/// Coarse bits, the largest and the least key that they can have, and how far off a bound may be.
/// For coarse = 0, whose largest key is 65 powers of two, the upper bound is 150.
fn bounds() -> Vec<[Words; 2]> {
    const POWER: f64 = 8_388_608.0;
    // G, in powers of two
    let gumbel = |p: f64| -(-(-p).ln_1p()).ln() * std::f64::consts::LOG2_E * POWER;
    (0..1u32 << 16)
        .map(|coarse| {
            let (low, high) = (f64::from(coarse) / 65536.0, f64::from(coarse + 1) / 65536.0);
            let most = if coarse == 0 { 150.54 * POWER } else { gumbel(low) };
            let least = if coarse == 65535 { -6.0 * POWER } else { gumbel(high) };
            let error = POWER / if coarse == 0 { 32.0 } else { 4096.0 };
            [
                [
                    coarse,
                    (most as f32).to_bits(),
                    (least as f32).to_bits(),
                    (error as f32).to_bits(),
                ],
                [0; 4],
            ]
        })
        .collect()
}

fn bounds_hold(adapter: &AdapterReport) -> Result<(), Failed> {
    super::probe::same(adapter, &BOUNDED, &bounds())
}

fn faults_of_bounds_are_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let items = bounds();
    let faults = [
        // off by four ten-thousandths of a power of two
        ("+ 1275417557.6;", "+ 1275420913.0;"),
        ("((293546.3 * z", "((309546.3 * z"),
        ("return upper_end - interval - slack;", "return upper_end - slack;"),
    ];
    faults.iter().try_for_each(|(from, to)| {
        let edit = |source| replaced(source, from, to);
        let differences = differences(adapter, &BOUNDED, &items, edit)?;
        ensure(differences.iter().all(|&n| n > 0), || format!("not seen: {to}"))
    })
}

/// Whether a score is no more than what is left of its bits when the number of a category has replaced the four least.
const NUMBERED: Twin = Twin {
    wgsl: "vec4<u32>(
        u32(without_number(bitcast<f32>((x.x & ~15u) | (x.y & 15u))) >= bitcast<f32>(x.x)), 0u, 0u, 0u)",
    rust: |_, _| [1, 0, 0, 0],
};

fn numbers_cost_nothing(adapter: &AdapterReport) -> Result<(), Failed> {
    // Scores are far below the largest number. A device may take the subnormal product of a score below 2^-107 for 0, as
    // SwiftShader does; so little is nothing beside the slack of a cutoff, 2^13 or more.
    let score = |word: u32| word & 0x807f_ffff | (20 + (word >> 23) % 207) << 23;
    let items: Vec<_> = random(100_000).map(|[[a, b, ..], y]| [[score(a), b, 0, 0], y]).collect();
    super::probe::same(adapter, &NUMBERED, &items)?;
    let edit = |source| {
        replaced(source, "return score + abs(score) * 1.9073486328125e-6;", "return score;")
    };
    let seen = differences(adapter, &NUMBERED, &items, edit)?[0];
    ensure(seen > 0, || "a score that is cut off was not seen".to_owned())
}

/// The greatest of eight logits.
const GREATEST: Twin = Twin {
    wgsl: "vec4<u32>(greatest(Octet(x, y)), 0u, 0u, 0u)",
    rust: |x, y| {
        let logits = x.into_iter().chain(y).map(f32::from_bits);
        [logits.max_by(f32::total_cmp).unwrap().to_bits(), 0, 0, 0]
    },
};

/// Whether an octet reaches the cutoff that its best category just reaches, apart from the rounding of the two on a
/// device.
const REACHED: Twin = Twin {
    wgsl: "vec4<u32>(
        u32(reach_of(Filter(12102203.0, 0x7f000000u), Octet(x, y), philox4x32_10(x, y.xy))
            >= highest_of(upper_scores(Filter(12102203.0, 0x7f000000u), Octet(x, y), philox4x32_10(x, y.xy)))
                - abs(highest_of(upper_scores(
                    Filter(12102203.0, 0x7f000000u), Octet(x, y), philox4x32_10(x, y.xy)))) * 2.4e-7 - 64.0),
        0u, 0u, 0u)",
    rust: |_, _| [1, 0, 0, 0],
};

/// Returns octets of any logits, of logits of one sign, and of a narrow range; with zeros of both
/// signs and infinities.
fn octets() -> Vec<[Words; 2]> {
    (0..)
        .zip(random(100_000))
        .map(|(i, item)| item.map(|words| words.map(|w| octet_word(i, w))))
        .collect()
}

fn octet_word(i: u32, word: u32) -> u32 {
    const EDGES: [u32; 8] =
        [0, 0x8000_0000, 1, 0x8000_0001, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0xff7f_ffff];
    let narrow = word & 0x007f_ffff | (124 + (word >> 23) % 6) << 23;
    match i % 6 {
        0 => EDGES[word as usize % 8],
        1 => word,
        2 => word | 0x8000_0000,
        3 => narrow,
        4 => narrow | 0x8000_0000,
        _ => narrow | word & 0x8000_0000,
    }
}

/// Returns octets of finite logits: for others, a device's maximum may be anything.
fn finite_octets() -> Vec<[Words; 2]> {
    let finite = |words: &Words| words.iter().all(|&word| f32::from_bits(word).abs() < 1e30);
    octets().into_iter().filter(|item| item.iter().all(finite)).collect()
}

fn octets_reach(adapter: &AdapterReport) -> Result<(), Failed> {
    same_in(adapter, Engine::EachRow, &GREATEST, &octets())?;
    same_in(adapter, Engine::EachRow, &REACHED, &finite_octets())
}

fn faults_of_octets_are_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let positive = "return select(bitcast<u32>(positive), negative, positive < 0);";
    let faults = [
        (&GREATEST, positive, "return bitcast<u32>(positive);"),
        (&GREATEST, "let less = min(octet.low, octet.high);", "let less = octet.low;"),
        (&REACHED, positive, "return bitcast<u32>(positive);"),
        (
            &REACHED,
            "let coarse_bits = min(least_low, least_high);",
            "let coarse_bits = least_high;",
        ),
        (&REACHED, "min(block.z, block.w)) >> 16u", "block.z) >> 16u"),
        (&REACHED, "min(low.x, low.y)", "low.x"),
    ];
    let octets = finite_octets();
    faults.iter().try_for_each(|(twin, from, to)| {
        let edit = |source| replaced(source, from, to);
        let differences = differences_in(adapter, Engine::EachRow, twin, &octets, edit)?;
        ensure(differences.iter().all(|&n| n > 0), || format!("not seen: {to}"))
    })
}
