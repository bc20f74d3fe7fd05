//! Where observations go while a sweep runs, besides the ledger.

mod csv;
mod jsonl;

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::args::Format;
use super::exit::Failure;
use super::terminal;
use crate::domain::observation::Observation;
use crate::domain::record::Origin;
use crate::domain::scan::{Fault, Scan};
use serde_json::Value;

/// The longest first line that is looked at: an opening record holds a whole scope.
const FIRST_LINE_MAX: u64 = 16 * 1024 * 1024;

/// Bytes that go out together, some thirty records.
const BUFFER: usize = 64 * 1_024;

/// Takes what a run says, in order. What was taken is on its way out after [`Sink::flush`].
pub(super) trait Sink: Send {
    /// The record that opens or closes the run.
    fn scan(&mut self, record: &Value) -> io::Result<()>;

    /// One visit.
    fn observation(&mut self, origin: Origin<'_>, observation: &Observation) -> io::Result<()>;

    /// A target that was not probed because of a fault.
    fn fault(&mut self, origin: Origin<'_>, fault: &Fault) -> io::Result<()>;

    /// Everything taken so far is written.
    fn flush(&mut self) -> io::Result<()>;
}

/// The sink for `format`, if it writes while the sweep runs. A file is made in any case, so that a
/// name that cannot be used is known before the sweep.
pub(super) fn open(
    format: Format,
    output: Option<&Path>,
    resumed: Option<&Scan>,
) -> Result<Option<Box<dyn Sink>>, Failure> {
    if format == Format::Human {
        return output.map_or(Ok(None), |path| file(path, format, resumed).map(|_| None));
    }
    let (out, begun): (Box<dyn Write + Send>, bool) = match output {
        None => (Box::new(io::stdout()), false),
        Some(path) => {
            let (file, begun) = file(path, format, resumed)?;
            (Box::new(file), begun)
        }
    };
    let out = BufWriter::with_capacity(BUFFER, out);
    let watched = output.is_none() && io::stdout().is_terminal();
    Ok(Some(match format {
        Format::Csv => Box::new(csv::Csv::new(out, !begun, watched)),
        Format::Jsonl | Format::Human => Box::new(jsonl::Jsonl::new(out, watched)),
    }))
}

/// A new file at `path`; for a resumed run the one that it wrote before, cut back to its last whole line,
/// and whether anything is in it.
fn file(path: &Path, format: Format, resumed: Option<&Scan>) -> Result<(File, bool), Failure> {
    let failure =
        |error: io::Error| Failure::local(format!("cannot write {}: {error}", path.display()));
    if let Some(scan) = resumed
        && path.exists()
    {
        let mut file = File::options().read(true).write(true).open(path).map_err(failure)?;
        if !is_output_of(&file, format, scan).map_err(failure)? {
            return Err(Failure::usage(format!(
                "{} is not what scan {} wrote before; name another file",
                path.display(),
                scan.id
            )));
        }
        let whole = whole_lines(&mut file).map_err(failure)?;
        file.set_len(whole).map_err(failure)?;
        file.seek(SeekFrom::End(0)).map_err(failure)?;
        return Ok((file, whole > 0));
    }
    File::create_new(path).map(|file| (file, false)).map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            let path = path.display();
            return Failure::usage(format!(
                "{path} is there already; name a new file, or remove it"
            ));
        }
        failure(error)
    })
}

/// Whether `file` is empty, or begins as the output of `scan` in `format` does.
fn is_output_of(file: &File, format: Format, scan: &Scan) -> io::Result<bool> {
    let mut first = Vec::new();
    BufReader::new(file.take(FIRST_LINE_MAX)).read_until(b'\n', &mut first)?;
    let first = String::from_utf8_lossy(&first);
    let torn = !first.ends_with('\n');
    Ok(first.is_empty()
        || match format {
            Format::Jsonl if torn => first.starts_with("{\"type\":\"scan\""),
            Format::Jsonl => first.contains(&format!("\"scan\":\"{}\"", scan.id)),
            Format::Csv => csv::is_header(first.trim_end()),
            // A report begins with how many matches there are.
            Format::Human => {
                first.trim_end().ends_with("match") || first.trim_end().ends_with("matches")
            }
        })
}

/// How many bytes there are up to the last line feed.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    const CHUNK: u64 = 64 * 1024;
    let mut end = file.metadata()?.len();
    while end > 0 {
        let start = end.saturating_sub(CHUNK);
        let mut bytes = vec![0; (end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut bytes)?;
        if let Some(at) = bytes.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// The failure of a sink that writes to `output`.
pub(super) fn failure(output: Option<&Path>, error: &io::Error) -> Failure {
    match output {
        Some(path) => Failure::local(format!("cannot write {}: {error}", path.display())),
        None => terminal::closed(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan() -> Scan {
        use crate::domain::fingerprint::Sha256Fingerprint;
        Scan {
            id: "01JD".to_owned(),
            plan_hash: Sha256Fingerprint::of(b""),
            scope_name: String::new(),
            scope_hash: Sha256Fingerprint::of(b""),
            scope_text: String::new(),
            command_line: Vec::new(),
            seed: 1,
            shard: crate::domain::scan::Shard::WHOLE,
            vantage: String::new(),
            version: String::new(),
            settings: String::new(),
            positions: 1,
            started: crate::domain::time::Timestamp::default(),
        }
    }

    #[test]
    fn a_resumed_file_is_cut_to_whole_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let opening = "{\"type\":\"scan\",\"scan\":\"01JD\"}\n";
        let long = format!("{opening}{}", "y".repeat(200_000));
        let torn = format!("{opening}to");
        for (content, kept) in
            [("", ""), (&opening[..20], ""), (opening, opening), (&torn, opening), (&long, opening)]
        {
            std::fs::write(&path, content).unwrap();
            let (mut file, begun) = file(&path, Format::Jsonl, Some(&scan())).unwrap();
            assert_eq!(begun, !kept.is_empty());
            file.write_all(b"z\n").unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{kept}z\n"));
        }
    }

    #[test]
    fn what_is_somebody_elses_is_never_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        std::fs::write(&path, "precious\nto").unwrap();
        for format in [Format::Human, Format::Jsonl, Format::Csv] {
            let refused = file(&path, format, Some(&scan())).unwrap_err();
            assert!(refused.message.contains("is not what scan 01JD wrote before"));
            let refused = file(&path, format, None).unwrap_err();
            assert!(refused.message.contains("is there already"), "{}", refused.message);
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious\nto");
    }
}
