//! The types and futures that may cross threads: checked by the compiler.

#[cfg(feature = "gpu")]
use gumbel::GpuSampler;
use gumbel::engine::{Auto, Engine};
use gumbel::{
    CpuSampler, Drafts, Error, InverseCdf, Logits, Relaxation, SampleOptions, Sampler, Sequence,
    Shard,
};

fn crosses<T: Send + Sync>() {}

fn moves<T: Send>(value: T) -> T {
    value
}

#[test]
fn samplers_and_errors_cross_threads() {
    crosses::<CpuSampler>();
    #[cfg(feature = "gpu")]
    crosses::<GpuSampler>();
    crosses::<InverseCdf>();
    crosses::<Sampler>();
    crosses::<Error>();
    crosses::<Sequence>();
    #[cfg(feature = "rand")]
    {
        crosses::<gumbel::PhiloxRng>();
        crosses::<gumbel::GumbelRow<'static>>();
        crosses::<gumbel::CdfRow>();
    }
    #[cfg(feature = "serde")]
    crosses::<gumbel::OwnedOptions>();
}

/// Moves the future of every operation. Nothing runs here: a future does nothing until it is polled.
fn move_all<E: Engine + Sync>(sampler: &Sampler<E>) -> Result<(), Error> {
    let (logits, options) = (Logits::new(&[0.0; 6], 3)?, &SampleOptions::default());
    let (drafts, drafter) = (Drafts::chains(&[0, 1], &[2])?, Logits::new(&[0.0; 3], 3)?);
    let (shard, soft) = (Shard::new(0, 3)?, Relaxation::soft(0.5));
    drop(moves(sampler.sample_rows_async(logits, options)));
    drop(moves(sampler.race_rows_async(logits, options, 3)));
    drop(moves(sampler.sample_rows_scored_async(logits, options)));
    drop(moves(sampler.logsumexp_rows_async(logits, options)));
    drop(moves(sampler.estimate_log_z_async(logits, options)));
    drop(moves(sampler.cut_rows_async(logits, options)));
    drop(moves(sampler.soften_rows_async(logits, options, soft)));
    drop(moves(sampler.soften_rows_vjp_async(logits, options, soft, &[])));
    drop(moves(sampler.verify_rows_async(logits, &drafts, options)));
    drop(moves(sampler.verify_rows_by_ratio_async(logits, drafter, &drafts, options)));
    drop(moves(sampler.sample_shard_async(logits, shard, options)));
    drop(moves(sampler.inverse_cdf_async(logits, options)));
    Ok(())
}

/// An executor with several threads may move these futures between them.
#[test]
fn futures_move_between_threads() {
    #[cfg(feature = "gpu")]
    {
        drop(moves(GpuSampler::new_async()));
        let _of_a_gpu = move_all::<gumbel::engine::Gpu>;
    }
    drop(moves(Sampler::auto_async()));
    move_all(&CpuSampler::new()).unwrap();
    move_all::<Auto>(&CpuSampler::new().into()).unwrap();
    let _of_tables = |cdf: &InverseCdf| drop(moves(cdf.sample_rows_async(0, 1)));
}

#[test]
fn the_async_form_of_either_engine_gives_the_draws() {
    let options = SampleOptions::default().with_draws(3);
    let logits = Logits::new(&[0.0; 30], 10).unwrap();
    let sampler = CpuSampler::new();
    let drawn = pollster::block_on(sampler.sample_rows_async(logits, &options)).unwrap();
    assert_eq!(drawn, sampler.sample_rows(logits, &options).unwrap());
}
