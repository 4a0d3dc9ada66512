//! Golden values: the contract in numbers, with a row for each path through it.
//!
//! A change here is Value-breaking: users' draws under a seed are promised to stay what they are.
//! It needs a line in CHANGELOG.md that says so.

use gumbel::noise::bits::{Stream, coarse, coarse_block, noise};
use gumbel::noise::groups;
use gumbel::noise::gumbel::gumbel;
use gumbel::noise::order::{Scale, fixed};
use gumbel::noise::philox::philox4x32_10;
use gumbel::{
    Batch, CpuSampler, Logits, Method, NO_DRAW, SampleOptions, Weight, Weights, reference,
};

/// Philox4x32-10 itself.
#[test]
fn philox_words() {
    #[rustfmt::skip]
    let golden = [
        // counter, key, words; the first is Random123's
        ([0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]),
        ([1, 2, 3, 4], [5, 6], [0xc0c839bc, 0x889c87c5, 0x61986739, 0x2d4623d0]),
        ([8, 0, 0, 1], [7, 0], [0x029c5662, 0xe59e5275, 0x36d7f385, 0xf41628a5]),
        ([!0, 0, !0, 0], [0, !0], [0x6889d68c, 0xff761653, 0x6f7b9cfe, 0x29c99a82]),
    ];
    for (counter, key, words) in golden {
        assert_eq!(philox4x32_10(counter, key), words, "{counter:x?} {key:x?}");
    }
}

/// The 64 bits of noise: each part of the counter by itself, and all at the ends of their ranges.
#[test]
fn noise_bits() {
    const ROW: u64 = 1 << 32;
    const DRAW: u32 = (1 << 31) - 1;
    #[rustfmt::skip]
    let golden = [
        // seed, row, draw, category, V
        (0, 0, 0, 0, 0xe8d5_e23f_2dce_73e5),
        (0, 0, 0, 1, 0x6627_4549_e953_5be3),
        (0, 0, 0, 7, 0x9b00_efe4_7ab9_6fe8),
        (0, 0, 0, 8, 0xcca4_9eeb_7414_d13e),
        (0, 0, 1, 0, 0xc514_e2f1_4d7b_25fc),
        (0, 1, 0, 0, 0xc5ec_2abc_4f08_1e9e),
        (1, 0, 0, 0, 0x0670_7488_127b_ee41),
        (ROW, 0, 0, 0, 0x3e0b_6d0f_96b2_7e8c),
        (0, ROW, 0, 0, 0x15e1_a45a_dedd_2dc1),
        (0, 0, DRAW, 0, 0x3aae_fcdd_cc97_cef4),
        (u64::MAX, u64::MAX, DRAW, u32::MAX - 1, 0xee49_7da9_0184_0c58),
    ];
    for (seed, row, draw, category, v) in golden {
        let stream = Stream::new(seed, row, draw);
        let coarse = coarse(coarse_block(stream, category / 8), category);
        assert_eq!(noise(stream, category, coarse), v, "{seed} {row} {draw} {category}");
    }
}

/// The 64 bits of noise in long rows, from the definition: of a member that rings first (240), of others, and at the ends
/// of the counters' ranges.
#[test]
fn noise_bits_from_the_top_down() {
    const ROW: u64 = 1 << 32;
    const DRAW: u32 = (1 << 31) - 1;
    #[rustfmt::skip]
    let golden = [
        // seed, row, draw, category, V
        (0, 0, 0, 0, 0xa92c_0500_289d_092c),
        (0, 0, 0, 1, 0xc6ac_b580_68e4_0ca4),
        (0, 0, 0, 16, 0x8b63_f104_258e_56d3),
        (0, 0, 0, 240, 0x113d_01cf_0000_0000),
        (0, 0, 0, 255, 0xb107_82c9_5087_ffb5),
        (0, 0, 0, 256, 0x3319_8b93_e159_891b),
        (0, 0, 1, 0, 0xe3e4_9c29_6e94_624d),
        (0, 1, 0, 0, 0x5b44_7019_933b_cc17),
        (1, 0, 0, 0, 0xa754_002b_f769_84b0),
        (ROW, 0, 0, 0, 0x2a0b_fe00_8039_57ba),
        (0, ROW, 0, 0, 0xb553_887c_5d07_406c),
        (0, 0, DRAW, 0, 0x0f33_385f_8623_fc65),
        (u64::MAX, u64::MAX, DRAW, u32::MAX - 1, 0xd3a3_54df_2267_81cd),
    ];
    for (seed, row, draw, category, v) in golden {
        let found = groups::noise(Stream::new(seed, row, draw), category, u32::MAX as usize);
        assert_eq!(found, v, "{seed} {row} {draw} {category}");
    }
}

/// G in units of 2⁻²⁴: the ends, the seam between the two formulas at 2⁶³, powers of two from
/// either side, and words without a pattern.
#[test]
fn gumbel_noise() {
    #[rustfmt::skip]
    let golden = [
        // V, G
        (0, 755_890_198),
        (1, 737_458_542),
        (2, 728_888_310),
        (0xffff, 558_195_967),
        (1 << 32, 372_130_559),
        ((1 << 48) - 1, 186_065_152),
        (1 << 48, 186_065_152),
        (0x0123_4567_89ab_cdef, 90_829_734),
        (1 << 62, 20_902_722),
        ((1 << 63) - 1, 6_149_067),
        (1 << 63, 6_149_066),
        (3 << 62, -5_480_014),
        (0xfedc_ba98_7654_3210, -28_343_027),
        (!0xffff, -58_798_913),
        (!1, -63_471_364),
        (!0, -63_885_530),
    ];
    for (v, g) in golden {
        assert_eq!(gumbel(v), g, "{v:#x}");
    }
}

/// Logits in units of 2⁻²⁴: signs, halves that go to even, temperatures, the step to codes at 2³¹.
#[test]
fn fixed_logits() {
    const TINY: f32 = f32::from_bits(1);
    const UNIT: f32 = 1.0 / 16_777_216.0;
    #[rustfmt::skip]
    let golden = [
        // logit, temperature, units
        (0.0, 1.0, 0),
        (-0.0, 1.0, 0),
        (1.0, 1.0, 16_777_216),
        (-1.0, 1.0, -16_777_216),
        (0.1, 1.0, 1_677_722),
        (0.1, 0.7, 2_396_745),
        (0.1, 3.0, 559_241),
        (-20.5, 0.7, -491_332_766),
        (88.0, 0.001, 1_476_394_917_888),
        (0.5 * UNIT, 1.0, 0),
        (1.5 * UNIT, 1.0, 2),
        (-2.5 * UNIT, 1.0, -2),
        (TINY, Scale::MIN_TEMPERATURE, 0),
        (2_147_483_520.0, 1.0, 36_028_794_871_480_320),
        (2_147_483_648.0, 1.0, 36_028_797_018_963_968),
        (1e30, 1.0, 2_506_801_617_005_707_264),
        (-1e30, 1.0, -2_506_801_617_005_707_264),
        (f32::MAX, 1.0, 3_530_822_103_563_501_568),
        (f32::MIN, Scale::MIN_TEMPERATURE, -7_133_701_805_459_898_368),
        (f32::MAX, Scale::MAX_TEMPERATURE, 4_503_599_358_935_040),
    ];
    for (logit, temperature, units) in golden {
        let scale = Scale::from_temperature(temperature).unwrap();
        assert_eq!(fixed(f32::to_bits(logit), scale), units, "{logit:e} at {temperature:e}");
    }
}

/// Returns logits from −2 to 2 in no order.
fn logits(rows: usize, categories: usize) -> Vec<f32> {
    (0..rows * categories).map(|i| (i * 7919 % 1009) as f32 / 256.0 - 2.0).collect()
}

/// Compares the draws of the reference and of the CPU engine with the golden ones.
#[expect(clippy::unwrap_used, reason = "the calls of this file are valid")]
fn check_batch(batch: Batch<'_>, options: SampleOptions<'_>, golden: &[u32]) {
    let options = options.with_sentinels(true);
    let drawn = reference::sample_rows(batch, &options).unwrap();
    assert_eq!(drawn, golden, "the reference, {options:?}");
    let drawn = CpuSampler::new().sample_rows(batch, &options).unwrap();
    assert_eq!(drawn, golden, "the CPU engine, {options:?}");
}

#[expect(clippy::unwrap_used, reason = "the calls of this file are valid")]
fn check(logits: &[f32], categories: usize, options: SampleOptions<'_>, golden: &[u32]) {
    check_batch(Logits::new(logits, categories).unwrap().into(), options, golden);
}

/// Draws from 8 rows of 40 categories under seed 42, in every way that the options allow.
#[test]
fn draws() {
    let base = SampleOptions::default().with_seed(42);
    let rows = logits(8, 40);
    check(&rows, 40, base, &[14, 28, 15, 16, 6, 1, 24, 4]);
    check(&rows, 40, base.with_temperature(0.7), &[14, 28, 15, 16, 38, 1, 24, 4]);
    check(&rows, 40, base.with_temperature(3.0), &[16, 28, 15, 16, 24, 1, 35, 4]);
    check(&rows, 40, base.with_temperature(0.0), &[33, 26, 19, 12, 5, 31, 37, 30]);
    check(&rows, 40, base.with_first_row((1 << 32) - 4), &[2, 33, 26, 39, 1, 0, 27, 17]);
    let ids = [7, 6, 5, 4, 3, 2, 1, u64::MAX];
    check(&rows, 40, base.with_row_ids(&ids), &[4, 35, 1, 6, 16, 32, 6, 30]);
    check(&rows[..80], 40, base.with_draws(4), &[14, 7, 35, 35, 28, 17, 3, 26]);
    check(&rows[..80], 40, base.with_draws(4).with_first_draw(2), &[35, 35, 5, 15, 3, 26, 23, 14]);
    let mut masked = rows.clone();
    (0..320).filter(|i| i % 40 >= 10).for_each(|i| masked[i] = f32::NEG_INFINITY);
    masked[..40].fill(f32::NEG_INFINITY);
    check(&masked, 40, base, &[NO_DRAW, 1, 6, 6, 6, 1, 5, 4]);
}

/// Rows that engines cut into pieces, and the shortest ones. The draws of the long row are the reference's: its noise
/// comes from the top down.
#[test]
fn draws_from_long_and_short_rows() {
    let base = SampleOptions::default().with_seed(42);
    check(&logits(1, 128_256), 128_256, base.with_draws(4), &[57_302, 11_944, 83_259, 37_941]);
    check(&logits(16, 2), 2, base, &[1, 1, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 1]);
    check(&logits(8, 1), 1, base, &[0; 8]);
}

#[expect(clippy::unwrap_used, reason = "the calls of this file are valid")]
fn check_weights<T: Weight>(weights: &[T], options: SampleOptions<'_>, golden: &[u32]) {
    check_batch(Weights::strided(weights, 8, 40, 40).unwrap().into(), options, golden);
}

/// Returns counts up to 2³² in no order; the first row is all 0.
fn counts() -> Vec<u32> {
    let count =
        |i: u32| (i.wrapping_mul(2_654_435_769) >> (i % 32)) * u32::from(!i.is_multiple_of(3));
    (0..320).map(|i| if i < 40 { 0 } else { count(i) }).collect()
}

/// Returns the counts in reverse order as weights, in units of 2⁻¹⁴⁹, the least subnormal weight,
/// and of 2⁹⁵, row by row.
fn weights() -> Vec<f32> {
    let unit =
        |i: usize| if (i / 40).is_multiple_of(2) { f32::from_bits(1) } else { 2f32.powi(95) };
    counts().iter().rev().enumerate().map(|(i, &count)| unit(i) * count as f32).collect()
}

/// Weights and counts by both methods: of all sizes, also subnormal ones, and a row of zeros.
#[test]
fn draws_from_weights_and_counts() {
    let counts = counts();
    let weights = weights();
    let base = SampleOptions::default().with_seed(42);
    let cdf = base.with_method(Method::InverseCdf);
    check_weights(&counts, base, &[NO_DRAW, 24, 20, 8, 1, 26, 17, 9]);
    check_weights(&counts, base.with_temperature(3.0), &[NO_DRAW, 24, 20, 16, 6, 35, 22, 16]);
    check_weights(&counts, base.with_temperature(0.0), &[NO_DRAW, 24, 17, 11, 0, 24, 17, 9]);
    check_weights(&counts, cdf, &[NO_DRAW, 24, 17, 8, 1, 24, 17, 9]);
    check_weights(&counts, cdf.with_temperature(3.0), &[NO_DRAW, 27, 20, 8, 33, 26, 20, 12]);
    check_weights(&weights, base, &[30, 22, 15, 36, 31, 22, 15, NO_DRAW]);
    check_weights(&weights, base.with_temperature(3.0), &[24, 17, 15, 36, 26, 22, 8, NO_DRAW]);
    check_weights(&weights, base.with_temperature(0.0), &[30, 22, 15, 39, 28, 22, 15, NO_DRAW]);
    check_weights(&weights, cdf, &[29, 22, 15, 6, 31, 22, 15, NO_DRAW]);
    check_weights(&weights, cdf.with_temperature(3.0), &[24, 22, 15, 5, 29, 21, 15, NO_DRAW]);
}

/// The keys of the first three categories, in units of 2⁻²⁴: keys are promised as draws are.
#[test]
fn keys_of_races() {
    let (logits, counts, weights) = (logits(2, 40), counts(), weights());
    let options = SampleOptions::default().with_seed(42).with_sentinels(true);
    let check = |batch: Batch<'_>, temperature, categories: &[u32], keys: &[i64]| {
        let options = options.with_temperature(temperature);
        let engine = CpuSampler::new().race_rows(batch, &options, 3).unwrap();
        for found in [reference::race_rows(batch, &options, 3).unwrap(), engine] {
            assert_eq!((found.categories(), found.keys()), (categories, keys), "{options:?}");
        }
    };
    let logits = Logits::new(&logits, 40).unwrap().into();
    let counts = Weights::from_counts(&counts[..80], 40).unwrap().into();
    let weights = Weights::new(&weights[200..280], 40).unwrap().into();
    check(
        logits,
        1.0,
        &[14, 16, 24, 28, 20, 17],
        &[84_637_136, 84_539_771, 58_106_149, 80_083_628, 71_080_810, 38_674_508],
    );
    check(
        logits,
        0.7,
        &[14, 16, 33, 28, 20, 1],
        &[95_113_535, 86_421_591, 61_733_726, 85_223_523, 82_259_380, 46_071_555],
    );
    check(
        counts,
        1.0,
        &[NO_DRAW, NO_DRAW, NO_DRAW, 24, 25, 28],
        &[i64::MIN, i64::MIN, i64::MIN, 410_288_454, 335_265_196, 332_673_301],
    );
    check(
        counts,
        3.0,
        &[NO_DRAW, NO_DRAW, NO_DRAW, 24, 28, 6],
        &[i64::MIN, i64::MIN, i64::MIN, 168_803_524, 156_284_796, 135_040_748],
    );
    check(
        weights,
        1.0,
        &[16, 22, 21, 15, 12, 14],
        &[
            1_468_603_613,
            1_463_762_533,
            1_445_466_869,
            -1_381_476_034,
            -1_385_790_792,
            -1_406_297_264,
        ],
    );
    check(
        weights,
        3.0,
        &[16, 22, 21, 6, 12, 9],
        &[542_967_124, 487_501_817, 482_716_577, -430_453_401, -445_444_957, -451_593_183],
    );
}
