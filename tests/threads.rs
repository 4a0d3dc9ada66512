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
}
