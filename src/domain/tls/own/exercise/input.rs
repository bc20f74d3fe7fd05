//! What a fuzzer made up, taken apart into choices and bytes.

/// The bytes that are left. When none are, every choice is the first one.
#[derive(Clone, Copy)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    /// As many bytes as there are, `count` at most.
    pub(super) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub(super) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    /// A type of records and up to 255 bytes of content; `None` once nothing is left.
    pub(super) fn kind_and_content(&mut self) -> Option<(u8, Vec<u8>)> {
        if self.0.is_empty() {
            return None;
        }
        let kind = self.one_of(&[22, 21, 20, 23, 0, 24]);
        let length = usize::from(self.byte());
        Some((kind, self.take(length).to_vec()))
    }
}
