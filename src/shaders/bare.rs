//! WGSL without comments and indentation, made when the crate is compiled: for WebAssembly, where every byte is loaded by
//! a page.

/// The number of bytes that are left of a text.
pub(super) const fn length(text: &str) -> usize {
    write(text, &mut [])
}

/// The bytes that are left of a text; `LENGTH` is the text's [`length`].
pub(super) const fn bytes<const LENGTH: usize>(text: &str) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    write(text, &mut bytes);
    bytes
}

/// Writes what is left of a text, as far as there is memory, and returns how many bytes that are. (WGSL has no strings, so
/// that two slashes always begin a comment.)
const fn write(text: &str, to: &mut [u8]) -> usize {
    let text = text.as_bytes();
    let (mut at, mut written, mut begins) = (0, 0, true);
    while at < text.len() {
        let byte = text[at];
        if byte == b'/' && at + 1 < text.len() && text[at + 1] == b'/' {
            while at < text.len() && text[at] != b'\n' {
                at += 1;
            }
            continue;
        }
        at += 1;
        // of lines that are empty nothing is left
        if begins && (byte == b' ' || byte == b'\n') {
            continue;
        }
        begins = byte == b'\n';
        if written < to.len() {
            to[written] = byte;
        }
        written += 1;
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_indentation_are_left_out() {
        const TEXT: &str = "// a comment\n\n    let x = 1u; // why, ⌊x⌋\n\tlet y = x / 2u;\n}//";
        const LENGTH: usize = length(TEXT);
        let bare = bytes::<LENGTH>(TEXT);
        assert_eq!(std::str::from_utf8(&bare), Ok("let x = 1u; \n\tlet y = x / 2u;\n}"));
    }

    #[test]
    fn the_shaders_stay_the_same_programs() {
        let words = |text: &str| {
            let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
            lines.flat_map(str::split_whitespace).map(str::to_owned).collect::<Vec<_>>()
        };
        for text in [
            include_str!("../../shaders/kernel/race.wgsl"),
            include_str!("../../shaders/groups.wgsl"),
        ] {
            let mut bare = vec![0; length(text)];
            assert_eq!(write(text, &mut bare), bare.len());
            let bare = String::from_utf8(bare).unwrap();
            assert_eq!(words(&bare), words(text));
            assert!(!bare.contains("//") && bare.len() < text.len());
        }
    }
}
