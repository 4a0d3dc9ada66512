//! Files in the format Parquet: read, or refused.

#![no_main]

use gumbel_fuzz::files::read;
use gumbel_io::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| read(Format::Parquet, bytes));
