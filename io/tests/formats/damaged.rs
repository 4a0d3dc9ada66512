//! Files that are cut off, or have wrong bytes, are read or refused.

use gumbel_io::{Block, Dtype, Header, Kind, Request, open_stream};

use super::path;

/// Every file, cut off at every byte, is an error or has fewer rows, and never ends the process.
#[test]
fn a_file_may_be_cut_off_anywhere() {
    for entry in std::fs::read_dir(path("")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let bytes = std::fs::read(path(&name)).unwrap();
        let request = Request {
            kind: if name.contains("counts") || name.contains("mask") {
                Kind::Weights
            } else {
                Kind::Logits
            },
            dtype: name.contains("bf16.npy").then_some(Dtype::Bf16),
            tensor: (name.contains("stored") || name.contains("deflated"))
                .then(|| "logits".to_owned()),
            header: if name.contains("numbered") { Header::Yes } else { Header::Auto },
            ..Request::default()
        };
        let is_text = [".csv", ".txt", ".tsv", ".py"].iter().any(|end| name.ends_with(end));
        let whole = bytes.len();
        for length in (0..whole).step_by(if whole > 1500 { 61 } else { 17 }) {
            let cut = std::io::Cursor::new(bytes[..length].to_vec());
            let read = open_stream("it", Box::new(cut), &request).and_then(|mut rows| {
                let (mut block, mut all) = (Block::default(), 0);
                while rows.read(6, &mut block)? {
                    all += block.rows;
                }
                Ok(all)
            });
            // a text or a stream may end after any row
            let may_end = is_text || name.ends_with(".arrows");
            assert!(
                read.as_ref().is_err() || may_end,
                "{name} cut to {length} of {whole}: {read:?}"
            );
        }
    }
}

/// Every file with some bytes changed is read or refused, and never ends the process. `GUMBEL_MUTATIONS=10000` tries
/// harder; `scripts/fuzz` does so with more thought.
#[test]
fn a_file_may_have_wrong_bytes() {
    let tries = std::env::var("GUMBEL_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(40);
    let mut state = 1_u64;
    let mut random = move |below: usize| {
        // a linear congruential generator, whose high bits are good enough
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % below.max(1)
    };
    let mut names: Vec<_> = std::fs::read_dir(path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    for name in names {
        let whole = std::fs::read(path(&name)).unwrap();
        for attempt in 0..tries {
            let mut bytes = whole.clone();
            for _ in 0..=random(4) {
                let at = random(bytes.len());
                bytes[at] = [0, 0xff, 0x7f, 0x80, random(256) as u8][random(5)];
            }
            let request = Request {
                kind: [Kind::Logits, Kind::Weights][attempt % 2],
                tensor: (name.contains("stored") || name.contains("deflated"))
                    .then(|| "logits".to_owned()),
                dtype: name.contains("bf16.npy").then_some(Dtype::Bf16),
                ..Request::default()
            };
            let opened = open_stream("it", Box::new(std::io::Cursor::new(bytes)), &request);
            let Ok(mut rows) = opened else { continue };
            let (mut block, mut all) = (Block::default(), 0);
            // a header may announce any number of rows without categories
            while rows.categories() > 0 && all < 1000 && rows.read(7, &mut block).unwrap_or(false) {
                assert_eq!(block.values.len(), block.rows * rows.categories());
                all += block.rows;
            }
        }
    }
}
