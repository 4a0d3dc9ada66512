//! What may cross threads: checked by the compiler.

use gumbel::{CpuSampler, Error, GpuSampler, Logits, SampleOptions, Sampler};

fn crosses<T: Send + Sync>() {}

fn moves<T: Send>(value: T) -> T {
    value
}

#[test]
fn samplers_and_errors_cross_threads() {
    crosses::<CpuSampler>();
    crosses::<GpuSampler>();
    crosses::<Sampler>();
    crosses::<Error>();
}

/// So that an executor with several threads can take them. Nothing runs: a future does nothing
/// until it is polled.
#[test]
fn futures_move_between_threads() {
    drop(moves(GpuSampler::new_async()));
    drop(moves(Sampler::auto_async()));
    let _of_a_call = |gpu: &GpuSampler, logits: Logits<'_>, options: &SampleOptions<'_>| {
        drop(moves(gpu.sample_rows_async(logits, options)));
    };
    let _of_either = |either: &Sampler, logits: Logits<'_>, options: &SampleOptions<'_>| {
        drop(moves(either.sample_rows_async(logits, options)));
    };
}

#[test]
fn the_async_form_of_either_engine_gives_the_draws() {
    let options = SampleOptions::default().with_draws(3);
    let logits = Logits::new(&[0.0; 30], 10).unwrap();
    let sampler = CpuSampler::new();
    let drawn = pollster::block_on(sampler.sample_rows_async(logits, &options)).unwrap();
    assert_eq!(drawn, sampler.sample_rows(logits, &options).unwrap());
}
