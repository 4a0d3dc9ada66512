//! What is said of rows without a draw, and of drafts that do not fit.

use gumbel::{CpuSampler, Drafts, Logits, NO_DRAW, SampleOptions};

#[test]
fn rows_without_a_draw() {
    let sampler = CpuSampler::new();
    let drafts = Drafts::chains(&[0, 2], &[1, 1]).unwrap();
    let data = [0.0, 9.0, f32::NAN, 0.0, 0.0, 9.0];
    let (target, drafter) = (Logits::new(&data, 2).unwrap(), Logits::new(&[0.0; 4], 2).unwrap());
    let options = SampleOptions::default().with_seed(1);
    let error = sampler.verify_rows(target, &drafts, &options).unwrap_err().to_string();
    assert_eq!(error, "row 1 has no draw: its logit of category 0 is NaN");
    let options = options.with_sentinels(true);
    for verified in [
        sampler.verify_rows(target, &drafts, &options).unwrap(),
        sampler.verify_rows_by_ratio(target, drafter, &drafts, &options).unwrap(),
    ] {
        assert_eq!((verified.categories(0), verified.rows(0)), (&[1, NO_DRAW][..], &[0, 1][..]));
    }
    // no requests, and no drafts
    let none = Drafts::chains(&[0], &[]).unwrap();
    let empty = Logits::new(&[], 2).unwrap();
    assert_eq!(sampler.verify_rows(empty, &none, &options).unwrap().requests(), 0);
    let one = Drafts::chains(&[0, 0], &[]).unwrap();
    let row = Logits::new(&[0.0, 9.0], 2).unwrap();
    let verified = sampler.verify_rows_by_ratio(row, empty, &one, &options).unwrap();
    assert_eq!((verified.categories(0), verified.accepted(0)), (&[1][..], 0));
}

#[test]
fn errors() {
    let sampler = CpuSampler::new();
    let of = |offsets: &[usize], tokens: &[u32]| {
        Drafts::chains(offsets, tokens).unwrap_err().to_string()
    };
    assert_eq!(of(&[], &[]), "drafts: there must be an offset more than there are requests, got 0");
    assert_eq!(of(&[0, 2, 1], &[1]), "drafts: request 1 begins at 2 and ends at 1");
    let ends = "drafts: the offsets must go from 0 to 2, got";
    assert_eq!(of(&[0, 1], &[1, 1]), format!("{ends} 0 to 1"));
    let tree =
        |parents: &[u32]| Drafts::trees(&[0, 1, 3], &[1, 1, 0], parents).unwrap_err().to_string();
    assert_eq!(tree(&[0]), "drafts: 3 drafts need as many parents, got 1");
    assert_eq!(tree(&[0, 0, 2]), "drafts: draft 1 of request 1 must come after row 0 to 1, got 2");
    let drafts = Drafts::chains(&[0, 1], &[1]).unwrap();
    let few = drafts.per_row(&[1, 2]).unwrap_err().to_string();
    assert_eq!(few, "drafts: 1 requests need as many elements, got 2");
    assert!(drafts.first_draws(&[u32::MAX]).is_err());

    let options = SampleOptions::default();
    let verify = |drafts: &Drafts<'_>, rows: usize, options: &SampleOptions<'_>| {
        let data = vec![0.0; 2 * rows];
        let target = Logits::new(&data, 2).unwrap();
        sampler.verify_rows(target, drafts, options).unwrap_err().to_string()
    };
    let rows = "drafts: 1 drafts of 1 requests need 2 rows of the target, got";
    assert_eq!(verify(&drafts, 3, &options), format!("{rows} 3"));
    let draws = "drafts: a row is drawn from once, got 2 draws";
    assert_eq!(verify(&drafts, 2, &options.with_draws(2)), draws);
    let beyond = Drafts::chains(&[0, 1], &[2]).unwrap();
    let words = "drafts: draft 0 of request 0 is category 2 of rows of 2, numbered from 0";
    assert_eq!(verify(&beyond, 2, &options), words);

    let by_ratio = |drafts: &Drafts<'_>, drafter: &[f32], options: &SampleOptions<'_>| {
        let target = Logits::new(&[0.0; 4], 2).unwrap();
        let drafter = Logits::new(drafter, 2).unwrap();
        sampler.verify_rows_by_ratio(target, drafter, drafts, options).unwrap_err().to_string()
    };
    let few = "drafts: 1 drafts need as many rows of the drafter, got 2";
    assert_eq!(by_ratio(&drafts, &[0.0; 4], &options), few);
    let gathered = "drafts: rows that are verified by ratio cannot be gathered";
    assert_eq!(by_ratio(&drafts, &[0.0; 2], &options.with_row_indices(&[0, 1])), gathered);
    let cannot =
        "drafts: draft 0 of request 0, category 1, cannot be drawn from the drafter's row for it";
    assert_eq!(by_ratio(&drafts, &[0.0, f32::NEG_INFINITY], &options), cannot);
    assert_eq!(by_ratio(&drafts, &[f32::NAN, 0.0], &options), cannot);
    let trees = Drafts::trees(&[0, 2], &[1, 0], &[0, 0]).unwrap();
    let target = Logits::new(&[0.0; 6], 2).unwrap();
    let drafter = Logits::new(&[0.0; 4], 2).unwrap();
    let error = sampler.verify_rows_by_ratio(target, drafter, &trees, &options).unwrap_err();
    assert_eq!(error.to_string(), "drafts: the ratio test is of chains, not of trees");
}
