//! The definition: accuracy and monotony of P, the counters, and the distributions.

use std::collections::HashSet;

use gumbel_topdown::definition::*;
use gumbel_topdown::noise::bits::Stream;
use gumbel_topdown::noise::gumbel::gumbel;
use gumbel_topdown::random::Rng;
use rayon::prelude::*;

/// The Kolmogorov-Smirnov statistic that is exceeded with a probability of 10⁻⁴.
const KS: f64 = 2.23;

/// Whether all is well.
pub(crate) fn check() -> bool {
    // all are run, whatever the first ones find
    [excess_everywhere(), first_alarms(), counters(), values(), groups(), against_floats()]
        .iter()
        .all(|&passed| passed)
}

/// Every argument of the polynomial.
fn excess_everywhere() -> bool {
    let out: Vec<(f64, f64, bool)> = (0..1u32 << 13)
        .into_par_iter()
        .map(|b| {
            let (mut low, mut high, mut monotone) = (f64::MAX, f64::MIN, true);
            let mut before = if b == 0 { 0 } else { excess(((b << 14) - 1) << 5) };
            for i in b << 14..(b + 1) << 14 {
                let x = i << 5;
                let value = excess(x);
                monotone &= value >= before;
                before = value;
                let u = f64::from(x) / 2f64.powi(33);
                let exact = if u < 1e-6 {
                    15.0 / 32.0 * u
                } else {
                    -16.0 * (f64::ln_1p(-u) / 16.0).exp_m1() / u - 1.0
                };
                let error = f64::from(value) - exact * 2f64.powi(32);
                low = low.min(error);
                high = high.max(error);
            }
            (low, high, monotone)
        })
        .collect();
    let low = out.iter().map(|x| x.0).fold(f64::MAX, f64::min);
    let high = out.iter().map(|x| x.1).fold(f64::MIN, f64::max);
    let monotone = out.iter().all(|x| x.2);
    println!("polynomial of P: errors {low:.2} ..= {high:.2} in 2^-32, monotone {monotone}");
    monotone && low > -16.0 && high < 16.0
}

/// P against f64, and that it never decreases.
fn first_alarms() -> bool {
    let relative_error = |u: u64| {
        let p = first_alarm(u) as f64;
        let n = (1u64 << 60) - u;
        let time = if u < 1 << 59 {
            -f64::ln_1p(-((u as f64 + 0.5) / 2f64.powi(60)))
        } else {
            -((n as f64 - 0.5) / 2f64.powi(60)).ln()
        };
        let exact = -f64::exp_m1(-time / 16.0);
        (p + 0.5) / 2f64.powi(64) / exact - 1.0
    };
    let mut decreases = 0;
    // around the powers of two of 1 − u
    for z in 0..60u32 {
        let u = (1u64 << 60) - (1u64 << z);
        for d in -3000i64..3000 {
            let a = (u as i64 + d).clamp(0, (1 << 60) - 2) as u64;
            decreases += u64::from(first_alarm(a + 1) < first_alarm(a));
        }
    }
    let mut worst = [0f64; 2];
    let mut random = Rng(88172645463325252);
    for i in 0..8_000_000u64 {
        let mut u = (random.next_u64() >> 4) >> (if i % 2 == 0 { i / 2 % 58 } else { 0 });
        if i % 4 == 1 {
            u = (1u64 << 60) - 1 - (u >> (i / 4 % 58));
        }
        let half = usize::from(u >= 1 << 59);
        worst[half] = worst[half].max(relative_error(u).abs());
        for step in [1, 1 << (i % 59)] {
            let next = u + step;
            decreases += u64::from(next < 1 << 60 && first_alarm(next) < first_alarm(u));
        }
    }
    let worst = worst.map(|error| error * 2f64.powi(24));
    println!(
        "P: relative error in 2^-24: {:.3} for u below a half, {:.3} above; decreases: {decreases}",
        worst[0], worst[1]
    );
    let last = first_alarm((1 << 60) - 1);
    println!(
        "P of the least u {:#x}, of the next {:#x}, of the last {last:#x}",
        first_alarm(0),
        first_alarm(1)
    );
    let ends = later_alarm(0, 5) == 5 && later_alarm(u64::MAX, u64::MAX) == u64::MAX;
    decreases == 0 && ends && worst[0] < 1.0 && worst[1] < 1.0
}

/// That counters do not collide and every category has words of its own.
fn counters() -> bool {
    let mut seen = HashSet::new();
    let mut passed = true;
    for c in (0..1u32 << 20).chain(u32::MAX - 1000..u32::MAX) {
        passed &= category_of(group_of(c), member_of(c)) == c;
        passed &= seen.insert((member_counter(c), c >> 4 & 1));
        passed &= member_counter(c) >= MEMBER_BLOCKS;
        passed &= GROUP_BLOCKS + group_of(c) / 4 < FURTHER_BLOCKS;
        passed &= FURTHER_BLOCKS + group_of(c) / 4 < MEMBER_BLOCKS;
    }
    println!("counters: distinct {passed}");
    passed
}

const STREAM: (u64, u64, u32) = (11, 5, 3);

/// G against exp(−exp(−x)), and the independence of neighbours.
fn values() -> bool {
    let stream = Stream::new(STREAM.0, STREAM.1, STREAM.2);
    let count = 2_000_000u32;
    let mut u: Vec<f64> = (0..count)
        .into_par_iter()
        .map(|c| f64::from(gumbel(noise(stream, c))) / 2f64.powi(24))
        .map(|g| (-(-g).exp()).exp())
        .collect();
    let mut passed = true;
    let neighbours = [
        ("c, c+1", 1usize),
        ("c, c+16 (same group)", 16),
        ("c, c+32 (same group)", 32),
        ("c, c+256", 256),
    ];
    for (name, d) in neighbours {
        let pairs: Vec<(f64, f64)> = (0..u.len() - d)
            .filter(|c| c / 256 == (c + d) / 256 || d != 16 && d != 32)
            .map(|c| (u[c], u[c + d]))
            .collect();
        let sum: f64 = pairs.iter().map(|(a, b)| (a - 0.5) * (b - 0.5) * 12.0).sum();
        let correlation = sum / (pairs.len() as f64).sqrt();
        let mut table = [[0f64; 10]; 10];
        for (a, b) in &pairs {
            table[(a * 10.0) as usize][(b * 10.0) as usize] += 1.0;
        }
        let e = pairs.len() as f64 / 100.0;
        let chi: f64 = table.as_flattened().iter().map(|o| (o - e) * (o - e) / e).sum();
        let z = (chi - 99.0) / (198f64).sqrt();
        println!(
            "{name}: correlation {correlation:.2} sd; chi2 of a 10 x 10 table {chi:.1} of 99 (z {z:.2})"
        );
        passed &= correlation.abs() < 4.5 && z.abs() < 5.0;
    }
    let ks = kolmogorov(&mut u);
    println!("G of {count} categories: KS {ks:.3} (1.63 at 1 %)");
    passed && ks < KS
}

/// The first alarms of groups against Exp(16), and which member is the first.
fn groups() -> bool {
    let stream = Stream::new(STREAM.0, STREAM.1, STREAM.2);
    let count = 400_000u32;
    let mut members = [0f64; MEMBERS];
    let mut first: Vec<f64> = (0..count)
        .map(|g| {
            let word = group_word(stream, g);
            members[first_member(word) as usize] += 1.0;
            let p = first_alarm(u_of(word, further_bits(stream, g)));
            let p = (p as f64 + 0.5) / 2f64.powi(64);
            1.0 - (16.0 * f64::ln_1p(-p)).exp()
        })
        .collect();
    let ks = kolmogorov(&mut first);
    let e = f64::from(count) / 16.0;
    let chi: f64 = members.iter().map(|o| (o - e).powi(2) / e).sum();
    println!("first alarms of {count} groups: KS {ks:.3}; members: chi2 {chi:.1} of 15");
    ks < KS && chi < 44.3
}

/// G against −ln(E), with E added up in f64.
fn against_floats() -> bool {
    let stream = Stream::new(STREAM.0, STREAM.1, STREAM.2);
    let mut worst = 0f64;
    for c in 0..200_000u32 {
        let group = group_of(c);
        let word = group_word(stream, group);
        let u = (u_of(word, further_bits(stream, group)) as f64 + 0.5) / 2f64.powi(60);
        let mut time = -f64::ln_1p(-u) / 16.0;
        if first_member(word) != member_of(c) {
            time -= f64::ln_1p(-((own_noise(stream, c) as f64 + 0.5) / 2f64.powi(64)));
        }
        let g = f64::from(gumbel(noise(stream, c)));
        worst = worst.max((g - -time.ln() * 2f64.powi(24)).abs());
    }
    println!("G of 200,000 categories against -ln(E) in f64: at most {worst:.2} units off");
    worst < 3.0
}

/// The Kolmogorov-Smirnov statistic of what should be uniform.
fn kolmogorov(u: &mut [f64]) -> f64 {
    u.sort_by(f64::total_cmp);
    let n = u.len() as f64;
    let distance =
        |(i, &x): (usize, &f64)| (x - i as f64 / n).abs().max((x - (i + 1) as f64 / n).abs());
    u.iter().enumerate().map(distance).fold(0.0, f64::max) * n.sqrt()
}
