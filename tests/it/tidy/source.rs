//! Rust sources, taken apart just far enough to tell code, comments and literals from each other.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One file.
pub(super) struct Source {
    /// Its path from the root of the project, with `/` between the parts.
    pub(super) path: String,
    pub(super) text: String,
    /// The code: comments and the inside of literals are blank, lines stay where they are.
    pub(super) code: String,
    /// The code without what is there for tests only.
    pub(super) shipped: String,
    /// Code and comments; the inside of literals is blank.
    pub(super) prose: String,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let (code, prose) = blanked(text);
        let shipped = without_tests(&code);
        Self { path: path.to_owned(), text: text.to_owned(), code, shipped, prose }
    }

    /// `src/cli/scan/mod.rs:12: what`, for the byte `at` of any of the texts.
    pub(super) fn complain(&self, at: usize, what: &str) -> String {
        format!("{}:{}: {what}", self.path, self.line(at))
    }

    /// The line, from 1, of the byte `at`.
    pub(super) fn line(&self, at: usize) -> usize {
        self.code.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// The room that the file belongs to: `domain` for `src/domain/...`.
    pub(super) fn layer(&self) -> &str {
        let parts: Vec<&str> = self.path.split('/').collect();
        if parts.len() > 2 && parts[0] == "src" { parts[1] } else { "" }
    }

    /// How many names the path of the file's module has after `crate`.
    pub(super) fn depth(&self) -> usize {
        let parts = self.path.split('/').count() - 1;
        if self.path.ends_with("/mod.rs") { parts - 1 } else { parts }
    }

    /// Every place in the code where a function's body is, with the `fn` before it.
    pub(super) fn functions(&self) -> Vec<Range<usize>> {
        let starts = words(&self.shipped, "fn").into_iter();
        starts.filter_map(|start| Some(start..body(&self.shipped, start)?.end)).collect()
    }
}

/// The project's root.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder` of the project, as paths from its root.
pub(super) fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// Every Rust file below `folder`. Of the files that a `#[cfg(test)] mod` stands for, nothing counts
/// as shipped.
pub(super) fn sources(folder: &str) -> Vec<Source> {
    let read = |path: &String| std::fs::read_to_string(root().join(path)).unwrap();
    let paths = files(folder);
    let rust = paths.iter().filter(|path| path.ends_with(".rs"));
    let mut all: Vec<Source> = rust.map(|path| Source::new(path, &read(path))).collect();
    let for_tests: BTreeSet<String> = all.iter().flat_map(test_modules).collect();
    for source in &mut all {
        let mut parents = source.path.match_indices('/').map(|(at, _)| &source.path[..at]);
        let module = source.path.trim_end_matches(".rs");
        if for_tests.contains(module) || parents.any(|parent| for_tests.contains(parent)) {
            source.shipped = source.shipped.chars().map(blank).collect();
        }
    }
    all
}

/// The modules, as paths without `.rs`, that a file declares for tests only.
fn test_modules(source: &Source) -> Vec<String> {
    let folder = match source.path.strip_suffix("/mod.rs") {
        Some(folder) => folder,
        None => source.path.trim_end_matches(".rs"),
    };
    let items = source.code.match_indices("#[cfg(test)]").filter_map(|(at, attribute)| {
        let item = source.code[at + attribute.len()..].trim_start();
        let item = item.strip_prefix("pub(crate) ").unwrap_or(item);
        Some(item.strip_prefix("mod ")?.split_once(';')?.0)
    });
    items.filter(|name| is_name(name)).map(|name| format!("{folder}/{name}")).collect()
}

fn is_name(text: &str) -> bool {
    text.chars().all(is_part_of_name)
}

fn is_part_of_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Every place in `code` where `word` stands as a word of its own.
pub(super) fn words(code: &str, word: &str) -> Vec<usize> {
    let ends_here = |at: usize| {
        let after = code[at + word.len()..].chars().next();
        !word.ends_with(is_part_of_name) || !after.is_some_and(is_part_of_name)
    };
    let begins_here = |at: usize| {
        let before = code[..at].chars().next_back();
        !word.starts_with(is_part_of_name) || !before.is_some_and(is_part_of_name)
    };
    let places = code.match_indices(word).map(|(at, _)| at);
    places.filter(|at| begins_here(*at) && ends_here(*at)).collect()
}

/// The braces of the item that begins at `start`, unless a semicolon ends it.
pub(super) fn body(code: &str, start: usize) -> Option<Range<usize>> {
    let (mut nested, mut open, mut begin) = (0_i32, 0_i32, None);
    for (at, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'(' | b'[' if begin.is_none() => nested += 1,
            b')' | b']' if begin.is_none() => nested -= 1,
            b';' if begin.is_none() && nested == 0 => return None,
            b'{' if nested == 0 || begin.is_some() => {
                open += 1;
                begin.get_or_insert(at);
            }
            b'}' => {
                open -= 1;
                if open <= 0 {
                    return begin.map(|begin| begin..at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

fn blank(character: char) -> char {
    if character == '\n' { '\n' } else { ' ' }
}

/// `code` without the items below `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut kept = code.to_owned();
    for (at, attribute) in code.match_indices("#[cfg(test)]") {
        let start = at + attribute.len();
        if let Some(item) = body(code, start) {
            let gone: String = code[at..item.end].chars().map(blank).collect();
            kept.replace_range(at..item.end, &gone);
        }
    }
    kept
}

/// What a piece of a file is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

/// `text` as code alone, and as code with comments. Every character keeps its place among bytes.
fn blanked(text: &str) -> (String, String) {
    let (mut code, mut prose) = (String::new(), String::new());
    let mut rest = text;
    while !rest.is_empty() {
        let before = text[..text.len() - rest.len()].chars().next_back();
        let (kind, length) = piece(rest, before);
        let (piece, after) = rest.split_at(length);
        for character in piece.chars() {
            let blanks = || blank(character).to_string().repeat(character.len_utf8());
            code += &if kind == Kind::Code { character.to_string() } else { blanks() };
            prose += &if kind == Kind::Literal { blanks() } else { character.to_string() };
        }
        rest = after;
    }
    (code, prose)
}

/// The kind and the length of the piece that `rest`, after the character `before`, begins with.
fn piece(rest: &str, before: Option<char>) -> (Kind, usize) {
    if rest.starts_with("//") {
        return (Kind::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Kind::Comment, block_comment(rest));
    }
    let inside_name = before.is_some_and(is_part_of_name);
    let length = raw_string(rest).filter(|_| !inside_name).or_else(|| quoted(rest));
    match length {
        Some(length) => (Kind::Literal, length),
        None => (Kind::Code, rest.chars().next().map_or(1, char::len_utf8)),
    }
}

/// The length of a comment that may hold others.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    for at in 0..rest.len() {
        if rest.as_bytes()[at..].starts_with(b"/*") {
            depth += 1;
        } else if at > 0 && rest.as_bytes()[..=at].ends_with(b"*/") {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
    }
    rest.len()
}

/// The length of `r"..."`, `r#"..."#` and the like.
fn raw_string(rest: &str) -> Option<usize> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        rest.strip_prefix(prefix).is_some_and(|rest| rest.trim_start_matches('#').starts_with('"'))
    })?;
    let hashes = rest[prefix.len()..].chars().take_while(|character| *character == '#').count();
    let begin = prefix.len() + hashes + 1;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(rest[begin..].find(&end).map_or(rest.len(), |at| begin + at + end.len()))
}

/// The length of `"..."` or `'x'`; a lifetime is none.
fn quoted(rest: &str) -> Option<usize> {
    let quote = rest.chars().next().filter(|character| matches!(character, '"' | '\''))?;
    let mut characters = rest.char_indices().skip(1);
    let mut inside = 0;
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => {
                characters.next();
                inside = 0;
            }
            _ if character == quote => return Some(at + 1),
            _ if quote == '\'' && inside == 1 && !rest[1..].starts_with('\\') => return None,
            _ => {}
        }
        inside += 1;
    }
    None
}
