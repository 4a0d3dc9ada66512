//! How the bytes of a chunk are laid out in the ring's buffers. Pure: no device is asked.

/// Sections start at multiples of this, which every device can bind at.
pub(super) const SECTION: u64 = 256;

/// The most sections of an input; some of them are small.
const MOST_SECTIONS: u64 = 6;

/// Returns the most bytes that a chunk may take of anything, so that two sections of so many bytes
/// fit into one buffer of `bytes` bytes, with the small sections and the bytes by which sections
/// are rounded up.
pub(in crate::gpu) fn most_of_a_buffer(bytes: u64) -> u64 {
    bytes.saturating_sub((MOST_SECTIONS + 1) * SECTION) / 2
}

/// The bytes that an operation needs in each section of the ring's three kinds of buffers. An
/// unused section has 0 bytes. A used section is not empty, since a binding cannot be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::gpu) struct Sections {
    /// Memory that the host writes and the device reads.
    pub(in crate::gpu) input: [u64; 6],
    /// Memory that stays on the device. Chunks share it, since the device works on one after the
    /// other.
    pub(in crate::gpu) scratch: [u64; 4],
    /// Memory that the device writes and the host reads.
    pub(in crate::gpu) output: [u64; 2],
}

impl Sections {
    /// Returns sections that suffice for both.
    pub(super) fn joined(mut self, other: Self) -> Self {
        let Self { input, scratch, output } = &mut self;
        let mine = input.iter_mut().chain(scratch).chain(output);
        let others = other.input.iter().chain(&other.scratch).chain(&other.output);
        mine.zip(others).for_each(|(mine, &other)| *mine = other.max(*mine));
        self
    }

    /// The sizes of buffers that hold the sections.
    pub(super) fn sizes(&self) -> Sizes {
        let of = |sections: &[u64]| start(sections, sections.len());
        Sizes { input: of(&self.input), scratch: of(&self.scratch), output: of(&self.output) }
    }

    /// True if a ring with these sections keeps to its bound.
    #[cfg(test)]
    pub(in crate::gpu) fn are_within(&self, chunk_bytes: u64) -> bool {
        Sizes::most(chunk_bytes).suffice(&self.sizes())
    }
}

/// The byte at which a section starts.
pub(super) fn start(sections: &[u64], section: usize) -> u64 {
    sections[..section].iter().map(|bytes| bytes.next_multiple_of(SECTION)).sum()
}

/// The sizes of the ring's buffers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) input: u64,
    pub(super) scratch: u64,
    pub(super) output: u64,
}

impl Sizes {
    /// The largest buffers that the ring keeps for chunks of `chunk_bytes` bytes. A call may need
    /// more: a row of a soft sample or an inverse CDF is never cut.
    pub(super) fn most(chunk_bytes: u64) -> Self {
        let chunks = |count: u64| count * chunk_bytes + (MOST_SECTIONS + 1) * SECTION;
        Self { input: chunks(2), scratch: chunks(2), output: chunks(1) }
    }

    pub(super) fn suffice(&self, other: &Self) -> bool {
        self.input >= other.input && self.scratch >= other.scratch && self.output >= other.output
    }

    /// Returns sizes that suffice for both.
    pub(super) fn joined(self, other: Self) -> Self {
        Self {
            input: self.input.max(other.input),
            scratch: self.scratch.max(other.scratch),
            output: self.output.max(other.output),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_follow_each_other_where_they_can_be_bound() {
        let sections = [88, 8, 1000, 0, 0, 0];
        let starts = [0, 1, 2, 3, 6].map(|section| start(&sections, section));
        assert_eq!(starts, [0, 256, 512, 1536, 1536]);
    }

    #[test]
    fn joined_sections_suffice_for_both() {
        let some =
            Sections { input: [1, 0, 900, 0, 5, 0], scratch: [7, 0, 0, 0], output: [3, 300] };
        let others =
            Sections { input: [1, 80, 2, 0, 0, 7], scratch: [0, 9, 0, 0], output: [400, 3] };
        let both = some.joined(others);
        let expected =
            Sections { input: [1, 80, 900, 0, 5, 7], scratch: [7, 9, 0, 0], output: [400, 300] };
        assert_eq!((both, others.joined(some)), (expected, expected));
        assert!(both.sizes().suffice(&some.sizes()) && both.sizes().suffice(&others.sizes()));
        assert!(!others.sizes().suffice(&some.sizes()));
    }

    #[test]
    fn two_of_the_most_are_in_a_buffer() {
        for bytes in [0, 1 << 10, 256 << 20, (1 << 31) - 1] {
            let most = most_of_a_buffer(bytes);
            let sections = [most, most, 96, 16, 8, 8];
            assert!(most == 0 || start(&sections, 6) <= bytes, "{bytes}");
        }
        assert!(most_of_a_buffer(256 << 20) > (127 << 20));
    }
}
