//! The engine's draws are the reference's for every awkward batch, however the batch is cut and whatever kind of device
//! the sampler is tuned for.
//!
//! Four samplers draw every case, three of them up to some size: one as the adapter is, one without the filter, one
//! without features, and one as on a GPU, whose kernels decide short races by bounds. The arithmetic on values differs
//! between these. All other settings of a sampler change how calls
//! are planned, and no arithmetic on values. So each sampler with other settings draws only some cases: the smallest
//! ones that together have all aspects of plans (`src/gpu/kind.rs`) which no sampler before it has.

use std::collections::HashSet;

use gumbel::conformance::{self, Case};
use gumbel::{
    AdapterReport, DeviceKind, GpuSampler, GpuSamplerBuilder, PlanKind, Sampler, Teams,
    ValueFormat, wgpu,
};
use libtest_mimic::{Failed, Trial};

use super::draws::sampler;
use super::faults::split_subgroups;
use super::{Check, ensure};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("conformance::of_every_case", |adapter| run(adapter, "of_every_case")),
    ("conformance::without_the_filter", |adapter| run(adapter, "without_the_filter")),
    ("conformance::without_features", |adapter| run(adapter, "without_features")),
    ("conformance::in_small_pieces", |adapter| run(adapter, "in_small_pieces")),
    ("conformance::in_other_teams", |adapter| run(adapter, "in_other_teams")),
    ("conformance::as_planned_for_hardware", |adapter| run(adapter, "as_planned_for_hardware")),
    ("conformance::as_planned_for_an_emulation", |adapter| {
        run(adapter, "as_planned_for_an_emulation")
    }),
    ("conformance::in_split_subgroups", in_split_subgroups),
];

/// A sampler of a test.
struct Setup {
    test: &'static str,
    builder: GpuSamplerBuilder,
    /// How large a case may be.
    most: usize,
    takes: Takes,
    /// Whether all of these cases are drawn, or only the smallest ones with an aspect that no setup
    /// before has.
    all: bool,
}

/// Whether a case is no larger than this, as a test counts.
type Takes = fn(&Case, usize) -> bool;

impl Setup {
    fn all(test: &'static str, builder: GpuSamplerBuilder, most: usize) -> Self {
        // whatever the number of draws
        Self { test, builder, most, takes: |case, most| work(case) <= most, all: true }
    }

    fn kinds(test: &'static str, builder: GpuSamplerBuilder, most: usize) -> Self {
        Self { all: false, ..Self::all(test, builder, most) }
    }

    fn takes(&self, case: &Case) -> bool {
        (self.takes)(case, self.most)
    }
}

/// Returns all samplers, in the order in which they share out the aspects of plans.
fn setups() -> Vec<Setup> {
    let builder = GpuSampler::builder;
    let planned = |device_kind| builder().tune(|tuning| tuning.with_device_kind(device_kind));
    let plain = |device_kind| {
        planned(device_kind)
            .tune(|tuning| tuning.with_int64(false).with_subgroups(false).with_direct_memory(false))
    };
    let (hardware, emulation) = (DeviceKind::Hardware, DeviceKind::Emulation);
    let mut setups = vec![
        Setup::all("of_every_case", builder(), usize::MAX),
        Setup::all(
            "without_the_filter",
            builder().tune(|tuning| tuning.with_filter(false)),
            300_000,
        ),
        Setup::all("without_features", plain(DeviceKind::Adapter), 100_000),
        Setup::kinds("without_features", plain(hardware), 100_000),
        Setup::kinds("without_features", plain(emulation), 100_000),
    ];
    for device_kind in [hardware, emulation] {
        for workgroup_size in [1, 8, 64] {
            // rows of more than 256 categories are cut, and so is everything else
            let pieces = planned(device_kind)
                .tune(|tuning| tuning.with_workgroup_size(workgroup_size))
                .with_chunk_bytes(1 << 10)
                .tune(|tuning| tuning.with_workgroups(3));
            setups.push(Setup::kinds("in_small_pieces", pieces, 9000));
        }
    }
    // a chunk of 4 KiB, not 1 KiB: a row of thousands of pieces
    let pieces = builder().with_chunk_bytes(1 << 12);
    setups.push(Setup::kinds("in_small_pieces", pieces, 1 << 17));
    // as somebody who measures a device may set them
    let large =
        Teams { team: 128, octets_per_lane: 3, busy_invocations: 1 << 12, ..Teams::HARDWARE };
    let with_large_workgroups = Teams { shared_workgroup: 4, alone_octets: 1, ..large };
    let odd = Teams {
        team: 100,
        shared_workgroup: 0,
        alone_octets: 1 << 30,
        octets_per_lane: 0,
        ..large
    };
    for teams in [large, with_large_workgroups, odd] {
        setups.push(Setup::kinds("in_other_teams", planned(DeviceKind::Teams(teams)), 20_000));
    }
    let test = "as_planned_for_hardware";
    // all values, as a GPU's kernels have bounds that an emulation's do not have
    setups.push(Setup::all(test, planned(hardware), 60_000));
    setups.push(Setup::kinds(test, planned(hardware), 600_000));
    setups.push(Setup::kinds(
        test,
        planned(hardware).tune(|tuning| tuning.with_subgroups(false)),
        100_000,
    ));
    // rows are not cut into parts, and many draws are made from logits held in registers
    setups.push(Setup::kinds(
        test,
        planned(hardware).tune(|tuning| tuning.with_busy_invocations(1)),
        100_000,
    ));
    let test = "as_planned_for_an_emulation";
    setups.push(Setup::kinds(test, planned(emulation), 600_000));
    setups.push(Setup::kinds(
        test,
        planned(emulation).tune(|tuning| tuning.with_subgroups(false)),
        100_000,
    ));
    setups
}

/// Returns the number of logits of a case, whatever the number of draws.
fn work(case: &Case) -> usize {
    case.batch().rows() * case.batch().categories()
}

/// The properties of a device on which plans depend.
type Device<'a> = (wgpu::DeviceType, &'a wgpu::Limits, wgpu::Features);

/// Returns the properties of an adapter that the samplers of this file may use.
fn device_of(adapter: &AdapterReport) -> Device<'_> {
    let features = adapter.features & GpuSampler::FEATURES;
    (adapter.info.device_type, &adapter.limits, features)
}

/// Returns, for each setup, the aspects of plans that the cases it takes have. Each aspect stands with the number of
/// the case, the smallest case first.
fn kinds(device: Device<'_>, setups: &[Setup]) -> Result<Vec<Vec<(usize, PlanKind)>>, Failed> {
    let mut kinds: Vec<_> = setups.iter().map(|_| Vec::new()).collect();
    for (number, case) in conformance::cases().enumerate() {
        for (setup, kinds) in setups.iter().zip(&mut kinds) {
            if setup.takes(&case) {
                let own = setup.builder.plan_kinds(device, case.batch(), &case.options())?;
                kinds.extend(own.into_iter().map(|kind| (number, kind)));
            }
        }
    }
    let work: Vec<_> = conformance::cases().map(|case| work(&case)).collect();
    kinds.iter_mut().for_each(|kinds| kinds.sort_by_key(|(number, _)| (work[*number], *number)));
    Ok(kinds)
}

/// Returns the numbers of the cases that the setups draw which do not draw all. From the smallest case on, a setup
/// draws each case with an aspect that no earlier case or setup has, nor any setup that draws all.
fn chosen(kinds: &[Vec<(usize, PlanKind)>], setups: &[Setup]) -> Vec<HashSet<usize>> {
    let mut covered: HashSet<&PlanKind> = HashSet::new();
    for (_, kinds) in setups.iter().zip(kinds).filter(|(setup, _)| setup.all) {
        covered.extend(kinds.iter().map(|(_, kind)| kind));
    }
    let mut chosen = Vec::new();
    for (setup, kinds) in setups.iter().zip(kinds) {
        let mut own = HashSet::new();
        for of_case in kinds.chunk_by(|(one, _), (other, _)| one == other) {
            let fresh = of_case.iter().any(|(_, kind)| !covered.contains(kind));
            if let Some((number, _)) = of_case.first()
                && fresh
                && !setup.all
            {
                own.insert(*number);
                covered.extend(of_case.iter().map(|(_, kind)| kind));
            }
        }
        chosen.push(own);
    }
    chosen
}

/// Returns, for each of these samplers with the most that it takes, the numbers of the smallest cases that together have
/// all aspects of plans which no sampler before has; see above. Only the first takes formats other than `f32`: the tests
/// above have them with every sampler, and the long tests have all cases. Aspects are those of calls with the host's memory,
/// which tests of batches on the device take as a measure.
pub(crate) fn smallest_of_each_kind(
    adapter: &AdapterReport,
    samplers: &[(GpuSamplerBuilder, usize)],
    takes: Takes,
) -> Result<Vec<HashSet<usize>>, Failed> {
    let setup = |(builder, most): &(GpuSamplerBuilder, usize)| Setup {
        takes,
        ..Setup::kinds("another", builder.clone(), *most)
    };
    let setups: Vec<_> = samplers.iter().map(setup).collect();
    let mut kinds = kinds(device_of(adapter), &setups)?;
    let formats: Vec<_> = conformance::cases().map(|case| case.batch().format()).collect();
    for kinds in kinds.iter_mut().skip(1) {
        kinds.retain(|(number, _)| formats[*number] == ValueFormat::F32);
    }
    Ok(chosen(&kinds, &setups))
}

/// Returns the cases whose draws are wrong.
fn wrong(engine: &Sampler, cases: impl Iterator<Item = Case>) -> Result<Vec<String>, Failed> {
    let mut wrong = Vec::new();
    for case in cases {
        let mismatches = case.mismatches(engine, &case.expected())?;
        if mismatches > 0 {
            wrong.push(format!("{case}: {mismatches} mismatches"));
        }
    }
    Ok(wrong)
}

/// Runs all samplers of this test on the cases that they draw.
fn run(adapter: &AdapterReport, test: &str) -> Result<(), Failed> {
    let setups = setups();
    let chosen = if setups.iter().all(|setup| setup.test != test || setup.all) {
        setups.iter().map(|_| HashSet::new()).collect()
    } else {
        chosen(&kinds(device_of(adapter), &setups)?, &setups)
    };
    let mut seen = Vec::new();
    for (setup, chosen) in setups.iter().zip(&chosen).filter(|(setup, _)| setup.test == test) {
        let passing = conformance::cases()
            .enumerate()
            .filter(|(number, case)| chosen.contains(number) || setup.all && setup.takes(case));
        let engine = Sampler::from(sampler(adapter, setup.builder.clone())?);
        seen.extend(wrong(&engine, passing.map(|(_, case)| case))?);
    }
    ensure(seen.is_empty(), || seen.join("\n"))
}

/// After a loop that the invocations of a subgroup left one by one, a device may keep them apart.
fn in_split_subgroups(adapter: &AdapterReport) -> Result<(), Failed> {
    let setups: Vec<_> = [DeviceKind::Hardware, DeviceKind::Emulation]
        .into_iter()
        .map(|device_kind| {
            let builder = GpuSampler::builder().tune(|tuning| tuning.with_device_kind(device_kind));
            Setup::kinds("in_split_subgroups", builder, 100_000)
        })
        .collect();
    let mut kinds = kinds(device_of(adapter), &setups)?;
    kinds.iter_mut().for_each(|kinds| kinds.retain(|(_, kind)| kind.has_subgroups()));
    let mut seen = Vec::new();
    for (setup, chosen) in setups.iter().zip(chosen(&kinds, &setups)) {
        let builder = setup.builder.clone().with_shader_edit(split_subgroups);
        let engine = Sampler::from(sampler(adapter, builder)?);
        let cases = conformance::cases().enumerate().filter(|(n, _)| chosen.contains(n));
        seen.extend(wrong(&engine, cases.map(|(_, case)| case))?);
    }
    ensure(seen.is_empty(), || seen.join("\n"))
}

/// Tests that need no adapter.
pub(crate) fn of_no_adapter() -> Vec<Trial> {
    vec![
        Trial::test("conformance::every_kind_of_plan_is_drawn", every_kind_of_plan_is_drawn),
        Trial::test("conformance::a_case_left_out_is_seen", a_case_left_out_is_seen),
    ]
}

/// Returns devices that differ in the properties on which plans depend.
fn devices(limits: &wgpu::Limits) -> [Device<'_>; 3] {
    use wgpu::DeviceType::{Cpu, DiscreteGpu, IntegratedGpu};
    let some = wgpu::Features::SUBGROUP | wgpu::Features::SHADER_INT64;
    [
        (Cpu, limits, GpuSampler::FEATURES),
        (DiscreteGpu, limits, some),
        (IntegratedGpu, limits, some),
    ]
}

/// Returns how many of the aspects that the setups have for the cases they take are not drawn, and how many are.
fn left_out(
    kinds: &[Vec<(usize, PlanKind)>],
    setups: &[Setup],
    chosen: &[HashSet<usize>],
) -> (usize, usize) {
    let all: HashSet<_> = kinds.iter().flatten().map(|(_, kind)| kind).collect();
    let mut drawn = HashSet::new();
    for ((setup, kinds), chosen) in setups.iter().zip(kinds).zip(chosen) {
        let own = kinds.iter().filter(|(number, _)| setup.all || chosen.contains(number));
        drawn.extend(own.map(|(_, kind)| kind));
    }
    (all.difference(&drawn).count(), drawn.len())
}

fn every_kind_of_plan_is_drawn() -> Result<(), Failed> {
    let (limits, setups) = (wgpu::Limits::default(), setups());
    for device in devices(&limits) {
        let kinds = kinds(device, &setups)?;
        let chosen = chosen(&kinds, &setups);
        let (missing, drawn) = left_out(&kinds, &setups, &chosen);
        let calls: usize = kinds.iter().map(Vec::len).sum();
        let cases: usize = chosen.iter().map(HashSet::len).sum();
        println!("{:?}: {drawn} kinds in {calls} calls, {cases} chosen", device.0);
        ensure(missing == 0, || format!("{:?}: {missing} kinds are not drawn", device.0))?;
        ensure(drawn > 100, || format!("{:?}: {drawn} kinds are too few", device.0))?;
    }
    Ok(())
}

/// Most of the chosen cases have an aspect that no other case has, so leaving one out is noticed.
fn a_case_left_out_is_seen() -> Result<(), Failed> {
    let (limits, setups) = (wgpu::Limits::default(), setups());
    let kinds = kinds(devices(&limits)[0], &setups)?;
    let chosen = chosen(&kinds, &setups);
    let (mut seen, mut all) = (0, 0);
    for (setup, numbers) in chosen.iter().enumerate() {
        for number in numbers {
            let mut fewer = chosen.clone();
            fewer[setup].remove(number);
            let (missing, _) = left_out(&kinds, &setups, &fewer);
            seen += usize::from(missing > 0);
            all += 1;
        }
    }
    ensure(seen * 2 > all && all > 20, || format!("{seen} of {all} cases are missed"))
}
