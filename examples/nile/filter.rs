//! The level of the Nile: by particles, and exactly.

use gumbel::{Particles, PhiloxRng, Resampling, SampleOptions, Sequence};
use rand::distr::Distribution;
use rand_distr::StandardNormal;

/// The flow of each year, in 10⁸ m³.
pub(crate) const FLOWS: [u16; 100] = [
    1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180,
    799, 958, 1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833,
    701, 916, 692, 1020, 1050, 969, 831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845,
    864, 862, 698, 845, 744, 796, 1040, 759, 781, 865, 845, 944, 984, 897, 822, 1010, 771, 676,
    649, 846, 812, 742, 801, 1040, 860, 874, 848, 890, 744, 749, 838, 1050, 918, 986, 797, 923,
    975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
];
/// The variances of the level's steps and of what is seen of the level.
const STEP: f64 = 1469.1;
const NOISE: f64 = 15_099.0;
/// What is known of the first level: next to nothing.
const FIRST: (f64, f64) = (1000.0, 1e5);

pub(crate) struct Filtered {
    /// The mean level of each year.
    pub(crate) means: Vec<f64>,
    pub(crate) log_likelihood: f64,
    /// How many times the particles were resampled.
    pub(crate) resampled: u32,
    /// Some particles of each year.
    pub(crate) cloud: Vec<Vec<f64>>,
}

/// Follows the level by this number of particles.
pub(crate) fn filter(count: usize) -> Result<Filtered, gumbel::Error> {
    let (mut sequence, mut rng) = (Sequence::new(1871), PhiloxRng::new(1970));
    let mut normal = |deviation: f64| -> f64 {
        let x: f64 = StandardNormal.sample(&mut rng);
        deviation * x
    };
    let mut particles = Particles::default();
    let mut levels: Vec<f64> = (0..count).map(|_| FIRST.0 + normal(FIRST.1.sqrt())).collect();
    // the logarithms of the weights that particles have kept since they were resampled
    let mut kept = vec![-(count as f64).ln(); count];
    let mut filtered = Filtered { means: vec![], log_likelihood: 0.0, resampled: 0, cloud: vec![] };
    for flow in FLOWS {
        for (kept, level) in kept.iter_mut().zip(&levels) {
            *kept += log_density(f64::from(flow) - level, NOISE);
        }
        particles.weigh(&kept)?;
        let sum = particles.logsumexp();
        filtered.log_likelihood += sum;
        kept.iter_mut().for_each(|kept| *kept -= sum);
        filtered.means.push(kept.iter().zip(&levels).map(|(kept, level)| kept.exp() * level).sum());
        if particles.effective_sample_size() < 0.5 * count as f64 {
            let options = sequence.take(&SampleOptions::default())?;
            let ancestors = particles.resample(Resampling::Systematic, &options, count)?;
            levels = ancestors.iter().map(|&ancestor| levels[ancestor as usize]).collect();
            kept.fill(-(count as f64).ln());
            filtered.resampled += 1;
        }
        filtered.cloud.push(levels.iter().step_by(count.div_ceil(500)).copied().collect());
        levels.iter_mut().for_each(|level| *level += normal(STEP.sqrt()));
    }
    Ok(filtered)
}

/// The logarithm of the density of a normal variable with mean 0.
fn log_density(x: f64, variance: f64) -> f64 {
    -0.5 * (x * x / variance + (std::f64::consts::TAU * variance).ln())
}

/// The mean level of each year, and the log-likelihood, by the Kalman filter.
pub(crate) fn kalman() -> (Vec<f64>, f64) {
    let ((mut mean, mut variance), mut log_likelihood) = (FIRST, 0.0);
    let means = FLOWS.map(|flow| {
        let (surprise, of_surprise) = (f64::from(flow) - mean, variance + NOISE);
        log_likelihood += log_density(surprise, of_surprise);
        let gain = variance / of_surprise;
        mean += gain * surprise;
        let filtered = mean;
        variance = variance * (1.0 - gain) + STEP;
        filtered
    });
    (means.to_vec(), log_likelihood)
}
