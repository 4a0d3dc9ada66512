//! The header of a .npy file, which has the same length whatever the number of rows is.

/// The most digits of a number of rows.
const MOST_DIGITS: usize = 20;

/// A header without the number of rows.
pub(super) struct Header {
    descr: &'static str,
    others: String,
}

impl Header {
    /// A header of arrays of shape (rows, others...).
    pub(super) fn new(descr: &'static str, others: &[u64]) -> Self {
        let others: Vec<String> = others.iter().map(|n| format!(" {n}")).collect();
        Self { descr, others: others.join(",") }
    }

    /// The header for this number of rows; where it is not known, one to be written over.
    pub(super) fn bytes(&self, rows: Option<u64>) -> Vec<u8> {
        let Self { descr, others } = self;
        let rows = rows.unwrap_or(0).to_string();
        let text =
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({rows},{others}), }}");
        // 6 bytes of magic, 2 of the version, 2 of the length and a line feed
        let most = text.len() - rows.len() + MOST_DIGITS;
        let length = (11 + most).next_multiple_of(64) - 10;
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((length as u16).to_le_bytes());
        bytes.extend(text.bytes());
        bytes.resize(10 + length - 1, b' ');
        bytes.push(b'\n');
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_rows_takes_as_many_bytes() {
        for others in [&[][..], &[3], &[3, 5]] {
            let header = Header::new("<u4", others);
            let none = header.bytes(None);
            for rows in [0, 1, 1_000_000, 1 << 60] {
                let bytes = header.bytes(Some(rows));
                assert_eq!(bytes.len(), none.len());
                assert_eq!(bytes.len() % 64, 0);
                let npy = npyz::NpyHeader::from_reader(&bytes[..]).unwrap();
                assert_eq!(npy.shape(), [&[rows], others].concat());
            }
        }
    }
}
