//! Certificates that others collected: files of scanners, sensors and search engines, read as streams.
//!
//! One file per format, and one registry that tells them apart by their first bytes or lines. What is read is told
//! at once: memory is bounded by the longest line, but for the join of Zeek's logs, which has a bound of its own. A
//! line that is wrong is told with its place, and the others are read all the same.

mod censys;
mod der;
mod facts;
mod json;
mod lines;
mod masscan;
mod own;
mod pem;
mod shodan;
mod suricata;
#[cfg(test)]
mod tests;
mod tlsx;
mod zeek;
mod zgrab2;

use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use crate::domain::collected::Collected;
use crate::domain::diagnostic::Diagnostic;

/// Bytes that are read together.
const BUFFER: usize = 64 << 10;

/// JSON objects of no known form after which a file is given up.
const UNKNOWN_MAX: usize = 16;

/// The longest part of a line that is looked for to say where it stands.
const NEAR_MAX: usize = 256;

/// A format that collected certificates come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Certificates in PEM form, with any text between them.
    Pem,
    /// One certificate in DER form.
    Der,
    /// The JSON Lines of this program.
    Own,
    /// JSON Lines of zgrab2.
    Zgrab2,
    /// JSON Lines of tlsx.
    Tlsx,
    /// JSON, newline-delimited JSON or lists of masscan.
    Masscan,
    /// `x509.log` and `ssl.log` of Zeek, tab-separated or JSON.
    Zeek,
    /// `eve.json` of Suricata.
    Suricata,
    /// JSON Lines of hosts of Censys.
    Censys,
    /// JSON Lines of banners of Shodan.
    Shodan,
}

impl Format {
    /// Every format, with the word for it.
    pub const WORDS: [(&'static str, Self); 10] = [
        ("pem", Self::Pem),
        ("der", Self::Der),
        ("own", Self::Own),
        ("zgrab2", Self::Zgrab2),
        ("tlsx", Self::Tlsx),
        ("masscan", Self::Masscan),
        ("zeek", Self::Zeek),
        ("suricata", Self::Suricata),
        ("censys", Self::Censys),
        ("shodan", Self::Shodan),
    ];

    /// The word for this format.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, format)| *format == self).map_or("", |(word, _)| word)
    }
}

/// What reading tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// A certificate.
    Collected {
        /// The file, as it was named.
        file: Arc<str>,
        /// Its line, from 1.
        line: usize,
        /// What the file is.
        format: Format,
        /// What stands there.
        collected: Collected,
    },
    /// A line that could not be read: nothing of it was told.
    Refused(Diagnostic),
    /// A line that was read, and in which something is wrong.
    Doubted(Diagnostic),
}

/// Takes what is told; breaks off where nothing more is wanted.
pub type Tell<'a> = dyn FnMut(Told) -> ControlFlow<()> + 'a;

/// A form of JSON objects, one a line.
struct Form {
    format: Format,
    /// Whether an object is of this form.
    claims: fn(&Value) -> bool,
    /// What an object of this form holds.
    read: fn(&Value) -> Result<Found, Wrong>,
}

/// Every form, the particular ones before the general.
static FORMS: [Form; 8] = [
    own::FORM,
    suricata::FORM,
    shodan::FORM,
    censys::FORM,
    tlsx::FORM,
    masscan::FORM,
    zgrab2::FORM,
    zeek::FORM,
];

/// What a line holds.
#[derive(Debug, Default)]
struct Found {
    entries: Vec<Collected>,
    /// What is wrong with it all the same.
    doubts: Vec<Wrong>,
    /// The line that it began in, where that was an earlier one.
    line: Option<usize>,
}

/// What is wrong with a line, and where.
#[derive(Debug, PartialEq, Eq)]
struct Wrong {
    /// The part of the line that it is about; empty for the whole.
    near: String,
    /// The character, from 0, where that is known.
    at: Option<usize>,
    message: String,
}

impl Wrong {
    fn of(near: &str, message: impl Into<String>) -> Self {
        let near = near.chars().take(NEAR_MAX).collect();
        Self { near, at: None, message: message.into() }
    }

    fn at(at: usize, message: impl Into<String>) -> Self {
        Self { near: String::new(), at: Some(at), message: message.into() }
    }

    /// The complaint about `line`, which is number `number` of `file`.
    fn placed(self, file: &str, number: usize, line: &str) -> Diagnostic {
        // A whole text of JSON rather than a part of another one.
        let quoted = line.find(&format!("\"{}\"", self.near)).map(|at| at + 1);
        let near = quoted.or_else(|| line.find(&self.near)).filter(|_| !self.near.is_empty());
        let near = near.and_then(|at| line.get(..at));
        let at = self.at.or_else(|| near.map(|before| before.chars().count())).unwrap_or_default();
        Diagnostic { file: file.to_owned(), at: Some((number, at + 1)), message: self.message }
    }
}

/// What is wrong with an earlier line.
#[derive(Debug, PartialEq, Eq)]
struct Placed {
    line: usize,
    wrong: Wrong,
}

/// Reads files, one after the other.
#[derive(Debug, Default)]
pub struct Reader {
    from: Option<Format>,
    join: Option<zeek::Join>,
}

impl Reader {
    /// A reader of files that are all `from` this format, or of any that can be recognised.
    pub fn new(from: Option<Format>) -> Self {
        Self { from, join: None }
    }

    /// From here on certificates of Zeek's `x509.log` wait for the connections of `ssl.log` that showed them.
    pub fn begin_join(&mut self) {
        self.join = Some(zeek::Join::default());
    }

    /// Tells the certificates that no connection showed.
    pub fn end_join(&mut self, tell: &mut Tell<'_>) -> ControlFlow<()> {
        for waiting in self.join.take().into_iter().flat_map(zeek::Join::rest) {
            let zeek::Waiting { file, line, collected, .. } = waiting;
            tell(Told::Collected { file, line, format: Format::Zeek, collected })?;
        }
        ControlFlow::Continue(())
    }

    /// Reads `input` to its end and tells what it holds; `file` names it. Gzip is unpacked. The result is
    /// whether a format was recognised.
    ///
    /// # Errors
    /// What cannot be read or unpacked; what was told before stands.
    pub fn read(&mut self, file: &str, input: impl Read, tell: &mut Tell<'_>) -> io::Result<bool> {
        let (head, input) = peeked(input)?;
        if head.starts_with(&[0x1f, 0x8b]) {
            let (head, input) = peeked(MultiGzDecoder::new(BufReader::new(input)))?;
            return self.unpacked(file, &head, input, tell);
        }
        self.unpacked(file, &head, input, tell)
    }

    fn unpacked(
        &mut self,
        file: &str,
        head: &[u8],
        input: impl Read,
        tell: &mut Tell<'_>,
    ) -> io::Result<bool> {
        let is_surely_der = self.from == Some(Format::Der);
        let mut pass = Pass {
            file: file.into(),
            number: 1,
            state: State::of(self.from),
            join: &mut self.join,
            unknown: 0,
            tell,
        };
        if is_surely_der || (self.from.is_none() && der::begins(head)) {
            let found = der::read(input, is_surely_der)?;
            let _ = pass.tell(Format::Der, "", found);
            return Ok(true);
        }
        pass.lines(input)
    }
}

/// The first octets of `input`, and all of it.
fn peeked<R: Read>(mut input: R) -> io::Result<(Vec<u8>, impl Read + use<R>)> {
    let mut head = Vec::new();
    input.by_ref().take(4).read_to_end(&mut head)?;
    Ok((head.clone(), io::Cursor::new(head).chain(input)))
}

/// What a file is, as far as it is known.
enum State {
    /// Not yet known; it may only be this one, if any is given.
    Looking(Option<Format>),
    Pem(pem::Reader),
    Json(&'static Form),
    Zeek(zeek::Table),
    MasscanList,
}

impl State {
    fn of(from: Option<Format>) -> Self {
        // Two have forms besides JSON.
        let is_json = |form: &&Form| {
            Some(form.format) == from && !matches!(form.format, Format::Zeek | Format::Masscan)
        };
        match FORMS.iter().find(is_json) {
            Some(form) => Self::Json(form),
            None if from == Some(Format::Pem) => Self::Pem(pem::Reader::default()),
            None => Self::Looking(from),
        }
    }
}

/// One pass over one file.
struct Pass<'a, 'b> {
    file: Arc<str>,
    number: usize,
    state: State,
    join: &'a mut Option<zeek::Join>,
    unknown: usize,
    tell: &'a mut Tell<'b>,
}

impl Pass<'_, '_> {
    fn lines(&mut self, input: impl Read) -> io::Result<bool> {
        let mut input = BufReader::with_capacity(BUFFER, input);
        let mut bytes = Vec::new();
        loop {
            let told = match lines::next(&mut input, &mut bytes)? {
                lines::Next::End => break,
                lines::Next::TooLong => self.refuse("", Wrong::of("", "a line longer than 16 MiB")),
                lines::Next::Line => self.bytes(&bytes),
            };
            if told.is_break() {
                return Ok(true);
            }
            if self.unknown >= UNKNOWN_MAX {
                break;
            }
            self.number += 1;
        }
        if let State::Pem(reader) = &mut self.state {
            let ended = reader.end();
            let _ = self.placed(ended);
        }
        Ok(!matches!(self.state, State::Looking(_)))
    }

    fn bytes(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let marked =
            (self.number == 1).then(|| bytes.strip_prefix("\u{feff}".as_bytes())).flatten();
        let bytes = marked.unwrap_or(bytes);
        match std::str::from_utf8(bytes) {
            Ok(line) => self.line(line),
            // What stands around certificates is anybody's text.
            Err(_) if matches!(self.state, State::Pem(_) | State::Looking(_)) => {
                self.line(&String::from_utf8_lossy(bytes))
            }
            Err(error) => {
                let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let at = String::from_utf8_lossy(valid).chars().count();
                self.refuse("", Wrong::at(at, "not UTF-8 text"))
            }
        }
    }

    fn line(&mut self, line: &str) -> ControlFlow<()> {
        if let State::Looking(from) = self.state {
            self.recognise(from, line)?;
        }
        let number = self.number;
        match &mut self.state {
            State::Looking(_) => ControlFlow::Continue(()),
            State::Json(_) => self.json(line),
            State::Pem(reader) => {
                let found = reader.line(number, line);
                self.placed(found)
            }
            State::MasscanList => self.tell(Format::Masscan, line, masscan::list(line)),
            State::Zeek(table) => {
                let join = joining(self.join, &self.file, number, line);
                let found = table.line(line, join);
                self.tell(Format::Zeek, line, found)
            }
        }
    }

    /// Finds out what the file is, if `line` tells.
    fn recognise(&mut self, from: Option<Format>, line: &str) -> ControlFlow<()> {
        let may_be = |format| from.is_none_or(|from| from == format);
        if may_be(Format::Pem) && pem::begins(line) {
            self.state = State::Pem(pem::Reader::default());
        } else if may_be(Format::Zeek) && zeek::begins(line) {
            self.state = State::Zeek(zeek::Table::default());
        } else if may_be(Format::Masscan) && masscan::is_list(line) {
            self.state = State::MasscanList;
        } else if line.trim_start().starts_with(['{', '[']) {
            return self.recognise_json(from, line);
        }
        ControlFlow::Continue(())
    }

    fn recognise_json(&mut self, from: Option<Format>, line: &str) -> ControlFlow<()> {
        let objects = match objects(line) {
            Ok(objects) => objects,
            Err(wrong) => {
                self.unknown += 1;
                return self.refuse(line, wrong);
            }
        };
        let Some(first) = objects.first() else { return ControlFlow::Continue(()) };
        let may_be = |form: &&Form| from.is_none_or(|from| from == form.format);
        match FORMS.iter().filter(may_be).find(|form| (form.claims)(first)) {
            Some(form) => {
                self.state = State::Json(form);
                ControlFlow::Continue(())
            }
            None => {
                self.unknown += 1;
                let known: Vec<&str> =
                    FORMS.iter().filter(may_be).map(|form| form.format.word()).collect();
                let message = format!("a JSON object of no known form ({})", known.join(", "));
                self.refuse(line, Wrong::of("", message))
            }
        }
    }

    fn json(&mut self, line: &str) -> ControlFlow<()> {
        let State::Json(form) = self.state else { return ControlFlow::Continue(()) };
        let objects = match objects(line) {
            Ok(objects) => objects,
            Err(wrong) => return self.refuse(line, wrong),
        };
        for object in &objects {
            let found = match form.format {
                Format::Zeek => {
                    let join = joining(self.join, &self.file, self.number, line);
                    zeek::object_row(object, join)
                }
                _ => (form.read)(object),
            };
            self.tell(form.format, line, found)?;
        }
        ControlFlow::Continue(())
    }

    fn placed(&mut self, found: Result<Found, Placed>) -> ControlFlow<()> {
        match found {
            Ok(found) => self.tell(Format::Pem, "", Ok(found)),
            Err(Placed { line, wrong }) => {
                (self.tell)(Told::Refused(wrong.placed(&self.file, line, "")))
            }
        }
    }

    fn tell(&mut self, format: Format, line: &str, found: Result<Found, Wrong>) -> ControlFlow<()> {
        let found = match found {
            Ok(found) => found,
            Err(wrong) => return self.refuse(line, wrong),
        };
        for doubt in found.doubts {
            (self.tell)(Told::Doubted(doubt.placed(&self.file, self.number, line)))?;
        }
        let number = found.line.unwrap_or(self.number);
        for collected in found.entries {
            let file = Arc::clone(&self.file);
            (self.tell)(Told::Collected { file, line: number, format, collected })?;
        }
        ControlFlow::Continue(())
    }

    fn refuse(&mut self, line: &str, wrong: Wrong) -> ControlFlow<()> {
        (self.tell)(Told::Refused(wrong.placed(&self.file, self.number, line)))
    }
}

/// The join, if there is one, and the line that comes to it.
fn joining<'a>(
    join: &'a mut Option<zeek::Join>,
    file: &'a Arc<str>,
    number: usize,
    line: &str,
) -> Option<zeek::Joining<'a>> {
    join.as_mut().map(|join| zeek::Joining { join, file, line: number, length: line.len() })
}

/// The JSON objects of a line: one, those of an array, or none in the brackets and commas around others.
fn objects(line: &str) -> Result<Vec<Value>, Wrong> {
    let text = line.trim().trim_start_matches(',').trim_end_matches(',');
    if matches!(text, "" | "[" | "]") {
        return Ok(Vec::new());
    }
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(items)) => Ok(items),
        Ok(object @ Value::Object(_)) => Ok(vec![object]),
        Ok(_) => Err(Wrong::of("", "no JSON object; one a line is expected")),
        Err(error) => {
            // serde_json counts lines within this line, which says nothing.
            let message = error.to_string();
            let what = message.split(" at line ").next().unwrap_or_default();
            let before = line.len() - line.trim_start_matches([' ', '\t', ',']).len();
            let bytes = line.get(..before + error.column().saturating_sub(1));
            let at = bytes.map_or(0, |bytes| bytes.chars().count());
            Err(Wrong::at(at, format!("no JSON object ({what}); one a line is expected")))
        }
    }
}
