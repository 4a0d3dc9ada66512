//! The formats, and how they are told apart: by their first bytes, on files and pipes alike.

use std::fmt;
use std::str::FromStr;

/// A format of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// One array of NumPy's.
    Npy,
    /// A ZIP archive of NumPy's arrays.
    Npz,
    /// Named tensors.
    Safetensors,
    /// Arrow's IPC format: a file (Feather) or a stream.
    Arrow,
    /// Parquet.
    Parquet,
    /// Numbers in text, a row a line.
    Text,
}

/// The formats, and what the command line calls them.
const NAMES: [(Format, &str); 6] = [
    (Format::Npy, "npy"),
    (Format::Npz, "npz"),
    (Format::Safetensors, "safetensors"),
    (Format::Arrow, "arrow"),
    (Format::Parquet, "parquet"),
    (Format::Text, "csv"),
];
/// Other names of formats.
const OTHER_NAMES: [(Format, &str); 5] = [
    (Format::Arrow, "feather"),
    (Format::Arrow, "ipc"),
    (Format::Text, "text"),
    (Format::Text, "txt"),
    (Format::Text, "tsv"),
];
/// The number of bytes by which formats are told.
pub(crate) const MAGIC: usize = 16;
/// The longest header of a safetensors file, as its format defines it.
pub(crate) const MAX_SAFETENSORS_HEADER: u64 = 100_000_000;
/// What is refused, with the way to something that is read.
const OTHERS: [(&[u8], &str); 8] = [
    (
        b"\x89HDF\r\n\x1a\n",
        "it is HDF5; in Python, numpy.save(\"FILE.npy\", dataset) writes what is read",
    ),
    (b"\x1f\x8b", "it is compressed with gzip: zcat FILE | gumbel ... -"),
    (b"\x28\xb5\x2f\xfd", "it is compressed with zstd: zstdcat FILE | gumbel ... -"),
    (b"BZh", "it is compressed with bzip2: bzcat FILE | gumbel ... -"),
    (b"\xfd7zXZ\0", "it is compressed with xz: xzcat FILE | gumbel ... -"),
    (
        b"FEA1",
        "it is Feather version 1; pyarrow.feather.write_feather writes version 2, which is read",
    ),
    (b"\x80\x02", "it is a pickle, which can run programs; numpy.save writes what is read"),
    (b"ORC", "it is ORC; pyarrow writes Parquet, which is read"),
];

impl Format {
    /// The names of all formats, as the command line has them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|&(_, name)| name)
    }

    /// The format's name in a sentence.
    pub(crate) fn with_article(self) -> &'static str {
        match self {
            Self::Npy => "a .npy file",
            Self::Npz => "an .npz file",
            Self::Safetensors => "a safetensors file",
            Self::Arrow => "an Arrow file or stream",
            Self::Parquet => "a Parquet file",
            Self::Text => "a text of numbers",
        }
    }

    /// Tells the format by the first bytes, up to [`MAGIC`] of them. Fails with what they are instead.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self, String> {
        if bytes.is_empty() {
            return Err("it is empty".to_owned());
        }
        let starts = |with: &[u8]| bytes.starts_with(with);
        // cut off in its first bytes it is still a bad file of its format
        let is = |magic: &[u8]| starts(magic) || magic.starts_with(bytes);
        if is(b"\x93NUMPY") {
            return Ok(Self::Npy);
        }
        if is(b"PK\x03\x04") || starts(b"PK\x05\x06") {
            return Ok(Self::Npz);
        }
        if is(b"PAR1") {
            return Ok(Self::Parquet);
        }
        if is(b"ARROW1") || is(&[0xff; 4]) {
            return Ok(Self::Arrow);
        }
        if let Some((length, after)) = bytes.split_first_chunk()
            && u64::from_le_bytes(*length) <= MAX_SAFETENSORS_HEADER
            && after.first() == Some(&b'{')
        {
            return Ok(Self::Safetensors);
        }
        if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| starts(magic)) {
            return Err((*what).to_owned());
        }
        let is_text = |&byte: &u8| byte >= b' ' && byte != 0x7f || byte.is_ascii_whitespace();
        if bytes.iter().all(is_text) || starts(b"\xef\xbb\xbf") {
            return Ok(Self::Text);
        }
        let names: Vec<_> = Self::names().collect();
        Err(format!(
            "its first bytes are those of no {}; --format says what it is",
            names.join(", ")
        ))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(format, _)| format == self).map_or("", |(_, name)| name);
        f.write_str(name)
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = NAMES.iter().chain(&OTHER_NAMES);
        let lower = text.to_ascii_lowercase();
        all.find(|(_, name)| *name == lower).map(|&(format, _)| format).ok_or_else(|| {
            let names: Vec<_> = Self::names().collect();
            format!("the formats are {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_the_format() {
        let of = |bytes: &[u8]| Format::of_bytes(bytes).map_err(|_| ());
        assert_eq!(of(b"\x93NUMPY\x01\x00"), Ok(Format::Npy));
        assert_eq!(of(b"\x93NU"), Ok(Format::Npy));
        assert_eq!(of(b"PK\x03\x04"), Ok(Format::Npz));
        assert_eq!(of(b"\x40\0\0\0\0\0\0\0{\"a"), Ok(Format::Safetensors));
        assert_eq!(of(b"\xff\xff\xff\xff\x20"), Ok(Format::Arrow));
        assert_eq!(of(b"0.5,1\n"), Ok(Format::Text));
        assert_eq!(of(b"\xef\xbb\xbfa,b"), Ok(Format::Text));
        assert_eq!(of(b"\0\x01\x02"), Err(()));
        assert_eq!(of(b"\x1f\x8b\x08"), Err(()));
        assert_eq!(of(b""), Err(()));
        for name in Format::names() {
            assert_eq!(
                name.parse::<Format>().map(|format| format.to_string()),
                Ok(name.to_owned())
            );
        }
        assert_eq!("Feather".parse(), Ok(Format::Arrow));
        assert!("xls".parse::<Format>().is_err());
    }
}
