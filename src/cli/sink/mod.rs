//! Where observations go while a sweep runs, besides the ledger.

mod csv;
mod jsonl;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::args::Format;
use super::exit::Failure;
use super::terminal;
use crate::domain::observation::Observation;
use crate::domain::record::Origin;
use serde_json::Value;

/// Takes what a run says, in order. What was taken is on its way out after [`Sink::flush`].
pub(super) trait Sink: Send {
    /// The record that opens or closes the run.
    fn scan(&mut self, record: &Value) -> io::Result<()>;

    /// One visit.
    fn observation(&mut self, origin: Origin<'_>, observation: &Observation) -> io::Result<()>;

    /// Everything taken so far is written.
    fn flush(&mut self) -> io::Result<()>;
}

/// The sink for `format`, if it writes while the sweep runs. A file is made in any case, so that a
/// name that cannot be used is known before the sweep.
pub(super) fn open(
    format: Format,
    output: Option<&Path>,
    resumed: bool,
) -> Result<Option<Box<dyn Sink>>, Failure> {
    if format == Format::Human {
        return output.map_or(Ok(None), |path| file(path, resumed).map(|_| None));
    }
    let (out, begun): (Box<dyn Write + Send>, bool) = match output {
        None => (Box::new(io::stdout()), false),
        Some(path) => {
            let (file, begun) = file(path, resumed)?;
            (Box::new(file), begun)
        }
    };
    let out = BufWriter::new(out);
    Ok(Some(match format {
        Format::Csv => Box::new(csv::Csv::new(out, !begun)),
        Format::Jsonl | Format::Human => Box::new(jsonl::Jsonl::new(out)),
    }))
}

/// A new file at `path`; for a resumed run the old one, cut back to its last whole line, and whether
/// anything is in it.
fn file(path: &Path, resumed: bool) -> Result<(File, bool), Failure> {
    let failure =
        |error: io::Error| Failure::local(format!("cannot write {}: {error}", path.display()));
    if resumed && path.exists() {
        let mut file = File::options().read(true).write(true).open(path).map_err(failure)?;
        let whole = whole_lines(&mut file).map_err(failure)?;
        file.set_len(whole).map_err(failure)?;
        io::Seek::seek(&mut file, io::SeekFrom::End(0)).map_err(failure)?;
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

/// How many bytes there are up to the last line feed.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    use std::io::{Read, Seek, SeekFrom};
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

    #[test]
    fn a_resumed_file_is_cut_to_whole_lines_and_a_new_one_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let long = "y".repeat(200_000);
        for (content, kept) in [
            ("", ""),
            ("torn", ""),
            ("a\nb\n", "a\nb\n"),
            ("a\nto", "a\n"),
            (&format!("a\n{long}"), "a\n"),
        ] {
            std::fs::write(&path, content).unwrap();
            let (mut file, begun) = file(&path, true).unwrap();
            assert_eq!(begun, !kept.is_empty());
            file.write_all(b"z\n").unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{kept}z\n"));
        }
        let refused = super::file(&path, false).unwrap_err();
        assert!(refused.message.contains("is there already"), "{}", refused.message);
    }
}
