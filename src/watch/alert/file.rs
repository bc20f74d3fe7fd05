//! Alerts as lines at the end of a file.
//!
//! The file is opened for each line, so that it may be renamed away at any time, and the line is on the disk before
//! the alert counts as delivered.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{Channel, Delivering, reason};
use crate::domain::alert::{Alert, Delivery, record};
use crate::domain::time::Timestamp;

/// Appends records to one file.
pub struct File {
    path: PathBuf,
}

impl File {
    /// Appends to `path`, which is made where it is missing.
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

impl Channel for File {
    fn deliver<'a>(&'a self, alert: &'a Alert, _: Timestamp) -> Delivering<'a> {
        let (path, line) = (self.path.clone(), record(alert).to_string());
        Box::pin(async move {
            let appended = tokio::task::spawn_blocking(move || append(&path, &line)).await;
            match appended {
                Ok(Ok(())) => Delivery::Delivered,
                Ok(Err(error)) => {
                    Delivery::retry(reason(&format!("{}: {error}", self.path.display())))
                }
                Err(_) => Delivery::retry(format!("{}: interrupted", self.path.display())),
            }
        })
    }
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    // To open a FIFO would wait for a reader.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(std::io::Error::other("is no regular file"));
    }
    // What a set of TLP amber names is not for everybody on this machine.
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).mode(0o600).open(path)?;
    let mut text = String::with_capacity(line.len() + 2);
    // A line that a full disk or a crash cut short must not swallow this one.
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            text.push('\n');
        }
    }
    text.push_str(line);
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
