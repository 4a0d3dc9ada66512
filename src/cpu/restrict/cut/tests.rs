use super::*;

/// Words of few and of many different values, in all orders that might cost a selection its time.
fn rows() -> Vec<Vec<f32>> {
    let noise = |i: usize| ((i as u32).wrapping_mul(0x9e37_79b9) >> 9) as f32 / (1u32 << 23) as f32;
    let rows = |n: usize| {
        [
            vec![1.5; n],
            (0..n).map(|i| (i % 2) as f32).collect(),
            (0..n).map(|i| i as f32 / 16.0).collect(),
            (0..n).map(|i| -(i as f32) / 16.0).collect(),
            (0..n).map(|i| 6.0 * noise(i)).collect(),
            (0..n).map(|i| if i == 0 { 20.0 } else { 3.0 * noise(i) }).collect(),
            (0..n).map(|i| (noise(i) * 8.0).floor() - 2.0).collect(),
            (0..n).map(|i| if i % 3 == 0 { f32::NEG_INFINITY } else { noise(i) }).collect(),
            // a comb in which the middle of three is always the least but one
            (0..n).map(|i| -((i ^ (i >> 1)) as f32).sqrt()).collect::<Vec<f32>>(),
        ]
    };
    [1, 2, 3, 33, 500].into_iter().flat_map(rows).collect()
}

/// The words that are kept, from the definition: a category is kept if those above have less than the limit.
fn plainly(values: &[f32], p: f32, scale: Scale) -> Vec<bool> {
    let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let k = |x: f32| x.fixed(scale);
    let weight = |x: f32| x.integer_weight(most, scale, log2_floor(values.len() as u32));
    let total: u64 = values.iter().map(|&x| weight(x)).sum();
    let above = |x: f32| {
        values.iter().filter(|y| y.is_finite() && k(**y) > k(x)).map(|&y| weight(y)).sum::<u64>()
    };
    let keeps = |&x: &f32| x.is_finite() && (above(x) < share_of(p, total) || k(x) == k(most));
    values.iter().map(keeps).collect()
}

#[test]
fn a_nucleus_is_selected_as_it_is_defined() {
    for values in rows() {
        let mut words = vec![0; values.len()];
        for temperature in [1.0, 0.3, 1e6] {
            let scale = Scale::from_temperature(temperature).unwrap();
            for p in [f32::MIN_POSITIVE, 0.01, 0.3, 0.5, 0.9, 0.999, 1.0 - f32::EPSILON] {
                let truncation = Truncation::new().with_top_p(p);
                let Some(cut) = Cut::new(&values, &truncation, scale, &mut words) else {
                    assert_eq!(values, [f32::NEG_INFINITY]);
                    continue;
                };
                let kept = |x: &f32| x.is_finite() && x.word() >= cut.least;
                let kept: Vec<bool> = values.iter().map(kept).collect();
                assert_eq!(kept, plainly(&values, p, scale), "{p}, {temperature}: {values:?}");
            }
        }
    }
}

/// Words are in the order of values, and stand for them.
#[test]
fn words_are_in_order() {
    let logits =
        [f32::NEG_INFINITY, f32::MIN, -1.0, -1e-45, 0.0, 1e-45, 1.0, f32::MAX, f32::INFINITY];
    assert!(logits.windows(2).all(|pair| pair[0].word() < pair[1].word()));
    assert!(logits.iter().all(|x| f32::of_word(x.word()).to_bits() == x.to_bits()));
    assert_eq!((-0f32).word(), 0f32.word());
}

/// A row without a draw has no cut.
#[test]
fn a_row_without_a_draw_has_no_cut() {
    let truncation = Truncation::new().with_top_k(1);
    let cut = |values: &[f32]| Cut::new(values, &truncation, Scale::ONE, &mut [0; 3]);
    assert_eq!(cut(&[0.0, f32::NAN, 1.0]), None);
    assert_eq!(cut(&[f32::NEG_INFINITY; 3]), None);
    assert_eq!(cut(&[0.0, f32::INFINITY, 1.0]), None);
    assert_eq!(cut(&[0.0, 2.0, 1.0]), Some(Cut { least: 2f32.word() }));
}

/// A guess leads to the word that bisection finds, wherever it is.
#[test]
fn a_guess_leads_to_the_first_word() {
    let ends = [0, 1, 2, 3, 70, 4000, 1 << 31, u32::MAX - 1, u32::MAX];
    for lowest in ends {
        for highest in ends.into_iter().filter(|&highest| highest >= lowest) {
            let within = ends.into_iter().chain([lowest + (highest - lowest) / 3]);
            for word in within.filter(|word| (lowest..=highest).contains(word)) {
                let meets = |at| at >= word;
                assert_eq!(first_word(lowest, highest, meets), word);
                for guess in ends.into_iter().chain([word.saturating_sub(9), word]) {
                    let found = first_word_near(guess, lowest, highest, meets);
                    assert_eq!(found, word, "{guess} in {lowest}..={highest}");
                }
            }
        }
    }
}
