//! What serde saves is read as it was, and what breaks a rule of its type is refused.

mod decoding;

use std::fmt::Debug;

use gumbel::noise::philox::philox4x32_10;
use gumbel::{
    Allowed, Bias, CpuSampler, History, LogProbsOf, Logits, Method, NO_DRAW, OwnedOptions, Penalty,
    Relaxation, SampleOptions, ScoredDraws, Sequence, Shard, ShardDraws, ShardSums, Share, TopK,
    Truncation, Winner,
};
use serde::de::DeserializeOwned;
use serde::de::value::{Error as ValueError, MapDeserializer};
use serde::{Deserialize, Serialize};

/// Compares a value with what JSON and postcard, a format that is not for humans, read of it. `Debug` compares NaNs too.
#[expect(clippy::unwrap_used, reason = "what was written can be read")]
fn round_trip<T: Serialize + DeserializeOwned + Debug>(value: &T) -> String {
    let text = serde_json::to_string(value).unwrap();
    let read: T = serde_json::from_str(&text).unwrap();
    assert_eq!(format!("{read:?}"), format!("{value:?}"), "{text}");
    let bytes = postcard::to_allocvec(value).unwrap();
    let read: T = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(format!("{read:?}"), format!("{value:?}"), "{bytes:?}");
    text
}

/// Asserts that no value is read from this JSON, for a reason that begins with these words.
#[expect(clippy::expect_used, reason = "the caller gives JSON that is refused")]
fn refused<T: DeserializeOwned + Debug>(text: &str, why: &str) {
    let error = serde_json::from_str::<T>(text).expect_err(text).to_string();
    assert!(error.starts_with(why), "{text}: {error}");
}

/// Random words.
fn words(n: u32) -> impl Iterator<Item = u32> {
    (0..n.div_ceil(4)).flat_map(|i| philox4x32_10([i, 0, 0, 0], [7, 8])).take(n as usize)
}

#[test]
fn options() {
    let ids = [u64::MAX, 0, 1 << 53 | 1];
    let plain = SampleOptions::default();
    let full = plain
        .with_seed(u64::MAX)
        .with_first_draw(5)
        .with_draws((1 << 31) - 5)
        .with_temperature(0.1)
        .with_method(Method::InverseCdf)
        .with_sentinels(true);
    let own = full
        .with_draws(1)
        .with_seeds(&[u64::MAX, 1 << 53 | 1])
        .with_temperatures(&[0.1, 0.0])
        .with_first_draws(&[7, 1 << 30])
        .with_row_indices(&[3, u32::MAX]);
    let nucleus = Truncation::new().with_top_p(0.1).with_at_temperature(0.3).with_share(Share::All);
    let truncations = [nucleus, Truncation::new().with_top_k(7).with_min_p(1e-6)];
    let restricted = own
        .with_truncation(nucleus.with_epsilon(0.3))
        .with_truncations(&truncations)
        .with_log_probs_of(LogProbsOf::Allowed)
        .with_allowed(Allowed::each(&[1, u32::MAX, 0, 7], 2));
    let shared = plain.with_allowed(Allowed::shared(&[9]));
    let ids_given = full.with_row_ids(&ids);
    let numbered = full.with_first_row(u64::MAX);
    let penalties = [Penalty::new(), Penalty::new().with_repetition(1.1).with_presence(-0.1)];
    let adjusted = plain
        .with_bias(Bias::each(&[0, 1, 3], &[7, 0, u32::MAX], &[f32::NEG_INFINITY, 0.1, -0.0]))
        .with_history(History::each(&[0, 0, 1], &[9], &[u32::MAX]))
        .with_penalty(penalties[1].with_frequency(1e-3))
        .with_penalties(&penalties);
    let biased = plain.with_bias(Bias::shared(&[1], &[2.5]));
    let all = [plain, full, numbered, ids_given, own, restricted, shared, adjusted, biased];
    for options in all {
        let owned = OwnedOptions::from(options);
        assert_eq!(owned.options(), options);
        let text = round_trip(&owned);
        assert_eq!(serde_json::to_string(&options).unwrap(), text);
        let read: OwnedOptions = serde_json::from_str(&text).unwrap();
        assert_eq!(read.options(), options);
    }
    assert_eq!(
        serde_json::to_string(&full.with_row_ids(&ids[1..])).unwrap(),
        r#"{"seed":18446744073709551615,"row_ids":{"each":[0,9007199254740993]},"first_draw":5,"draws":2147483643,"temperature":0.1,"method":"inverse-cdf","sentinels":true,"seeds":null,"temperatures":null,"first_draws":null,"row_indices":null,"truncation":{"top_k":null,"top_p":null,"min_p":null,"epsilon":null,"at_temperature":null,"share":"top-k"},"truncations":null,"allowed":null,"bias":null,"penalty":{"repetition":1.0,"frequency":0.0,"presence":0.0},"penalties":null,"history":null,"log_probs_of":"kept"}"#
    );
    let text = r#"{"row_ids":{"consecutive":7}}"#;
    let read: OwnedOptions = serde_json::from_str(text).unwrap();
    assert_eq!(read.options(), plain.with_first_row(7));
    assert_eq!(serde_json::from_str::<OwnedOptions>("{}").unwrap().options(), plain);
    for (text, message) in [
        (r#"{"temperatures":[1, -1]}"#, "row 1: the temperature must be"),
        (
            r#"{"first_draw":1,"first_draws":[2147483646, 2147483647]}"#,
            "row 1: 1 draws from number 2147483648",
        ),
        (r#"{"truncation":{"top_p":0}}"#, "top-p must be above 0"),
        (r#"{"truncations":[{"top_k":0}]}"#, "top-k must be 1 or more"),
        (r#"{"penalty":{"repetition":0}}"#, "a repetition penalty must be"),
        (r#"{"bias":{"offsets":[],"categories":[3],"values":["NaN"]}}"#, "row 0: a bias must be"),
        (
            r#"{"bias":{"offsets":[0,1],"categories":[3],"values":["NaN"]}}"#,
            "row 0: a bias must be",
        ),
    ] {
        let error = serde_json::from_str::<OwnedOptions>(text).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

/// All temperatures that a call takes are read as the same bits: 0 of either sign, the least, the largest and 10⁵ between.
#[test]
fn temperatures_are_exact() {
    let (least, largest) = (2f32.powi(-100).to_bits(), 2f32.powi(100).to_bits());
    let some = words(100_000).map(|word| least + word % (largest - least));
    let edges = [0, 1 << 31, least, least + 1, largest - 1, largest];
    for bits in edges.into_iter().chain(some) {
        let options = SampleOptions::default().with_temperature(f32::from_bits(bits));
        let text = serde_json::to_string(&options).unwrap();
        let read: OwnedOptions = serde_json::from_str(&text).unwrap();
        assert_eq!(read.options().temperature.to_bits(), bits, "{text}");
    }
}

#[test]
fn invalid_options() {
    let refused = refused::<OwnedOptions>;
    let temperature = "the temperature must be 0 (greedy) or from 7.888609e-31 to 1.2676506e30";
    for text in ["-0.5", "1e-40", "1e31"] {
        refused(&format!("{{\"temperature\":{text}}}"), temperature);
    }
    refused(r#"{"temperature":1e300}"#, "number out of range");
    refused(r#"{"temperature":null}"#, "invalid type: null");
    refused(r#"{"draws":0}"#, "no draws were asked for");
    refused(r#"{"draws":2147483648,"first_draw":1}"#, "2147483648 draws from number 1 on");
    refused(r#"{"draws":4294967296}"#, "invalid value: integer `4294967296`");
    refused(r#"{"seed":-1}"#, "invalid value: integer `-1`");
    refused(r#"{"method":"cdf"}"#, "unknown variant `cdf`, expected one of `gumbel`");
    refused(r#"{"row_ids":{"from":1}}"#, "unknown variant `from`");
    refused(r#"{"row_ids":{"each":[1.5]}}"#, "invalid type: floating point");
    refused(r#"{"temprature":1}"#, "unknown field `temprature`, expected one of `seed`");
    // a format that has NaNs
    for (bad, message) in [(f32::NAN, "got NaN"), (f32::INFINITY, "got inf")] {
        let fields = MapDeserializer::<_, ValueError>::new([("temperature", bad)].into_iter());
        let error = OwnedOptions::deserialize(fields).unwrap_err().to_string();
        assert!(error.ends_with(message), "{error}");
        let fields = MapDeserializer::<_, ValueError>::new([("tau", bad)].into_iter());
        assert!(Relaxation::deserialize(fields).is_err());
    }
}

#[test]
fn methods_have_their_names() {
    for &method in Method::ALL {
        assert_eq!(round_trip(&method), format!("\"{method}\""));
    }
}

#[test]
fn relaxations() {
    for tau in [2f32.powi(-100), 0.1, 2f32.powi(100)] {
        round_trip(&Relaxation::soft(tau));
        round_trip(&Relaxation::straight_through(tau));
    }
    refused::<Relaxation>(r#"{"tau":0,"hard":true}"#, "tau must be from 7.888609e-31");
    refused::<Relaxation>(r#"{"tau":-1,"hard":true}"#, "tau must be from 7.888609e-31");
    refused::<Relaxation>(r#"{"tau":1}"#, "missing field `hard`");
    refused::<Relaxation>(r#"{"tau":1,"hard":true,"soft":false}"#, "unknown field `soft`");
}

/// A sequence goes on where it was saved.
#[test]
fn sequences() {
    let mut sequence = Sequence::new(u64::MAX);
    let options = SampleOptions::default().with_draws(17);
    sequence.take(&options).unwrap();
    let text = round_trip(&sequence);
    assert_eq!(text, r#"{"seed":18446744073709551615,"next_draw":17}"#);
    let mut read: Sequence = serde_json::from_str(&text).unwrap();
    assert_eq!(read.take(&options).unwrap(), sequence.take(&options).unwrap());
    round_trip(&Sequence::at(0, 1 << 31).unwrap());
    let beyond = r#"{"seed":0,"next_draw":2147483649}"#;
    refused::<Sequence>(beyond, "1 draws from number 2147483649 on were asked for");
    refused::<Sequence>(r#"{"seed":0}"#, "missing field `next_draw`");
    refused::<Sequence>(r#"{"seed":0,"next_draw":0,"step":0}"#, "unknown field `step`");
}

#[cfg(feature = "rand")]
#[test]
fn generators() {
    use rand::Rng;
    let mut rng = gumbel::PhiloxRng::new(u64::MAX).with_stream(7);
    for _ in 0..20 {
        let text = round_trip(&rng);
        let mut read: gumbel::PhiloxRng = serde_json::from_str(&text).unwrap();
        assert_eq!(rng.next_u32(), read.next_u32());
    }
    refused::<gumbel::PhiloxRng>(r#"{"seed":1,"stream":0}"#, "missing field `word_pos`");
}

/// Four rows, of which one has two categories and one has no draw.
fn logits() -> Vec<f32> {
    let never = f32::NEG_INFINITY;
    let mut data: Vec<f32> = (0..16).map(|i| i as f32 / 3.0).collect();
    data[4..6].fill(never);
    data[9] = f32::NAN;
    data
}

#[expect(clippy::unwrap_used, reason = "the caller gives rows of four")]
fn batch(data: &[f32]) -> (Logits<'_>, SampleOptions<'static>) {
    let options = SampleOptions::default().with_draws(3).with_sentinels(true);
    (Logits::new(data, 4).unwrap(), options)
}

#[test]
fn races() {
    let data = logits();
    let (logits, options) = batch(&data);
    for k in [1, 3, 4, 9] {
        let top = CpuSampler::new().race_rows(logits, &options, k).unwrap();
        round_trip(&top);
        for winner in (0..12).flat_map(|race| top.race(race)) {
            round_trip(&winner);
        }
    }
    round_trip(&CpuSampler::new().race_rows(Logits::new(&[], 4).unwrap(), &options, 3).unwrap());
}

/// Each of these is one change away from what a race gives.
#[test]
fn invalid_races() {
    let text = |k: usize, categories: &str, keys: &str| {
        format!("{{\"k\":{k},\"categories\":[{categories}],\"keys\":[{keys}]}}")
    };
    let (none, least) = (NO_DRAW.to_string(), i64::MIN.to_string());
    let (categories, keys) = (format!("3,1,{none}"), format!("5,5,{least}"));
    // of two equal keys the lower category comes first
    refused::<TopK>(&text(3, &categories, &keys), "the keys of a race are in descending");
    let categories = format!("1,3,{none}");
    let top: TopK = serde_json::from_str(&text(3, &categories, &keys)).unwrap();
    assert_eq!(top.race(0).count(), 2);

    let shape = "a race has k categories";
    refused::<TopK>(&text(0, "", ""), shape);
    refused::<TopK>(&text(2, &categories, &keys), shape);
    refused::<TopK>(&text(3, &categories, "5,5"), shape);
    refused::<TopK>(&text(3, "1,3,1", "5,4,3"), "the categories of a race differ");
    refused::<TopK>(&text(3, "1,3,0", "5,4,6"), "the keys of a race are in descending order");
    let last = "the entries of a race without a category come last";
    refused::<TopK>(&text(3, &format!("1,{none},3"), &format!("5,{least},4")), last);
    refused::<TopK>(&text(3, &categories, "5,5,4"), last);
    refused::<TopK>(&text(3, "1,3,0", &keys), last);
    refused::<TopK>(&text(1, "-1", "1"), "invalid value: integer `-1`");
    refused::<TopK>(r#"{"k":1,"categories":[0],"keys":[1],"times":[1]}"#, "unknown field `times`");

    let winner = "a winner has a category and a key";
    refused::<Winner>(&format!("{{\"category\":{none},\"key\":1}}"), winner);
    refused::<Winner>(&format!("{{\"category\":1,\"key\":{least}}}"), winner);
}

/// Floats of results are read as the same bits, and a NaN is read as a NaN.
#[test]
fn scores() {
    let data = logits();
    let (logits, options) = batch(&data);
    let scored = CpuSampler::new().sample_rows_scored(logits, &options).unwrap();
    assert!(scored.logsumexps[2].is_nan());
    let text = round_trip(&scored);
    assert!(text.contains("\"NaN\"") && !text.contains("null"), "{text}");

    let (mut many, mut exact) = (scored, 0);
    let half = |words: &[u32]| f64::from_bits(u64::from(words[0]) << 32 | u64::from(words[1]));
    let all: Vec<u32> = words(100_000).collect();
    many.log_probs = all.chunks(2).map(half).filter(|x| x.is_finite()).collect();
    many.draws = vec![0; many.log_probs.len()];
    many.logsumexps = vec![many.log_probs[0]];
    let read: ScoredDraws = serde_json::from_str(&round_trip(&many)).unwrap();
    for (got, expected) in read.log_probs.iter().zip(&many.log_probs) {
        assert_eq!(got.to_bits(), expected.to_bits());
        exact += 1;
    }
    assert!(exact > 40_000);
}

#[test]
fn invalid_scores() {
    let text = |draws: &str, log_probs: &str, logsumexps: &str| {
        format!("{{\"draws\":[{draws}],\"log_probs\":[{log_probs}],\"logsumexps\":[{logsumexps}]}}")
    };
    let none = NO_DRAW.to_string();
    let read = |text: &str| serde_json::from_str::<ScoredDraws>(text);
    let right =
        read(&text(&format!("3,1,{none},{none}"), "-1,-2.5,\"NaN\",\"NaN\"", "4,\"NaN\"")).unwrap();
    assert!(right.log_probs[1] == -2.5 && right.log_probs[3].is_nan());
    read(&text("", "", "")).unwrap();

    let shape = "a row has a logsumexp, and as many draws";
    let refused = refused::<ScoredDraws>;
    refused(&text("3,1", "-1", "4"), shape);
    refused(&text("3,1,2", "-1,-1,-1", "4,4"), shape);
    refused(&text("3,1", "-1,-1", ""), shape);
    refused(&text("", "", "4"), shape);
    let agree = "where there is no draw, and nowhere else, there are NaNs";
    refused(&text("3,1", "-1,\"NaN\"", "4"), agree);
    refused(&text(&format!("3,{none}"), "-1,-1", "4"), agree);
    refused(&text(&format!("3,{none}"), "-1,\"NaN\"", "4"), agree);
    refused(&text("3,1", "-1,-1", "\"NaN\""), agree);
    refused(&text("3", "null", "4"), "invalid type: null, expected a number, \"NaN\"");
    refused(&text("3", "\"nan\"", "4"), "invalid value: string \"nan\", expected a number");
}

#[test]
fn estimates() {
    let data = logits();
    let (logits, options) = batch(&data);
    let estimates = CpuSampler::new().estimate_log_z(logits, &options).unwrap();
    assert!(estimates[2].estimate.is_nan());
    round_trip(&estimates);
    use gumbel::LogZ;
    let why = "an estimate is finite or NaN, and its standard error finite";
    refused::<LogZ>(r#"{"estimate":"inf","standard_error":1}"#, why);
    refused::<LogZ>(r#"{"estimate":1,"standard_error":-1}"#, why);
    refused::<LogZ>(r#"{"estimate":1,"standard_error":"NaN"}"#, "invalid type: string");
    refused::<LogZ>(r#"{"estimate":1}"#, "missing field `standard_error`");
}

/// Results of shards travel between devices.
#[test]
fn shards() {
    let logits = [0.5, f32::NEG_INFINITY, 1.5, 0.5, 2.0, 1.0, f32::NAN, 0.0];
    let (logits, shard) = (Logits::new(&logits, 4).unwrap(), Shard::new(2, 9).unwrap());
    let nucleus = Truncation::new().with_top_k(2).with_top_p(0.5);
    let options = SampleOptions::default().with_truncation(nucleus);
    let draws = CpuSampler::new().sample_shard(logits, shard, &options).unwrap();
    round_trip(&draws);
    let whole = Shard::new(0, 4).unwrap();
    let draws = CpuSampler::new().sample_shard(logits, whole, &options).unwrap();
    round_trip(&CpuSampler::new().sum_shard(logits, whole, &options, &draws).unwrap());
    refused::<ShardDraws>(r#"{"whole":9}"#, "missing field");
    let with = |whole: u64, ends: &str, winners: &str, largest: &str| {
        format!(
            r#"{{"whole":{whole},"ends":{ends},"sentinels":false,"rows":[{{"truncation":{{"top_k":2}},
            "is_invalid":false,"winners":{winners},"largest":{largest}}}]}}"#
        )
    };
    assert!(
        serde_json::from_str::<ShardDraws>(&with(9, "[[0,4],[6,9]]", "[[1,5,3],[2,4,8]]", "[2,1]"))
            .is_ok()
    );
    let (parts, lists) = ("the parts of a row", "winners have rising Ks");
    refused::<ShardDraws>(&with(0, "[]", "[]", "[]"), parts);
    refused::<ShardDraws>(&with(9, "[[0,4],[3,9]]", "[]", "[]"), parts);
    refused::<ShardDraws>(&with(9, "[[0,10]]", "[]", "[]"), parts);
    refused::<ShardDraws>(&with(9, "[[0,9]]", "[[2,5,3],[1,4,8]]", "[]"), lists);
    refused::<ShardDraws>(&with(9, "[[0,9]]", "[[1,4,3],[2,5,8]]", "[]"), lists);
    refused::<ShardDraws>(&with(9, "[[0,9]]", "[]", "[1,2]"), lists);
    refused::<ShardDraws>(&with(9, "[[0,9]]", "[]", "[3,2,1]"), lists);
    refused::<ShardDraws>(&with(9, "[[0,9]]", "[[1,5,9]]", "[]"), "a winner is no category");
    let sums = r#"{"whole":9,"ends":[[0,9]],"rows":[[[5,6,5],[]]]}"#;
    refused::<ShardSums>(sums, "a sum exceeds that of all");
}
