//! Files of a fuzzer's bytes.

use std::io::Cursor;

use gumbel_io::{Block, Dtype, Format, Header, Kind, Request, open_stream};

/// Reads bytes as a file of a format, in several ways. What is no such file must be an error of one line.
pub fn read(format: Format, bytes: &[u8]) {
    let Some((&how, bytes)) = bytes.split_first() else { return };
    let kind = [Kind::Logits, Kind::Weights, Kind::LogitsOnly][usize::from(how % 3)];
    let is_table = matches!(format, Format::Arrow | Format::Parquet | Format::Text);
    let named = is_table && how & 8 != 0;
    let request = Request {
        kind,
        format: Some(format),
        dtype: (how & 4 != 0).then_some(Dtype::Bf16),
        row_id: named.then(|| "id".to_owned()),
        keep: if named { vec!["key".to_owned()] } else { Vec::new() },
        header: if how & 16 != 0 { Header::Yes } else { Header::Auto },
        ..Request::default()
    };
    let opened = open_stream("it", Box::new(Cursor::new(bytes.to_vec())), &request);
    let mut rows = match opened {
        Ok(rows) => rows,
        Err(error) => return check(&error),
    };
    let mut block = Block::default();
    // rows without categories have no end, and no caller asks for them
    while rows.categories() > 0 {
        match rows.read(1 + usize::from(how >> 5), &mut block) {
            Ok(true) => assert_eq!(block.values.len(), block.rows * rows.categories()),
            Ok(false) => break,
            Err(error) => return check(&error),
        }
    }
}

fn check(error: &gumbel_io::Error) {
    assert!(!error.to_string().is_empty());
}
