use super::*;
use crate::noise::gumbel::gumbel;
use rayon::prelude::*;
use std::collections::HashSet;

const STREAM: Stream = Stream::new(11, 5, 3);
/// The Kolmogorov-Smirnov statistic that is exceeded with a probability of 10⁻⁴.
const KS: f64 = 2.23;

/// 2⁻²⁸, 2⁻⁶⁰ and 2⁻⁶⁴.
fn power(n: i32) -> f64 {
    2f64.powi(n)
}

/// Random numbers of 60 bits, of every length, near 0 and near 1.
fn numbers(count: u32) -> impl ParallelIterator<Item = u64> {
    (0..count).into_par_iter().map(|i| {
        let [a, b, c, d] = philox4x32_10([i, 0, 0, 0], [1, 2]);
        let u = (u64::from(a) << 32 | u64::from(b)) >> 4;
        match d % 4 {
            0 => u,
            1 | 2 => u >> (c % 60),
            _ => (1 << 60) - 1 - (u >> (c % 60)),
        }
    })
}

#[test]
fn excess_is_monotone_and_accurate_for_every_argument() {
    let (least, largest, monotone) = (0..1u32 << 13)
        .into_par_iter()
        .map(|block| {
            let (mut least, mut largest, mut monotone) = (f64::MAX, f64::MIN, true);
            let first = block << 14;
            let mut before = if first == 0 { 0 } else { excess((first - 1) << 5) };
            for x in (first..first + (1 << 14)).map(|i| i << 5) {
                let value = excess(x);
                monotone &= value >= before;
                before = value;
                let u = f64::from(x) * power(-33);
                let exact = if u < 1e-6 {
                    15.0 / 32.0 * u
                } else {
                    -16.0 * (f64::ln_1p(-u) / 16.0).exp_m1() / u - 1.0
                };
                let error = f64::from(value) - exact * power(32);
                least = least.min(error);
                largest = largest.max(error);
            }
            (least, largest, monotone)
        })
        .reduce(|| (f64::MAX, f64::MIN, true), |a, b| (a.0.min(b.0), a.1.max(b.1), a.2 && b.2));
    println!("excess: errors {least:.2} ..= {largest:.2} in 2^-32");
    assert!(monotone);
    assert!(least > -16.0 && largest < 16.0, "{least} {largest}");
}

/// The relative error of P, p = (P + ½)/2⁶⁴ and u = (u + ½)/2⁶⁰.
fn relative_error(u: u64) -> f64 {
    let time = if u < 1 << 59 {
        -f64::ln_1p(-(u as f64 + 0.5) * power(-60))
    } else {
        -((((1u64 << 60) - u) as f64 - 0.5) * power(-60)).ln()
    };
    (first_alarm(u) as f64 + 0.5) * power(-64) / -f64::exp_m1(-time / 16.0) - 1.0
}

#[test]
fn first_alarms_are_accurate() {
    let worst = numbers(4_000_000).map(|u| relative_error(u).abs()).reduce(|| 0.0, f64::max);
    println!("P: relative error {:.3} in 2^-24", worst * power(24));
    assert!(worst < power(-24));
}

#[test]
fn first_alarms_never_decrease() {
    // around the powers of two of 1 − u, where the form changes
    let edges = (0..60).into_par_iter().flat_map_iter(|z| {
        let u = (1i64 << 60) - (1i64 << z);
        (-3000i64..3000).map(move |d| (u + d).clamp(0, (1 << 60) - 2) as u64)
    });
    for u in [0, (1 << 59) - 2, (1 << 59) - 1] {
        assert!(first_alarm(u) <= first_alarm(u + 1), "{u:#x}");
    }
    assert!(edges.all(|u| first_alarm(u) <= first_alarm(u + 1)));
    let rises = |u: u64| {
        let step = |n: u32| (u + (1 << n)).min((1 << 60) - 1);
        (0..59).step_by(4).all(|n| first_alarm(u) <= first_alarm(step(n)))
    };
    assert!(numbers(1_000_000).all(rises));
}

#[test]
fn ends_are_as_defined() {
    assert_eq!(first_alarm(0), 0);
    assert_eq!(later_alarm(0, 5), 5);
    assert_eq!(later_alarm(5, 0), 5);
    assert_eq!(later_alarm(u64::MAX, u64::MAX), u64::MAX);
    // a product that is a whole number of units, and one that is not
    assert_eq!(later_alarm(1 << 63, 1 << 63), 3 << 62);
    assert_eq!(later_alarm((1 << 63) + 1, 1 << 63), 3 << 62);
}

#[test]
fn later_alarms_are_no_earlier_than_either_of_two() {
    assert!(numbers(1_000_000).all(|u| {
        let (p, q) = (u << 4 | 9, u.rotate_left(u as u32 % 64) ^ u << 13);
        let v = later_alarm(p, q);
        v >= p && v >= q
    }));
}

#[test]
fn counters_are_apart() {
    let categories = || (0..1u32 << 20).chain(u32::MAX - 1000..u32::MAX);
    let mut members = HashSet::new();
    for c in categories() {
        assert_eq!(category_of(group_of(c), member_of(c)), c);
        assert!(members.insert((member_counter(c), c >> 4 & 1)), "{c}");
        let quad = group_of(c) / 4;
        assert!((GROUP_BLOCKS..FURTHER_BLOCKS).contains(&(GROUP_BLOCKS + quad)));
        assert!((FURTHER_BLOCKS..1 << 31).contains(&(FURTHER_BLOCKS + quad)));
        // neither a fine block of flat noise nor a uniform block
        assert!((FLAT as u32..u32::MAX).contains(&member_counter(c)));
    }
    // the last category, and the last with a block of its own
    assert_eq!(member_counter(u32::MAX - 1), u32::MAX - 17);
    assert_eq!(member_counter(u32::MAX - 16), u32::MAX - 16);
}

/// The Kolmogorov-Smirnov statistic of what should be uniform.
fn kolmogorov(mut u: Vec<f64>) -> f64 {
    u.sort_by(f64::total_cmp);
    let n = u.len() as f64;
    let distance =
        |(i, &x): (usize, &f64)| (x - i as f64 / n).abs().max((x - (i + 1) as f64 / n).abs());
    u.iter().enumerate().map(distance).fold(0.0, f64::max) * n.sqrt()
}

/// The noise of a category as a number that is uniform on [0, 1).
fn uniform(category: u32) -> f64 {
    let g = f64::from(gumbel(noise_of_long_row(STREAM, category))) * power(-24);
    (-(-g).exp()).exp()
}

#[test]
fn noise_is_gumbel_noise_and_that_of_neighbours_is_independent() {
    let u: Vec<f64> = (0..1 << 20).into_par_iter().map(uniform).collect();
    for (name, distance) in
        [("c, c + 1", 1), ("c, c + 16, of one group", 16), ("c, c + 32", 32), ("c, c + 256", 256)]
    {
        let in_group = |c: usize| c / SPAN == (c + distance) / SPAN || distance == SPAN;
        let pairs: Vec<_> = (0..u.len() - distance)
            .filter(|&c| in_group(c))
            .map(|c| (u[c], u[c + distance]))
            .collect();
        let n = pairs.len() as f64;
        let sum: f64 = pairs.iter().map(|(a, b)| (a - 0.5) * (b - 0.5) * 12.0).sum();
        let mut table = [[0f64; 10]; 10];
        for (a, b) in &pairs {
            table[(a * 10.0) as usize][(b * 10.0) as usize] += 1.0;
        }
        let expected = n / 100.0;
        let chi: f64 = table.as_flattened().iter().map(|o| (o - expected).powi(2) / expected).sum();
        let z = (chi - 99.0) / 198f64.sqrt();
        println!("{name}: correlation {:.2} deviations, chi-square z {z:.2}", sum / n.sqrt());
        assert!(sum.abs() / n.sqrt() < 4.5 && z < 5.0, "{name}: {sum} {z}");
    }
    let ks = kolmogorov(u);
    assert!(ks < KS, "{ks}");
}

#[test]
fn first_alarms_of_groups_ring_at_rate_16_and_any_member_is_first() {
    let mut members = [0f64; MEMBERS];
    let count = 400_000u32;
    let first: Vec<f64> = (0..count)
        .map(|group| {
            let word = word_in(group_block(STREAM, group / 4), group);
            members[first_member(word) as usize] += 1.0;
            let v = noise_of_long_row(STREAM, category_of(group, first_member(word)));
            let p = (v as f64 + 0.5) * power(-64);
            1.0 - (16.0 * f64::ln_1p(-p)).exp()
        })
        .collect();
    let expected = f64::from(count) / 16.0;
    let chi: f64 = members.iter().map(|o| (o - expected).powi(2) / expected).sum();
    let ks = kolmogorov(first);
    println!("first alarms: KS {ks:.3}; members: chi-square {chi:.1} of 15");
    assert!(ks < KS && chi < 44.3);
}

#[test]
fn gumbel_values_are_those_of_times_added_up_in_floats() {
    let worst = (0..200_000u32)
        .into_par_iter()
        .map(|c| {
            let group = group_of(c);
            let word = word_in(group_block(STREAM, group / 4), group);
            let further = word_in(further_block(STREAM, group / 4), group);
            let u = u64::from(leading_bits(word)) << 32 | u64::from(further);
            let mut time = -f64::ln_1p(-(u as f64 + 0.5) * power(-60)) / 16.0;
            if first_member(word) != member_of(c) {
                time -= f64::ln_1p(-(own_noise(STREAM, c) as f64 + 0.5) * power(-64));
            }
            let g = f64::from(gumbel(noise_of_long_row(STREAM, c)));
            (g - -time.ln() * power(24)).abs()
        })
        .reduce(|| 0.0, f64::max);
    println!("G: at most {worst:.2} units off");
    assert!(worst < 2.0, "{worst}");
}
