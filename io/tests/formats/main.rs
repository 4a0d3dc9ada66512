//! Files that numpy, pandas, pyarrow and safetensors wrote (`tests/fixtures/make.py`) have the numbers that were
//! written, as files and as pipes, in blocks of any size; what is refused says why.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail where it stands")]

mod damaged;

use std::path::{Path, PathBuf};

use gumbel_io::{
    Block, Column, Dtype, Error, Format, Header, Kind, Request, Rows, Values, open, open_stream,
};

const ROWS: usize = 20;
const CATEGORIES: usize = 7;

/// The numbers of `make.py`.
fn number(row: usize, category: usize) -> f64 {
    let at = row * CATEGORIES + category;
    if (row, category) == (3, 2) { f64::NEG_INFINITY } else { (at * 37 % 64) as f64 / 16.0 - 2.0 }
}

fn count(row: usize, category: usize) -> f64 {
    ((row * CATEGORIES + category) * 37 % 101) as f64
}

fn id(row: usize) -> u64 {
    (ROWS - 1 - row) as u64 * 1_000_000_007
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn value(values: &Values, at: usize) -> f64 {
    match values {
        Values::F16(values) => values[at].into(),
        Values::Bf16(values) => values[at].into(),
        Values::F32(values) => values[at].into(),
        Values::F64(values) => values[at],
        Values::Counts(values) => values[at].into(),
        _ => panic!("a type that this test does not know"),
    }
}

/// Reads all rows, at most so many at a time, and checks that each has the numbers that it should.
#[track_caller]
fn check(
    mut rows: Box<dyn Rows>,
    most: usize,
    number: fn(usize, usize) -> f64,
    all: usize,
) -> Vec<Block> {
    assert_eq!(rows.categories(), CATEGORIES);
    assert!(rows.rows().is_none_or(|rows| rows == all as u64));
    let (mut blocks, mut block, mut seen) = (Vec::new(), Block::default(), 0);
    while rows.read(most, &mut block).unwrap() {
        assert_eq!(block.first_row, seen as u64);
        assert!((1..=most).contains(&block.rows));
        assert_eq!(block.values.len(), block.rows * CATEGORIES);
        for row in 0..block.rows {
            for category in 0..CATEGORIES {
                let at = row * block.row_stride + category * block.category_stride;
                let (got, want) = (value(&block.values, at), number(seen + row, category));
                assert_eq!(got, want, "row {}, category {category}", seen + row);
            }
        }
        assert!(block.row_ids.as_ref().is_none_or(|ids| ids.len() == block.rows));
        seen += block.rows;
        blocks.push(block.clone());
    }
    assert_eq!((seen, block.rows), (all, 0));
    blocks
}

/// Opens a file as a file and as a pipe.
fn both(name: &str, request: &Request) -> [Result<Box<dyn Rows>, Error>; 2] {
    let bytes = std::fs::File::open(path(name)).unwrap();
    [open(&path(name), request), open_stream("standard input", Box::new(bytes), request)]
}

#[track_caller]
fn reads(name: &str, request: &Request, number: fn(usize, usize) -> f64) -> Values {
    let mut values = Values::F32(Vec::new());
    for most in [1, 3, 8, 1000] {
        for opened in both(name, request) {
            let opened = opened.unwrap_or_else(|error| panic!("{name}: {error}"));
            values = check(opened, most, number, ROWS).swap_remove(0).values;
        }
    }
    values
}

fn weights() -> Request {
    Request { kind: Kind::Weights, ..Request::default() }
}

fn tensor(name: &str) -> Request {
    Request { tensor: Some(name.to_owned()), ..Request::default() }
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn npy_of_every_type_and_order() {
    let default = Request::default();
    for name in ["f2", "f2-big"] {
        let name = format!("{name}.npy");
        assert!(matches!(reads(&name, &default, number), Values::F16(_)));
        assert!(matches!(reads(&name, &weights(), number), Values::F32(_)));
    }
    for name in ["f4", "f4-big", "f4-fortran", "version2", "version3", "python2"] {
        assert!(matches!(reads(&format!("{name}.npy"), &default, number), Values::F32(_)));
    }
    for name in ["f8", "f8-big", "f8-fortran"] {
        assert!(matches!(reads(&format!("{name}.npy"), &default, number), Values::F64(_)));
    }
    let bf16 = Request { dtype: Some(Dtype::Bf16), ..Request::default() };
    assert!(matches!(reads("bf16.npy", &bf16, number), Values::Bf16(_)));
    let bf16 = Request { dtype: Some(Dtype::Bf16), ..weights() };
    assert!(matches!(reads("bf16.npy", &bf16, number), Values::F32(_)));
    for name in ["i1", "u1", "i2", "i4", "u4", "i8", "u8"] {
        let values = reads(&format!("counts-{name}.npy"), &weights(), count);
        assert!(matches!(values, Values::Counts(_)));
    }
    reads("mask.npy", &weights(), |row, category| f64::from(count(row, category) % 3.0 > 0.0));
    check(open(&path("row.npy"), &default).unwrap(), 5, number, 1);
}

#[test]
fn npz_stored_and_deflated() {
    for name in ["stored.npz", "deflated.npz"] {
        reads(name, &tensor("logits"), number);
        reads(name, &Request { kind: Kind::Weights, ..tensor("other") }, count);
        let whole = path(&format!("{name}:logits"));
        check(open(&whole, &Request::default()).unwrap(), 6, number, ROWS);
    }
    reads("single.npz", &Request::default(), number);
    reads("fortran.npz", &Request::default(), number);
}

#[test]
fn safetensors_of_every_type() {
    for (name, request) in [("f4", Request::default()), ("bf16", tensor("logits"))] {
        reads(&format!("{name}.safetensors"), &request, number);
    }
    assert!(matches!(reads("f2.safetensors", &Request::default(), number), Values::F16(_)));
    assert!(matches!(reads("f8.safetensors", &Request::default(), number), Values::F64(_)));
    reads("several.safetensors", &tensor("a"), number);
    reads("several.safetensors", &tensor("b"), |row, category| number(ROWS - 1 - row, category));
    reads("several.safetensors", &Request { kind: Kind::Weights, ..tensor("counts") }, count);
}

#[test]
fn text_as_numpy_and_pandas_write_it() {
    let default = Request::default();
    for name in ["savetxt.txt", "savetxt.csv", "pandas.csv", "pandas.tsv"] {
        assert!(matches!(reads(name, &default, number), Values::F64(_)));
    }
    let single = Request { dtype: Some(Dtype::F32), ..Request::default() };
    assert!(matches!(reads("pandas.csv", &single, number), Values::F32(_)));
    reads("numbered.csv", &Request { header: Header::Yes, ..Request::default() }, number);
    reads(
        "numbered.csv",
        &Request { header: Header::Yes, columns: strings(&["0..6"]), ..Request::default() },
        number,
    );
    with_ids("ids.csv", &["p0..p6"]);
    with_ids("ids.csv", &[]);
}

/// Reads rows with their ids, and with a column that is kept.
#[track_caller]
fn with_ids(name: &str, columns: &[&str]) {
    let request = Request {
        columns: strings(columns),
        row_id: Some("id".to_owned()),
        keep: strings(&["key"]),
        ..Request::default()
    };
    for most in [3, 1000] {
        for opened in both(name, &request) {
            let opened = opened.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(opened.kept(), ["key"]);
            let blocks = check(opened, most, number, ROWS);
            let ids: Vec<u64> =
                blocks.iter().flat_map(|block| block.row_ids.clone().unwrap()).collect();
            assert_eq!(ids, (0..ROWS).map(id).collect::<Vec<_>>());
            let keys: Vec<String> = blocks.iter().flat_map(|block| texts(&block.kept[0])).collect();
            let key = |row: usize| format!("key {row}, \"{}\"", (b'a' + row as u8) as char);
            assert_eq!(keys, (0..ROWS).map(key).collect::<Vec<_>>());
        }
    }
}

fn texts(column: &Column) -> Vec<String> {
    match column {
        Column::Text(texts) => texts.clone(),
        #[cfg(feature = "arrow")]
        Column::Arrow(array) => {
            use arrow_array::cast::AsArray;
            array.as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect()
        }
        _ => panic!("a column that this test does not know"),
    }
}

#[cfg(feature = "arrow")]
#[test]
fn arrow_files_and_streams() {
    let default = Request::default();
    for name in [
        "f4.arrow",
        "stream.arrows",
        "zstd.arrows",
        "lz4.feather",
        "tensor.feather",
        "dictionary.feather",
    ] {
        assert!(matches!(reads(name, &default, number), Values::F32(_)), "{name}");
        with_ids(name, &["logits"]);
    }
    assert!(matches!(reads("f2.arrow", &default, number), Values::F16(_)));
    assert!(matches!(reads("f8.arrow", &default, number), Values::F64(_)));
    assert!(matches!(reads("columns.feather", &default, number), Values::F64(_)));
    let backwards = strings(&["p6", "p5", "p4", "p3", "p2", "p1", "p0"]);
    let request = Request { columns: backwards, ..Request::default() };
    reads("columns.feather", &request, |row, category| number(row, CATEGORIES - 1 - category));
    assert!(matches!(reads("counts.feather", &weights(), count), Values::Counts(_)));
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_of_every_compression() {
    let default = Request::default();
    for name in ["none", "snappy", "zstd", "gzip", "lz4", "fixed"] {
        let name = format!("{name}.parquet");
        assert!(matches!(reads(&name, &default, number), Values::F32(_)), "{name}");
        with_ids(&name, &[]);
    }
    assert!(matches!(reads("f2.parquet", &default, number), Values::F16(_)));
    assert!(matches!(reads("f8.parquet", &default, number), Values::F64(_)));
    assert!(matches!(reads("large.parquet", &default, number), Values::F64(_)));
    reads("pandas.parquet", &default, number);
    reads("counts.parquet", &weights(), count);
}

/// Checks that a file is refused, as a file and as a pipe, when it is opened or when it is read.
#[track_caller]
fn refused(name: &str, request: &Request, why: &str) {
    for opened in both(name, request) {
        let error = opened.and_then(|mut rows| {
            let mut block = Block::default();
            while rows.read(4, &mut block)? {}
            Ok(())
        });
        let said = error.unwrap_err().to_string();
        assert!(said.contains(why), "{said:?} does not contain {why:?}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn what_is_refused_says_why() {
    let default = Request::default();
    refused("bf16.npy", &default, "--dtype bf16");
    refused("mask.npy", &default, "--weights draws from what is true");
    refused("counts-i4.npy", &default, "for weights there is --weights");
    refused(
        "refused-c8.npy",
        &default,
        "its type is '<c8', logits are floats of 16, 32 or 64 bits",
    );
    refused("refused-S.npy", &default, "its type is '|S4'");
    refused("refused-3d.npy", &default, "3 dimensions");
    refused(
        "f4.npy",
        &Request { dtype: Some(Dtype::F64), ..Request::default() },
        "not --dtype f64",
    );
    refused("f4.npy", &tensor("x"), "no names for --tensor");
    refused(
        "f4.npy",
        &Request { row_id: Some("id".to_owned()), ..Request::default() },
        "no columns for --row-id",
    );
    refused(
        "f4.npy",
        &Request { format: Some(Format::Npz), ..Request::default() },
        "is not an .npz file",
    );
    refused(
        "stored.npz",
        &default,
        "several arrays, of which FILE.npz:NAME takes one: logits, other",
    );
    refused("stored.npz", &tensor("x"), "no array 'x'; its arrays are: logits, other");
    refused(
        "several.safetensors",
        &default,
        "--tensor NAME takes one: counts (I64 [20, 7]), a (F32 [20, 7])",
    );
    refused("several.safetensors", &tensor("x"), "no tensor 'x'");
    refused("several.safetensors", &tensor("counts"), "its type is I64");
    refused("refused-index.csv", &default, "pandas writes its index");
    refused("numbered.csv", &default, "--header yes or --header no");
    refused("make.py", &default, "which is no number (line 10)");
    let keys = Request { columns: strings(&["key"]), ..Request::default() };
    refused(
        "ids.csv",
        &keys,
        "row 0: column 'key' has 'key 0, \\\"a\\\"', which is no number (line 2)",
    );
    let ids = Request { row_id: Some("p0".to_owned()), ..Request::default() };
    refused("pandas.csv", &ids, "row 0: column 'p0' has '-2.0', and a row's id is an integer");
    let none = Request { columns: strings(&["q"]), ..Request::default() };
    refused("pandas.csv", &none, "--columns names 'q', and its columns are: p0, p1");
}

#[cfg(feature = "parquet")]
#[test]
fn tables_that_are_refused_say_where() {
    let default = Request::default();
    refused(
        "refused-ragged.parquet",
        &default,
        "row 11: column 'logits' has 5 values, and the rows before 7",
    );
    refused("refused-null.parquet", &default, "row 11: column 'logits' is null");
    refused("refused-hole.parquet", &default, "row 12: category 3 of column 'logits' is null");
    refused("counts.parquet", &default, "none of its columns has logits: w (List(");
    let keys = Request { row_id: Some("key".to_owned()), ..Request::default() };
    refused("f4.arrow", &keys, "--row-id names 'key', a column of Utf8");
    refused("refused-brotli.parquet", &default, "brotli");
    let both = Request { columns: strings(&["logits", "id"]), ..Request::default() };
    refused("f4.arrow", &both, "of lists, and others");
}
