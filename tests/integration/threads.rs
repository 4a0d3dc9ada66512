//! The types and futures that may cross threads: checked by the compiler.

use gumbel::{CpuSampler, Error, InverseCdf, Logits, SampleOptions, Sampler, Sequence};
#[cfg(feature = "gpu")]
use gumbel::{GpuSampler, Relaxation};

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

/// An executor with several threads may move these futures between them. Nothing runs here: a
/// future does nothing until it is polled.
#[test]
fn futures_move_between_threads() {
    #[cfg(feature = "gpu")]
    {
        drop(moves(GpuSampler::new_async()));
        let _of_a_gpu = |gpu: &GpuSampler, logits: Logits<'_>, options: &SampleOptions<'_>| {
            drop(moves(gpu.sample_rows_async(logits, options)));
            drop(moves(gpu.race_rows_async(logits, options, 3)));
            drop(moves(gpu.sample_rows_scored_async(logits, options)));
            drop(moves(gpu.logsumexp_rows_async(logits, options)));
            drop(moves(gpu.estimate_log_z_async(logits, options)));
            drop(moves(gpu.soften_rows_async(logits, options, Relaxation::soft(0.5))));
            drop(moves(gpu.soften_rows_vjp_async(logits, options, Relaxation::soft(0.5), &[])));
            drop(moves(gpu.inverse_cdf_async(logits, options)));
        };
    }
    drop(moves(Sampler::auto_async()));
    let _of_either = |either: &Sampler, logits: Logits<'_>, options: &SampleOptions<'_>| {
        drop(moves(either.sample_rows_async(logits, options)));
        drop(moves(either.inverse_cdf_async(logits, options)));
    };
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
