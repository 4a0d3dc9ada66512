//! Awkward rows.

use gumbel_topdown::random::Rng;

/// The number of kinds of rows.
pub(crate) const KINDS: usize = 13;

/// A row of one kind. Kinds 9 and 10 have no draw.
pub(crate) fn row(kind: usize, n: usize, random: &mut Rng) -> Vec<f32> {
    let normal = |sd: f64, random: &mut Rng| (sd * random.normal()) as f32;
    let all = |f: &mut dyn FnMut(usize, &mut Rng) -> f32, random: &mut Rng| {
        (0..n).map(|i| f(i, random)).collect::<Vec<f32>>()
    };
    match kind {
        0 => vec![0.5; n],
        1 => all(&mut |_, r| normal(3.0, r), random),
        2 => all(&mut |_, r| normal(5.0, r), random),
        3 => {
            let at = random.next_u64() as usize % n;
            all(&mut |i, r| if i == at { 12.0 } else { normal(1.0, r) }, random)
        }
        4 => {
            let mut masked = |_, r: &mut Rng| {
                if r.next_u64() % 10 < 7 { f32::NEG_INFINITY } else { normal(2.0, r) }
            };
            all(&mut masked, random)
        }
        // ties of large logits
        5 => all(&mut |_, r| (r.next_u64() % 3) as f32 * 16_777_216.0, random),
        6 => all(&mut |i, _| if i % 997 == 3 { 3.0 } else { f32::NEG_INFINITY }, random),
        7 => {
            let mut any = |_, r: &mut Rng| {
                let x = f32::from_bits(r.next_u64() as u32);
                if x.is_finite() { x } else { 0.0 }
            };
            all(&mut any, random)
        }
        8 => all(&mut |i, _| -(i as f32) / 100.0, random),
        9 => {
            let mut row = all(&mut |_, r| normal(1.0, r), random);
            let at = random.next_u64() as usize % n;
            row[at] = [f32::NAN, -f32::NAN, f32::INFINITY, 1e38][random.next_u64() as usize % 4];
            row
        }
        10 => vec![f32::NEG_INFINITY; n],
        // one group of each span stands out
        11 => all(&mut |i, r| if i % 16 == 5 { 4.0 } else { 0.0 } + normal(1.0, r), random),
        _ => all(&mut |_, r| normal(20.0, r), random),
    }
}
