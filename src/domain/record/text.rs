//! JSON written straight into a text: for records that are written by the million, where a tree of values for each
//! would cost more than all else.

use std::fmt::{self, Write as _};

use data_encoding::{BASE64, Encoding, HEXLOWER};

/// JSON that grows at its end. What is appended is whole values and the punctuation between them; order and
/// balance are the caller's.
#[derive(Debug, Default)]
pub(super) struct Json(pub(super) String);

impl Json {
    /// Appends `text` as it is: punctuation, keys, and words that need no escape.
    pub(super) fn raw(&mut self, text: &str) {
        self.0.push_str(text);
    }

    /// Appends the word `text`, which needs no escape.
    pub(super) fn word(&mut self, text: &str) {
        self.0.push('"');
        self.0.push_str(text);
        self.0.push('"');
    }

    /// Appends the string `text`, escaped.
    pub(super) fn string(&mut self, text: &str) {
        if !text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
            return self.word(text);
        }
        self.0.push('"');
        for character in text.chars() {
            match character {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                '\t' => self.0.push_str("\\t"),
                '\u{8}' => self.0.push_str("\\b"),
                '\u{c}' => self.0.push_str("\\f"),
                '\0'..='\u{1f}' => {
                    let _ = write!(self.0, "\\u{:04x}", u32::from(character));
                }
                _ => self.0.push(character),
            }
        }
        self.0.push('"');
    }

    /// Appends the string that `shown` prints, which needs no escape.
    pub(super) fn shown(&mut self, shown: impl fmt::Display) {
        let _ = write!(self.0, "\"{shown}\"");
    }

    /// Appends `number`.
    pub(super) fn number(&mut self, number: impl Into<u64>) {
        let _ = write!(self.0, "{}", number.into());
    }

    /// Appends `true` or `false`.
    pub(super) fn truth(&mut self, truth: bool) {
        self.raw(if truth { "true" } else { "false" });
    }

    /// Appends `bytes` as a string of lower-case hex.
    pub(super) fn hex(&mut self, bytes: &[u8]) {
        self.encoded(&HEXLOWER, bytes);
    }

    /// Appends `bytes` as a string of base64 (RFC 4648, section 4).
    pub(super) fn base64(&mut self, bytes: &[u8]) {
        self.encoded(&BASE64, bytes);
    }

    fn encoded(&mut self, encoding: &Encoding, bytes: &[u8]) {
        self.0.push('"');
        encoding.encode_append(bytes, &mut self.0);
        self.0.push('"');
    }

    /// Appends what `write` does of `value`, or `null` where there is none.
    pub(super) fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => write(self, value),
            None => self.raw("null"),
        }
    }

    /// Appends the array of what `write` does of each of `items`.
    pub(super) fn array<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.0.push('[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.0.push(',');
            }
            write(self, item);
        }
        self.0.push(']');
    }
}
