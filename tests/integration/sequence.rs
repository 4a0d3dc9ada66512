//! Sequences: the calls of a loop get draw numbers of their own, up to the last of a seed.

use gumbel::{
    CpuSampler, Error, Logits, Method, NO_DRAW, RowIds, SampleOptions, Sequence, Undrawable,
    Weights,
};

/// The draws of each row in several calls, joined: those of one call, if each call goes on where the last one ended.
#[expect(clippy::unwrap_used, reason = "the rows have draws")]
fn joined(
    logits: Logits<'_>,
    calls: &[u32],
    mut next: impl FnMut(u32) -> SampleOptions<'static>,
) -> Vec<u32> {
    let mut rows = vec![Vec::new(); logits.rows()];
    for &draws in calls {
        let drawn = CpuSampler::new().sample_rows(logits, &next(draws)).unwrap();
        for (row, drawn) in rows.iter_mut().zip(drawn.chunks(draws as usize)) {
            row.extend_from_slice(drawn);
        }
    }
    rows.concat()
}

/// By each method, the calls of a loop give what one call gives. The same options in each call, and draw numbers that
/// go on by one too few, do not.
#[test]
fn the_calls_of_a_loop_are_one_call() {
    let data: Vec<f32> = (0..5 * 130).map(|i| (i % 17) as f32 / 8.0).collect();
    let logits = Logits::new(&data, 130).unwrap();
    let calls = [1, 1, 2, 7, 1, 30];
    for method in [Method::Gumbel, Method::InverseCdf] {
        let options = SampleOptions::default().with_first_row(9).with_method(method);
        let all = options.with_seed(42).with_draws(calls.iter().sum());
        let expected = CpuSampler::new().sample_rows(logits, &all).unwrap();
        let mut sequence = Sequence::new(42);
        let take = |draws| sequence.take(&options.with_draws(draws)).unwrap();
        assert_eq!(joined(logits, &calls, take), expected);
        assert_eq!(sequence, Sequence::at(42, 42).unwrap());

        let forgotten = |draws| options.with_seed(42).with_draws(draws);
        assert_ne!(joined(logits, &calls, forgotten), expected);
        let mut next = 0;
        let one_less = joined(logits, &calls, |draws| {
            let options = options.with_seed(42).with_draws(draws).with_first_draw(next);
            next += draws.max(2) - 1;
            options
        });
        assert_ne!(one_less, expected);
    }
}

/// Seed and first draw are the sequence's, whatever the options say. Everything else is the options'.
#[test]
fn a_sequence_decides_the_seed_and_the_draw_number() {
    let ids = [3, 1, 4];
    let options = SampleOptions::default()
        .with_seed(99)
        .with_first_draw(1000)
        .with_draws(5)
        .with_row_ids(&ids)
        .with_temperature(0.7)
        .with_method(Method::Auto)
        .with_sentinels(true);
    let mut sequence = Sequence::at(7, 20).unwrap();
    for first_draw in [20, 25, 30] {
        let taken = sequence.take(&options).unwrap();
        assert_eq!(taken, options.with_seed(7).with_first_draw(first_draw));
        assert_eq!(taken.row_ids, RowIds::Each(&ids));
    }
    assert_eq!((sequence.seed(), sequence.next_draw()), (7, 35));
}

/// The last draw number of a seed is given once. A sequence that has too few left says so and stays where it is.
#[test]
fn a_sequence_ends() {
    let last = (1u32 << 31) - 1;
    let draws = |draws| SampleOptions::default().with_draws(draws);
    let mut sequence = Sequence::at(1, last - 2).unwrap();
    assert_eq!(sequence.take(&draws(2)).unwrap().first_draw, last - 2);
    let before = sequence.clone();
    let error = sequence.take(&draws(2)).unwrap_err();
    let expected = Error::SequenceEnd { next_draw: last, draws: 2 };
    assert_eq!(format!("{error:?}"), format!("{expected:?}"));
    assert_eq!(
        error.to_string(),
        "the sequence is at draw 2147483647 of the 2147483648 of its seed, too near the end for 2 more; go on with a \
         sequence of another seed"
    );
    assert_eq!(sequence, before);
    let options = sequence.take(&draws(1)).unwrap();
    CpuSampler::new().sample_rows(Logits::new(&[0.0; 3], 3).unwrap(), &options).unwrap();
    assert_eq!(sequence.next_draw(), last + 1);
    for more in [1, u32::MAX] {
        assert!(matches!(sequence.take(&draws(more)), Err(Error::SequenceEnd { .. })));
    }

    // a sequence at its end can be saved and put back, and none can be put beyond it
    assert_eq!(Sequence::at(1, last + 1).unwrap(), sequence);
    for beyond in [last + 2, u32::MAX] {
        let error = Sequence::at(1, beyond).unwrap_err();
        assert!(matches!(error, Error::Draws { first_draw, draws: 1 } if first_draw == beyond));
    }
    let mut all = Sequence::new(1);
    assert_eq!(all.take_draws(1 << 31).unwrap(), 0);
    assert!(all.take_draws(1).is_err());
}

#[test]
fn no_draws_are_refused() {
    let mut sequence = Sequence::at(1, 5).unwrap();
    let error = sequence.take(&SampleOptions::default().with_draws(0)).unwrap_err();
    assert!(matches!(error, Error::Draws { first_draw: 5, draws: 0 }), "{error:?}");
    assert_eq!(sequence.next_draw(), 5);
}

/// A call that fails has used its draw numbers up: some of its rows may have been drawn and seen.
#[test]
fn a_failed_call_uses_its_numbers_up() {
    let data = [0.0, 1.0, f32::NAN, 0.0, 2.0, 0.0];
    let logits = Logits::new(&data, 2).unwrap();
    let mut sequence = Sequence::new(5);
    let options = sequence.take(&SampleOptions::default().with_draws(3)).unwrap();
    let mut draws = [NO_DRAW - 1; 9];
    let error = CpuSampler::new().sample_rows_into(logits, &options, &mut draws).unwrap_err();
    assert!(matches!(
        error,
        Error::UndrawableRow { row: 1, reason: Undrawable::Nan { category: 0 } }
    ));
    assert!(draws[..3].iter().all(|&draw| draw < 2));
    assert_eq!(sequence.next_draw(), 3);
}

/// Prepared tables take their draw numbers from a sequence too.
#[test]
fn prepared_tables_go_on() {
    let weights = Weights::from_counts(&[5, 1, 9, 2, 2, 0, 7, 7], 4).unwrap();
    let mut sequence = Sequence::new(11);
    let options = SampleOptions::default().with_seed(sequence.seed());
    let cdf = CpuSampler::new().inverse_cdf(weights, &options).unwrap();
    let all = cdf.sample_rows(0, 60).unwrap();
    let mut at = 0;
    for draws in [1, 9, 50] {
        let some = cdf.sample_rows(sequence.take_draws(draws).unwrap(), draws).unwrap();
        for (row, some) in some.chunks(draws as usize).enumerate() {
            assert_eq!(some, &all[60 * row + at..][..draws as usize]);
        }
        at += draws as usize;
    }
}
