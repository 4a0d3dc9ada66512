//! What a budget holds.

use gumbel_isa::budget::{Budget, Figure};

const TEXT: &str = "\
# radv Mesa 25
chip,int64,what,figure,value
navi31,with,256 x 128256,units a logit,63.44
navi31,with,stream 64,spilled registers,0
";

fn figure(what: &str, figure: &str, value: f64) -> Figure {
    Figure { of: ["navi31", "with", what, figure].map(str::to_string), value }
}

#[test]
fn a_fifth_above_is_allowed_and_more_is_a_fault() {
    let budget = Budget::parse(TEXT).unwrap();
    assert_eq!(budget.text(), TEXT);
    let faults = |units, spilled| {
        budget.faults(&[
            figure("256 x 128256", "units a logit", units),
            figure("stream 64", "spilled registers", spilled),
        ])
    };
    assert!(faults(63.44, 0.0).is_empty());
    assert!(faults(76.12, 0.0).is_empty());
    assert_eq!(faults(76.14, 0.0).len(), 1);
    assert_eq!(
        faults(40.0, 1.0),
        ["navi31, with, stream 64, spilled registers: 1, more than 0.00 (a fifth above 0)"]
    );
}

#[test]
fn what_is_new_and_what_is_gone_are_faults() {
    let budget = Budget::parse(TEXT).unwrap();
    let faults = budget.faults(&[
        figure("stream 64", "spilled registers", 0.0),
        figure("queue 64", "spilled registers", 0.0),
    ]);
    assert_eq!(faults.len(), 2);
    assert!(faults[0].contains("queue 64") && faults[0].contains("no budget"));
    assert!(faults[1].contains("256 x 128256") && faults[1].contains("no figure of today"));
}

#[test]
fn a_budget_that_has_become_loose_is_told() {
    let budget = Budget::parse(TEXT).unwrap();
    assert_eq!(budget.loose(&[figure("256 x 128256", "units a logit", 60.0)]), 0);
    assert_eq!(budget.loose(&[figure("256 x 128256", "units a logit", 40.0)]), 1);
}

#[test]
fn a_file_that_is_none_says_what_was_expected() {
    let error = |text| Budget::parse(text).unwrap_err().to_string();
    assert!(error("chip\n").contains("begins with"));
    assert!(error("# radv\nx\n").contains("chip,int64,what,figure,value"));
    assert!(error("# radv\nchip,int64,what,figure,value\na,b,c\n").contains("five cells"));
    assert!(error("# radv\nchip,int64,what,figure,value\na,b,c,d,e\n").contains("no number"));
}
