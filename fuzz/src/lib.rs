//! Code that the fuzz targets share: it makes a batch of the fuzzer's bytes, and compares the engine with the
//! reference.

pub mod files;
mod input;
mod kind;
mod own;
mod restriction;

use std::sync::LazyLock;

use gumbel::{CpuSampler, Isa, NO_DRAW, reference};

pub use input::{Case, Input};
pub use kind::{AnyKind, Bf16, Counts, F16, F32, F64, Kind, Weights, WeightsF64};
pub use own::OwnInput;

/// The CPU engine with each instruction set that this machine has.
pub static ENGINES: LazyLock<Vec<CpuSampler>> = LazyLock::new(|| {
    Isa::available().map(|isa| CpuSampler::new().with_isa(isa).expect("it is there")).collect()
});

/// Panics unless each engine draws what the reference does.
pub fn compare_draws<K: Kind>(case: &Case<K>) {
    let expected =
        reference::sample_rows(case.batch(), &case.options()).expect("the case is valid");
    for engine in &*ENGINES {
        // a word that is no draw, so that unwritten draws show
        let mut draws = vec![NO_DRAW - 1; expected.len()];
        engine
            .sample_rows_into(case.batch(), &case.options(), &mut draws)
            .expect("the case is valid");
        assert_eq!(draws, expected, "{}", engine.isa());
    }
}
