//! The figures as tables, as a file of results, or held against the budget.
//!
//! `scripts/isa` sets up what it needs.

use std::path::PathBuf;
use std::process::ExitCode;

use gumbel_isa::account::Account;
use gumbel_isa::budget::{Budget, figures};
use gumbel_isa::radv::Chip;
use gumbel_isa::report::{self, Report};
use gumbel_isa::workload::{self, FAMILIES, Program, SHAPES, Shape};
use gumbel_isa::{Error, Teams};

const USAGE: &str = "\
usage: gumbel-isa [--teams KEY=NUMBER,...]   prints the tables, of races that are shared in this way;
                                             keys: team, shared-workgroup, alone-octets, octets-per-lane,
                                             busy-invocations
       gumbel-isa --listings FOLDER          writes the kernels' machine code there
       gumbel-isa --write BUDGET PAGE DATE   writes the budget and a page of results
       gumbel-isa --check BUDGET             fails if a figure is a fifth above the budget's";

/// The exit code that says that RADV could not be had.
const NO_RADV: u8 = 3;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // whatever comes later is a fault of the kernels or of this tool
    if let Err(e) = Chip::open(FAMILIES[0].name, true) {
        eprintln!("{e}");
        return ExitCode::from(NO_RADV);
    }
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all is well.
fn run(arguments: &[&str]) -> Result<bool, Error> {
    match *arguments {
        [] => print(Teams::HARDWARE),
        ["--teams", list] => print(teams(list)?),
        ["--listings", folder] => {
            std::fs::create_dir_all(folder)?;
            for build in Report::new(&SHAPES)?.builds {
                for kernel in build.kernels {
                    let int64 = if build.int64 { "int64" } else { "no-int64" };
                    let name = report::name(kernel.variant).replace(", ", "-");
                    let file = format!("{}-{int64}-{name}.txt", build.chip);
                    std::fs::write(PathBuf::from(folder).join(file), kernel.assembly)?;
                }
            }
            Ok(true)
        }
        ["--write", budget, page, date] => {
            let report = Report::new(&SHAPES)?;
            let driver = report.driver.clone();
            std::fs::write(budget, Budget { driver, figures: figures(&report) }.text())?;
            std::fs::write(page, report::page(&report, date))?;
            println!("wrote {budget} and {page}");
            Ok(true)
        }
        ["--check", budget] => check(budget),
        _ => Err(USAGE.into()),
    }
}

fn print(teams: Teams) -> Result<bool, Error> {
    let report = Report::new(&SHAPES.map(|shape| Shape { teams, ..shape }))?;
    let tables = [report::accounts(&report), report::turns(&report), report::kernels(&report)];
    print!("{}\n\n{}", report.driver, tables.join("\n"));
    Ok(true)
}

fn teams(list: &str) -> Result<Teams, Error> {
    let mut teams = Teams::HARDWARE;
    for item in list.split(',') {
        let (key, number) = item.split_once('=').ok_or("KEY=NUMBER was expected in --teams")?;
        let number: usize = number.parse().map_err(|_| format!("{number} is no number"))?;
        match key {
            "team" => teams.team = number as u32,
            "shared-workgroup" => teams.shared_workgroup = number as u32,
            "alone-octets" => teams.alone_octets = number,
            "octets-per-lane" => teams.octets_per_lane = number,
            "busy-invocations" => teams.busy_invocations = number,
            _ => return Err(format!("--teams knows no {key}\n{USAGE}").into()),
        }
    }
    Ok(teams)
}

fn check(file: &str) -> Result<bool, Error> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("{file}: {e}"))?;
    let budget = Budget::parse(&text).map_err(|e| format!("{file}: {e}"))?;
    let report = Report::new(&SHAPES)?;
    let now = figures(&report);
    let faults = budget.faults(&now);
    for fault in &faults {
        println!("{fault}");
    }
    if budget.driver != report.driver {
        println!(
            "isa: skipped, as {file} is of {}, and this is {}: scripts/isa --write",
            budget.driver, report.driver
        );
        return Ok(true);
    }
    if !faults.is_empty() {
        println!("If that is meant, run scripts/isa --write, and commit what it writes.");
        return Ok(false);
    }
    println!("isa: {} figures within a fifth of {file}; {}", now.len(), report.driver);
    let loose = budget.loose(&now);
    if loose > 0 {
        println!("{loose} are more than a fifth below it: scripts/isa --write keeps that");
    }
    seen_to_fail(&budget)
}

/// A kernel whose filter discards nothing must be beyond the budget.
fn seen_to_fail(budget: &Budget) -> Result<bool, Error> {
    const UNFILTERED: u32 = 1;
    let (family, shape) = (FAMILIES[0], Shape { simulated: 4, ..SHAPES[1] });
    let race = Program::new(&Chip::open(family.name, true)?, shape.variant(false, true))?;
    let simulated = workload::simulate(family, shape, false, (&race, None), UNFILTERED)?;
    let units = Account::new(&race, None, &simulated).units_a_logit();
    let of = format!("{} x {}", shape.rows, shape.categories);
    let of = [family.name, "with", &of, "units a logit"].map(str::to_string);
    let wrong = [gumbel_isa::budget::Figure { of, value: units }];
    let seen = budget.faults(&wrong).iter().any(|fault| fault.contains("more than"));
    match seen {
        true => println!("a kernel without its filter is beyond it: {units:.0} units a logit"),
        false => println!(
            "a kernel without its filter takes {units:.0} units a logit, which is not seen"
        ),
    }
    Ok(seen)
}
