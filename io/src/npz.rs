//! .npz files: ZIP archives of .npy files, stored or deflated.

use std::io::{self, BufReader, Read};

use flate2::{Crc, read::DeflateDecoder};
use zip::{CompressionMethod, ZipArchive};

use crate::error::{Error, Name};
use crate::format::Format;
use crate::source::{Section, Source};
use crate::{Request, Rows, npy};

/// What the directory of an archive says about an array.
struct Member {
    index: usize,
    name: String,
}

/// Opens an array of an archive.
pub(crate) fn open(name: Name, source: Source, request: &Request) -> Result<Box<dyn Rows>, Error> {
    // an archive's directory is at its end
    let section = source.into_section(&name)?;
    let bad = |error: zip::result::ZipError| name.malformed(Format::Npz, error.to_string());
    let mut archive = ZipArchive::new(BufReader::new(section.reader())).map_err(bad)?;
    let members: Vec<Member> = archive
        .file_names()
        .enumerate()
        .filter_map(|(index, file)| {
            Some(Member { index, name: file.ok()?.strip_suffix(".npy")?.to_owned() })
        })
        .collect();
    let member =
        choose(&members, request.tensor.as_deref()).map_err(|what| name.unsuitable(what))?;
    let file = archive.by_index_raw(member.index).map_err(bad)?;
    if file.encrypted() {
        return Err(name.unsuitable(format!("its array '{}' is encrypted", member.name)));
    }
    let what = || format!("the place of its array '{}' is not known", member.name);
    let start = file.data_start().ok_or_else(|| name.malformed(Format::Npz, what()))?;
    let (size, packed) = (file.size(), file.compressed_size());
    let data = section.from(start);
    if data.length() < packed {
        let got = data.length();
        return Err(Error::Truncated { name: name.0, expected: packed, got });
    }
    let data = data.first(packed);
    let source = match file.compression() {
        CompressionMethod::Stored => Source::Section(data),
        #[expect(
            deprecated,
            reason = "the crate keeps the name for readers that inflate by themselves"
        )]
        CompressionMethod::Unsupported(8) => inflated(&data, file.crc32(), size),
        method if method.to_string().eq_ignore_ascii_case("deflated") => {
            inflated(&data, file.crc32(), size)
        }
        method => {
            let what = format!(
                "its array '{}' is compressed with {method}; numpy.savez_compressed deflates, which is read",
                member.name
            );
            return Err(name.unsuitable(what));
        }
    };
    let inner = Name(format!("{}:{}", name.0, member.name).into());
    npy::open(inner, source, request)
}

/// Chooses an array by its name, or the only one.
fn choose<'a>(members: &'a [Member], wanted: Option<&str>) -> Result<&'a Member, String> {
    let names = || members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>().join(", ");
    match (wanted, members) {
        (Some(wanted), _) => members
            .iter()
            .find(|member| member.name == wanted)
            .ok_or_else(|| format!("it has no array '{wanted}'; its arrays are: {}", names())),
        (None, []) => Err("it is a ZIP archive without a .npy file in it".to_owned()),
        (None, [only]) => Ok(only),
        (None, _) => {
            Err(format!("it has several arrays, of which FILE.npz:NAME takes one: {}", names()))
        }
    }
}

fn inflated(data: &Section, crc: u32, size: u64) -> Source {
    let inner = DeflateDecoder::new(BufReader::with_capacity(1 << 16, data.reader()));
    Source::Stream(Box::new(Checked { inner, crc: Crc::new(), wanted: crc, left: size }))
}

/// A reader that checks the length and the sum of what it reads.
struct Checked<R> {
    inner: R,
    crc: Crc,
    wanted: u32,
    left: u64,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let invalid = |what| Err(io::Error::new(io::ErrorKind::InvalidData, what));
        self.crc.update(&buffer[..count]);
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => {
                return invalid("its deflated data are longer than the archive's directory says");
            }
        }
        if count == 0 && !buffer.is_empty() && self.left == 0 && self.crc.sum() != self.wanted {
            return invalid(
                "its deflated data do not have the sum (CRC-32) of the archive's directory",
            );
        }
        Ok(count)
    }
}
