//! Complaints about text that people wrote: where, what, and what to do.

use std::fmt;

/// One complaint about a file. Prints on one line: `acme.toml:7:12: unknown key 'inlcude'; …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file's name, as the person gave it.
    pub file: String,
    /// Line and column, both counted from 1, columns in characters; `None` for the file as a whole.
    pub at: Option<(usize, usize)>,
    /// What is wrong, what was expected, and what to do.
    pub message: String,
}

impl Diagnostic {
    /// A complaint about byte `offset` of `text`, the content of `file`.
    pub fn at(file: &str, text: &str, offset: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), at: Some(position(text, offset)), message: message.into() }
    }

    /// A complaint about `file` as a whole.
    pub fn whole(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), at: None, message: message.into() }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for Diagnostic {}

/// Line and column, from 1, of byte `offset` in `text`.
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// `; did you mean 'x'?` for the candidate nearest to `word`, or the list of all where none is near.
pub fn hint(word: &str, candidates: &[&str]) -> String {
    match nearest(word, candidates) {
        Some(candidate) => format!("; did you mean '{candidate}'?"),
        None => format!("; known: {}", candidates.join(", ")),
    }
}

/// The candidate that `word` is most likely a misspelling of, if any is near enough.
pub fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    candidates
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), *candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 3)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let text = "name = \"é\"\nbad\n";
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, text.find('"').unwrap() + 3), (1, 10));
        assert_eq!(position(text, text.find("bad").unwrap()), (2, 1));
        assert_eq!(position(text, 10_000), (3, 1));
    }

    #[test]
    fn near_words_are_suggested_and_far_ones_listed() {
        let keys = ["include", "exclude", "ports"];
        assert_eq!(hint("inlcude", &keys), "; did you mean 'include'?");
        assert_eq!(hint("colour", &keys), "; known: include, exclude, ports");
    }
}
