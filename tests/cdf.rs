//! Draws by inverse CDF: the engine's are the reference's, on awkward batches, in all forms and on any
//! number of threads; and a table that is kept draws the same.

use gumbel::conformance::{self, Case};
use gumbel::{CpuForm, CpuSampler, Error, Logits, Method, NO_DRAW, SampleOptions, reference};

#[expect(clippy::unwrap_used, reason = "a pool of a few threads can be had")]
fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

fn engines() -> impl Iterator<Item = CpuSampler> {
    let forms = CpuForm::ALL.into_iter().filter(|form| form.is_available());
    forms.filter_map(|form| CpuSampler::new().with_form(form).ok())
}

/// A case, and so many draws of it by inverse CDF.
fn options(case: &Case, draws: u32) -> SampleOptions<'_> {
    let options = case.options().with_method(Method::InverseCdf);
    let most = (1 << 31) - options.first_draw;
    options.with_draws((options.draws * draws).min(most))
}

/// The cases, each with few draws and those that are not too large with more.
fn cases() -> impl Iterator<Item = (Case, u32)> {
    conformance::cases().flat_map(|case| {
        let work = case.logits().rows() * case.logits().categories();
        let many = (work < 10_000).then(|| (case.clone(), 7));
        [(case, 1)].into_iter().chain(many)
    })
}

/// All cases of the conformance suite, on 1, 2 and 7 threads.
#[test]
fn every_case_on_any_number_of_threads() {
    let pools = [1, 2, 7].map(pool);
    for (case, draws) in cases() {
        let (logits, options) = (case.logits(), options(&case, draws));
        let expected = reference::sample_rows(logits, &options).unwrap();
        for engine in engines() {
            for pool in &pools {
                let drawn = pool.install(|| engine.sample_rows(logits, &options)).unwrap();
                assert!(drawn == expected, "{case}, {draws} times, {pool:?}, {engine:?}");
                let kept = pool.install(|| engine.inverse_cdf(logits, &options)).unwrap();
                let drawn = pool.install(|| kept.sample_rows(options.first_draw, options.draws));
                assert!(drawn.unwrap() == expected, "kept: {case}, {draws} times, {engine:?}");
            }
        }
    }
}
