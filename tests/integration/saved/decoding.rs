//! Cuts, verified drafts and schemes of resampling, saved.

use gumbel::{
    CpuSampler, Cut, Drafts, Logits, NO_DRAW, Resampling, SampleOptions, Truncation, Verified,
};

use super::{batch, logits, refused, round_trip};

#[test]
fn cuts() {
    let data = logits();
    let (logits, options) = batch(&data);
    let options = options.with_truncation(Truncation::new().with_top_p(0.4));
    let cuts = CpuSampler::new().cut_rows(logits, &options).unwrap();
    assert!(cuts[2].is_none() && !cuts[1].is_none());
    round_trip(&cuts);
    let why = "a cut has a finite threshold";
    let text = |threshold: &str, kept: u32, share: &str| {
        format!("{{\"threshold\":{threshold},\"kept\":{kept},\"share\":{share}}}")
    };
    assert_eq!(round_trip(&Cut::default()), text("\"NaN\"", 0, "\"NaN\""));
    assert!(serde_json::from_str::<Cut>(&text("-1.5", 3, "1")).is_ok());
    for (threshold, kept, share) in [
        ("\"inf\"", 3, "1"),
        ("\"NaN\"", 3, "1"),
        ("1", 0, "1"),
        ("1", 3, "0"),
        ("1", 3, "1.5"),
        ("1", 3, "\"NaN\""),
        ("\"NaN\"", 0, "1"),
        ("1", 0, "\"NaN\""),
    ] {
        refused::<Cut>(&text(threshold, kept, share), why);
    }
    refused::<Cut>(r#"{"threshold":1,"kept":3}"#, "missing field `share`");
    refused::<Cut>(r#"{"threshold":1,"kept":3,"share":1,"k":3}"#, "unknown field `k`");
}

#[test]
fn verified_drafts() {
    // of the second request no row has a draw
    let data = [[0.0, 9.0], [9.0, 0.0], [f32::NAN, 0.0], [0.0, 0.0], [0.0, 9.0]].concat();
    let target = Logits::new(&data, 2).unwrap();
    let greedy = SampleOptions::default().with_temperature(0.0).with_sentinels(true);
    let drafts = Drafts::chains(&[0, 1, 2, 2], &[1, 0]).unwrap();
    let verified = CpuSampler::new().verify_rows(target, &drafts, &greedy).unwrap();
    assert_eq!([verified.accepted(0), verified.accepted(1)], [1, 0]);
    let text =
        format!(r#"{{"offsets":[0,2,3,4],"categories":[1,0,{NO_DRAW},1],"rows":[0,1,0,0]}}"#);
    assert_eq!(round_trip(&verified), text);
    let none = Drafts::chains(&[0], &[]).unwrap();
    let none = CpuSampler::new().verify_rows(Logits::new(&[], 2).unwrap(), &none, &greedy).unwrap();
    round_trip(&none);
    let text = |offsets: &str, categories: &str, rows: &str| {
        format!("{{\"offsets\":[{offsets}],\"categories\":[{categories}],\"rows\":[{rows}]}}")
    };
    let refused = |offsets, categories, rows, why| {
        refused::<Verified>(&text(offsets, categories, rows), why);
    };
    let offsets = "offsets go from 0 to the number of categories";
    refused("", "", "", offsets);
    refused("1,2", "5,6", "0,1", offsets);
    refused("0,1", "5,6", "0,1", offsets);
    refused("0,2", "5,6", "0", offsets);
    refused("0,1,1,2", "5,6", "0,0", "a request has a category or more");
    refused("0,3,1,2", "5,6", "0,0", "a request has a category or more");
    refused("0,2", "5,6", "1,2", "the rows of a request begin with 0");
    refused("0,2", "5,6", "0,0", "the rows of a request begin with 0");
    let after = "nothing comes after a row without a draw";
    refused("0,2", &format!("{NO_DRAW},6"), "0,1", after);
}

#[test]
fn schemes_have_their_names() {
    for (scheme, name) in [
        (Resampling::Systematic, "\"systematic\""),
        (Resampling::Stratified, "\"stratified\""),
        (Resampling::Residual, "\"residual\""),
    ] {
        assert_eq!(round_trip(&scheme), name);
    }
    super::refused::<Resampling>("\"Residual\"", "unknown variant `Residual`, expected one of");
}
