//! The noise, word for word: each function of the contract on the GPU and on the CPU.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use ::gumbel::AdapterReport;
use ::gumbel::noise::{bits, cdf, cuts, exp, groups, gumbel, order, pair, philox, weights, wide};
use libtest_mimic::Failed;

use super::faults::replaced;
use super::probe::{
    Engine, Twin, differences, differences_in, edges, of_every_length, random, same, same_in,
};
use super::{Check, ensure};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("words::random123_known_answers", random123_known_answers),
    ("words::a_million_random_counters", a_million_random_counters),
    ("words::products", products),
    ("words::noise_and_gumbel", noise_and_gumbel),
    ("words::noise_from_the_top_down", noise_from_the_top_down),
    ("words::faults_of_alarms_are_seen", faults_of_alarms_are_seen),
    ("words::keys", keys),
    ("words::weights", weights),
    ("words::a_wrong_weight_is_seen", a_wrong_weight_is_seen),
    ("words::uniform_numbers_and_points", uniform_numbers_and_points),
    ("words::integer_weights", integer_weights),
    ("words::a_dropped_word_of_a_weight_is_seen", a_dropped_word_of_a_weight_is_seen),
    ("words::shares_of_sums", shares_of_sums),
    ("words::a_dropped_part_of_a_share_is_seen", a_dropped_part_of_a_share_is_seen),
    ("words::a_dropped_carry_is_seen", a_dropped_carry_is_seen),
    ("words::a_missing_round_is_seen", a_missing_round_is_seen),
    ("words::blocks_that_begin_together", blocks_that_begin_together),
    ("words::a_wrong_beginning_is_seen", a_wrong_beginning_is_seen),
];

const PHILOX: Twin =
    Twin { wgsl: "philox4x32_10(x, y.xy)", rust: |x, y| philox::philox4x32_10(x, [y[0], y[1]]) };
/// Functions of two blocks whose counters differ in the first word only.
const BLOCKS: [Twin; 2] = [
    Twin {
        wgsl: "blocks_side_by_side(x.x, y.w, x.yzw, y.xy)[0]",
        rust: |x, y| philox::philox4x32_10(x, [y[0], y[1]]),
    },
    Twin {
        wgsl: "blocks_side_by_side(x.x, y.w, x.yzw, y.xy)[1]",
        rust: |x, y| philox::philox4x32_10([y[3], x[1], x[2], x[3]], [y[0], y[1]]),
    },
];
const PRODUCT: Twin = Twin {
    wgsl: "vec4<u32>(mul_wide(x.x, x.y), mul_high(x.z, x.w), 0u)",
    rust: |x, _| {
        let (low, high) = wide::mul_wide(x[0], x[1]);
        [low, high, wide::mul_high(x[2], x[3]), 0]
    },
};
const NOISE: Twin = Twin {
    wgsl: "probe_noise(x, y)",
    rust: |x, y| {
        let stream = bits::Stream { key: [x[0], x[1]], row: [x[2], x[3]], draw: y[0] >> 1 };
        let coarse = bits::coarse(bits::coarse_block(stream, y[1] / 8), y[1]);
        let v = bits::noise(stream, y[1], coarse);
        [v as u32, (v >> 32) as u32, gumbel::gumbel(v) as u32, coarse]
    },
};
const GUMBEL: Twin = Twin {
    wgsl: "vec4<u32>(bitcast<u32>(gumbel(x.xy)), bitcast<u32>(gumbel(x.zw)), 0u, 0u)",
    rust: |x, _| {
        let g = |low, high| gumbel::gumbel(u64::from(high) << 32 | u64::from(low)) as u32;
        [g(x[0], x[1]), g(x[2], x[3]), 0, 0]
    },
};
const ALARMS: Twin = Twin {
    wgsl: "vec4<u32>(first_alarm(vec2<u32>(x.x, x.y & 0xfffffffu)), later_alarm(x.zw, y.xy))",
    rust: |x, y| {
        let u = u64::from(x[1] & 0xfff_ffff) << 32 | u64::from(x[0]);
        let [a, b] = pair::pair(groups::first_alarm(u));
        let later = groups::later_alarm(pair::unpair([x[2], x[3]]), pair::unpair([y[0], y[1]]));
        let [c, d] = pair::pair(later);
        [a, b, c, d]
    },
};
const GROUP: Twin = Twin {
    wgsl: "group_block(Stream(x.xy, x.zw, y.x >> 1u), y.y >> 6u)
        ^ further_block(Stream(x.xy, x.zw, y.x >> 1u), y.z >> 6u)",
    rust: |x, y| {
        let stream = bits::Stream { key: [x[0], x[1]], row: [x[2], x[3]], draw: y[0] >> 1 };
        let words = groups::group_block(stream, y[1] >> 6);
        let further = groups::further_block(stream, y[2] >> 6);
        std::array::from_fn(|i| words[i] ^ further[i])
    },
};
const MEMBER: Twin = Twin {
    wgsl: "vec4<u32>(
        noise_in_group(Stream(x.xy, x.zw, y.x >> 1u), y.y, y.z, y.w),
        word_in(x, y.w),
        category_of(group_of(y.y), member_of(y.y)),
    )",
    rust: |x, y| {
        let stream = bits::Stream { key: [x[0], x[1]], row: [x[2], x[3]], draw: y[0] >> 1 };
        let [a, b] = pair::pair(groups::noise_in_group(stream, y[1], y[2], y[3]));
        [a, b, groups::word_in(x, y[3]), y[1]]
    },
};
const KEY: Twin = Twin {
    wgsl: "vec4<u32>(key(x.x, y.x, bitcast<i32>(x.y)), greedy_key(x.x))",
    rust: |x, y| {
        let temperature = 1.0 / f32::from_bits(y[0]);
        let scale = order::Scale::from_temperature(temperature).unwrap();
        // holds of the reciprocals that the items have, such as powers of two, but not of all
        // numbers
        assert_eq!(scale.reciprocal().to_bits(), y[0]);
        let (key, greedy) = (order::key(x[0], scale, x[1] as i32), order::greedy_key(x[0]));
        [key as u32, (key >> 32) as u32, greedy as u32, (greedy >> 32) as u32]
    },
};

const WEIGHTS: Twin = Twin {
    wgsl: "vec4<u32>(fixed_weight(x.x, y.x), fixed_count(x.y, y.x))",
    rust: |x, y| {
        let scale = order::Scale::from_temperature(1.0 / f32::from_bits(y[0])).unwrap();
        let weight = weights::fixed_weight(x[0], scale);
        let count = weights::fixed_count(x[1], scale);
        [weight as u32, (weight >> 32) as u32, count as u32, (count >> 32) as u32]
    },
};
const WEIGHTS_AS_THEY_ARE: Twin = Twin {
    wgsl: "vec4<u32>(greedy_weight(x.x) ^ greedy_count(x.y), u32(is_invalid_weight(x.z)), u32(is_zero_weight(x.z)))",
    rust: |x, _| {
        let greedy = weights::greedy_weight(x[0]) ^ weights::greedy_count(x[1]);
        let (invalid, zero) = (weights::is_invalid_weight(x[2]), weights::is_zero_weight(x[2]));
        [greedy as u32, (greedy >> 32) as u32, invalid.into(), zero.into()]
    },
};

/// Returns weights of every exponent, subnormal ones of every length, and counts, at several
/// temperatures.
fn weights_and_scales() -> Vec<[[u32; 4]; 2]> {
    random(200_000)
        .chain(edges())
        .map(|[x, y]| {
            let bits = match y[1] % 3 {
                0 => (x[0] & 0x7f_ffff) >> (y[2] % 23),
                _ => x[0] & 0x7fff_ffff,
            };
            let weight = if bits == 0 || bits >= 0x7f80_0000 { 1 } else { bits };
            let count = (x[1] >> (y[3] % 32)).max(1);
            // powers of two from 2^-40 to 2^20
            let scale = if y[0] % 2 == 0 { 1f32.to_bits() } else { (127 - 40 + y[0] % 61) << 23 };
            [[weight, count, x[2], 0], [scale, 0, 0, 0]]
        })
        .collect()
}

fn weights(adapter: &AdapterReport) -> Result<(), Failed> {
    same(adapter, &WEIGHTS, &weights_and_scales())?;
    let special = [0, 1 << 31, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0xffc0_0000, 0x7f7f_ffff];
    let special = special.into_iter().map(|bits| [[bits, bits, bits, 0], [0; 4]]);
    let items: Vec<_> = weights_and_scales().into_iter().chain(special).collect();
    same(adapter, &WEIGHTS_AS_THEY_ARE, &items)
}

fn a_wrong_weight_is_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let items = weights_and_scales();
    for (from, to) in [
        ("-118 - i32(zeros)", "-119 - i32(zeros)"),
        ("31 - i32(zeros), (count", "32 - i32(zeros), (count"),
        ("sub64(powers, rest), power < 0", "add64(powers, rest), power < 0"),
        ("vec2<u32>(0u, unscaled.y * mantissa)", "vec2<u32>(0u, 0u)"),
        ("shift > -64", "shift > -50"),
    ] {
        let edit = |source| super::faults::replaced(source, from, to);
        let differences = differences(adapter, &WEIGHTS, &items, edit)?;
        ensure(differences.iter().all(|&n| n > 0), || format!("not seen: {to}"))?;
    }
    Ok(())
}

const POINT: Twin = Twin {
    wgsl: "vec4<u32>(
        point(x.xy, x.zw),
        uniform_bits(uniform_block(Stream(x.xy, x.zw, y.x >> 1u)), y.y),
    )",
    rust: |x, y| {
        let stream = bits::Stream { key: [x[0], x[1]], row: [x[2], x[3]], draw: y[0] >> 1 };
        let point = cdf::point(pair::unpair([x[0], x[1]]), pair::unpair([x[2], x[3]]));
        let uniform = bits::uniform_bits(bits::uniform_block(stream), y[1]);
        let ([a, b], [c, d]) = (pair::pair(point), pair::pair(uniform));
        [a, b, c, d]
    },
};
const WEIGHT: Twin = Twin {
    wgsl: "vec4<u32>(
        weight(x.xy, log2_floor(y.x)),
        weight_of_f32(x.z, x.w, log2_floor(y.x)) + weight_of_count(y.y),
    )",
    rust: |x, y| {
        let log2 = exp::log2_floor(y[0]);
        let [a, b] = pair::pair(exp::weight(pair::unpair([x[0], x[1]]), log2));
        let [c, d] = pair::pair(cdf::weight_of_f32(x[2], x[3], log2));
        let [e, f] = pair::pair(cdf::weight_of_count(y[1]));
        [a, b, c.wrapping_add(e), d.wrapping_add(f)]
    },
};

const SHARE: Twin = Twin {
    wgsl: "vec4<u32>(share_of(x.x, x.zw), distance_of(max(x.x, 1u)))",
    rust: |x, _| {
        let share = f32::from_bits(x[0]);
        let [a, b] = pair::pair(cuts::share_of(share, pair::unpair([x[2], x[3]])));
        let [c, d] = pair::pair(cuts::distance_of(f32::from_bits(x[0].max(1))));
        [a, b, c, d]
    },
};

fn random123_known_answers(adapter: &AdapterReport) -> Result<(), Failed> {
    let pi = [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344];
    let items =
        [[[0; 4], [0; 4]], [[u32::MAX; 4], [u32::MAX; 4]], [pi, [0xa409_3822, 0x299f_31d0, 0, 0]]];
    let answers = [
        [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
        [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
        [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
    ];
    for ([x, y], answer) in items.into_iter().zip(answers) {
        ensure((PHILOX.rust)(x, y) == answer, || format!("the CPU's words for {x:x?}"))?;
    }
    same(adapter, &PHILOX, &items)
}

fn a_million_random_counters(adapter: &AdapterReport) -> Result<(), Failed> {
    same(adapter, &PHILOX, &random(1_000_000).collect::<Vec<_>>())
}

fn products(adapter: &AdapterReport) -> Result<(), Failed> {
    same(adapter, &PRODUCT, &edges().chain(random(100_000)).collect::<Vec<_>>())
}

fn noise_and_gumbel(adapter: &AdapterReport) -> Result<(), Failed> {
    same(adapter, &NOISE, &random(200_000).collect::<Vec<_>>())?;
    same(adapter, &GUMBEL, &of_every_length().collect::<Vec<_>>())
}

fn noise_from_the_top_down(adapter: &AdapterReport) -> Result<(), Failed> {
    let items: Vec<_> = edges().chain(of_every_length()).chain(random(200_000)).collect();
    [ALARMS, GROUP, MEMBER].iter().try_for_each(|twin| same(adapter, twin, &items))
}

fn faults_of_alarms_are_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let items: Vec<_> = edges().chain(of_every_length()).chain(random(50_000)).collect();
    for (twin, from, to) in [
        (&ALARMS, "vec2<u32>(u32((low.x | middle.x) != 0u), 0u)", "vec2<u32>(0u, 0u)"),
        (&ALARMS, "vec2<u32>(mul_high(u.x, r), 0u)", "vec2<u32>(0u, 0u)"),
        (&ALARMS, "root = select(root, mul_high(root, 0xd744fccbu), (z & 4u) != 0u);", ""),
        (&ALARMS, "add64(vec2<u32>(low.y, 0u), vec2<u32>(a.x, 0u))", "vec2<u32>(a.x, 0u)"),
        // P forgotten, the wrong member first, the wrong half of a block
        (
            &MEMBER,
            "return later_alarm(p, own_noise",
            "return later_alarm(vec2<u32>(0u, 0u), own_noise",
        ),
        (&MEMBER, "return word & 15u;", "return (word + 1u) & 15u;"),
        (&MEMBER, "(category & 16u) != 0u", "(category & 32u) != 0u"),
        (&GROUP, "FURTHER_BLOCKS + quad", "GROUP_BLOCKS + quad"),
    ] {
        let edit = |source| replaced(source, from, to);
        let differences = differences(adapter, twin, &items, edit)?;
        ensure(differences.iter().all(|&n| n > 0), || format!("not seen: {to}"))?;
    }
    Ok(())
}

fn keys(adapter: &AdapterReport) -> Result<(), Failed> {
    let items: Vec<_> = random(400_000)
        .chain(edges())
        .map(|[x, y]| {
            // exponents from -30 to 40 for every other logit, any bits but infinities for the rest
            let logit = match y[1] % 4 {
                0 => x[0],
                1 => x[0] & 0x807f_ffff,
                _ => x[0] & 0x807f_ffff | (127 - 30 + y[2] % 71) << 23,
            };
            let logit =
                if order::is_invalid(logit) || logit == order::NEG_INFINITY { 0 } else { logit };
            // reciprocals of temperatures, each of which is the reciprocal of its reciprocal
            let scale = match y[3] % 3 {
                0 => 1f32.to_bits(),
                1 => (127 - 99 + y[0] % 199) << 23,
                _ => loop_free_reciprocal(y[0]),
            };
            // noise of both signs
            let noise = x[1] as i32 >> 2;
            [[logit, noise as u32, 0, 0], [scale, 0, 0, 0]]
        })
        .collect();
    same(adapter, &KEY, &items)
}

fn uniform_numbers_and_points(adapter: &AdapterReport) -> Result<(), Failed> {
    same(adapter, &POINT, &edges().chain(random(200_000)).collect::<Vec<_>>())
}

/// Returns distances, three in four of them below 2³⁰, and pairs of float weights of a row, of
/// which the second is the row's largest.
fn weighed() -> Vec<[[u32; 4]; 2]> {
    let items = edges().chain(random(400_000)).map(|[x, y]| {
        let far = y[3] % 4 == 0;
        let distance = if far { [x[0], x[1] >> (x[2] % 32)] } else { [x[0] >> 2, 0] };
        // positive and finite; within 100 powers of two of each other
        let largest = (x[3] & 0x7fff_ffff).clamp(1, 0x7f7f_ffff);
        let one = largest - (largest.min(x[2] >> (1 + y[2] % 8)));
        [
            [distance[0], distance[1], one, largest],
            [y[0].max(1) >> (y[1] % 32).min(y[0].max(1).ilog2()), y[1], 0, 0],
        ]
    });
    items.collect()
}

fn integer_weights(adapter: &AdapterReport) -> Result<(), Failed> {
    same(adapter, &WEIGHT, &weighed())
}

fn a_dropped_word_of_a_weight_is_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let edit = |source: String| {
        replaced(source, "vec2<u32>(mul_high(difference.x, LOG2_E_LOW), 0u)", "vec2<u32>(0u, 0u)")
    };
    let differences = differences(adapter, &WEIGHT, &weighed(), edit)?;
    ensure(differences.iter().all(|&n| n > 0), || format!("not seen: {differences:?}"))
}

/// Shares from 0 to 1 of every exponent, of sums of every length.
fn shares() -> Vec<[[u32; 4]; 2]> {
    let shares = edges().chain(of_every_length()).chain(random(100_000)).enumerate();
    let items = shares.map(|(i, [x, y])| {
        // every other share from 2^-24 on, and totals of any length
        let share = if i % 2 == 0 { x[1] % 0x3f80_0001 } else { 0x3380_0000 + x[1] % 0x0c00_0001 };
        let [low, high] = pair::pair(pair::unpair([x[2], x[3]]) >> (y[0] % 64));
        [[share, 0, low, high], [0; 4]]
    });
    // a product of which the second word alone is not 0, and is lost: 2⁻⁵⁰ of 2³²
    items.chain([[[(127 - 50) << 23, 0, 0, 1], [0; 4]]]).collect()
}

fn shares_of_sums(adapter: &AdapterReport) -> Result<(), Failed> {
    same(adapter, &SHARE, &shares())
}

fn a_dropped_part_of_a_share_is_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    for (from, to) in [
        ("vec2<u32>(u32(lost != 0u), 0u)", "vec2<u32>(0u, 0u)"),
        ("lost = words.x | words.y;", "lost = words.x;"),
        ("words.x & ((1u << shift) - 1u)", "0u"),
        ("select(vec2<u32>(0u, 0u), neg64(k), bitcast<i32>(k.y) < 0)", "k"),
    ] {
        let edit = |source| replaced(source, from, to);
        let differences = differences(adapter, &SHARE, &shares(), edit)?;
        ensure(differences.iter().all(|&n| n > 0), || format!("not seen: {to}"))?;
    }
    Ok(())
}

/// Returns a reciprocal of a temperature near 1 that is the reciprocal of its reciprocal.
fn loop_free_reciprocal(word: u32) -> u32 {
    let mut scale = 1.0 / f32::from_bits(word & 0x7f_ffff | (127 - 3 + (word >> 24) % 7) << 23);
    for _ in 0..4 {
        scale = 1.0 / (1.0 / scale);
    }
    if 1.0 / (1.0 / scale) == scale { scale.to_bits() } else { 1f32.to_bits() }
}

fn a_dropped_carry_is_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let items: Vec<_> = edges().chain(random(10_000)).collect();
    let edit = |source: String| {
        source
            .replace("a1 * b0 + (low >> 16u)", "a1 * b0")
            .replace("(u64(a) * u64(b)) >> 32u", "((u64(a) * u64(b)) >> 32u) & 0x7ffffffflu")
    };
    let differences = differences(adapter, &PRODUCT, &items, edit)?;
    ensure(differences.iter().all(|&n| n > 0), || format!("not seen: {differences:?}"))
}

fn a_missing_round_is_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let items: Vec<_> = random(1000).collect();
    let edit = |source: String| source.replace("c = philox_round(c, key + 9u * weyl);", "");
    let differences = differences(adapter, &PHILOX, &items, edit)?;
    ensure(differences.iter().all(|&n| n == items.len()), || format!("not seen: {differences:?}"))
}

fn blocks_that_begin_together(adapter: &AdapterReport) -> Result<(), Failed> {
    let items: Vec<_> = edges().chain(random(100_000)).collect();
    BLOCKS.iter().try_for_each(|twin| same_in(adapter, Engine::EachRow, twin, &items))
}

fn a_wrong_beginning_is_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let items: Vec<_> = random(1000).collect();
    let faults: [fn(String) -> String; 3] = [
        |source| source.replace("p0 ^ begin.z", "begin.z").replace("p0.x ^ begin.z", "begin.z"),
        |source| replaced(source, "p0.y ^ second_key.y", "p0.y"),
        |source| replaced(source, "rest.z ^ key.y,", "rest.z,"),
    ];
    faults.into_iter().try_for_each(|edit| {
        let differences = differences_in(adapter, Engine::EachRow, &BLOCKS[1], &items, edit)?;
        ensure(differences.iter().all(|&n| n == items.len()), || {
            format!("not seen: {differences:?}")
        })
    })
}
