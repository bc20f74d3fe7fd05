//! What is read goes into the ledger: in batches, and file by file.

use std::cell::RefCell;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use crate::cli::exit::Failure;
use crate::domain::collected::{Collected, Place};
use crate::domain::fingerprint::Sha256Fingerprint;
use crate::domain::time::Timestamp;
use crate::store::{Import, Ledger};

/// Certificates that are written down together.
const BATCH: usize = 4_096;

/// Writes what is read into a ledger.
pub(super) struct Keeper {
    ledger: Ledger,
    now: Timestamp,
    batch: Vec<Collected>,
    files: Vec<String>,
    /// Of all that was read of these files.
    hash: Rc<RefCell<Sha256>>,
    /// The vantage and the format of what they hold.
    of: Option<(String, String)>,
    records: u64,
    refused: u64,
}

impl Keeper {
    /// One that writes into the ledger at `path`.
    pub(super) fn open(path: &Path, now: Timestamp) -> Result<Self, Failure> {
        Ok(Self {
            ledger: Ledger::open(path)?,
            now,
            batch: Vec::with_capacity(BATCH),
            files: Vec::new(),
            hash: Rc::default(),
            of: None,
            records: 0,
            refused: 0,
        })
    }

    /// `input`, which is the file `name`, so that what is read of it is known again.
    pub(super) fn reading<R: Read>(&mut self, name: &str, input: R) -> impl Read + use<R> {
        self.files.push(name.to_owned());
        Hashing { input, hash: Rc::clone(&self.hash) }
    }

    /// Takes one certificate.
    pub(super) fn take(&mut self, place: Place<'_>, seen: &Collected) -> Result<(), Failure> {
        let of = (place.vantage, place.format);
        if self
            .of
            .as_ref()
            .is_none_or(|(vantage, format)| (vantage.as_str(), format.as_str()) != of)
        {
            self.write()?;
            self.of = Some((place.vantage.to_owned(), place.format.to_owned()));
        }
        self.records += 1;
        self.batch.push(seen.clone());
        if self.batch.len() == BATCH { self.write() } else { Ok(()) }
    }

    /// A line of which nothing was taken.
    pub(super) const fn refuse(&mut self) {
        self.refused += 1;
    }

    fn write(&mut self) -> Result<(), Failure> {
        if let Some((vantage, _)) = self.of.as_ref().filter(|_| !self.batch.is_empty()) {
            self.ledger.collect(vantage, &self.batch, self.now)?;
            self.batch.clear();
        }
        Ok(())
    }

    /// The files that were begun since the last call are read to their end.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        self.write()?;
        let sha256 =
            Sha256Fingerprint(std::mem::take(&mut *self.hash.borrow_mut()).finalize().into());
        let path = std::mem::take(&mut self.files).join(", ");
        let (records, refused) = (self.records, self.refused);
        (self.records, self.refused) = (0, 0);
        if let Some((vantage, format)) = self.of.take() {
            self.ledger.end_import(&Import {
                path: &path,
                format: &format,
                sha256,
                time: self.now,
                vantage: &vantage,
                records,
                refused,
            })?;
        }
        Ok(())
    }
}

/// Reads, and hashes what is read.
struct Hashing<R> {
    input: R,
    hash: Rc<RefCell<Sha256>>,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.hash.borrow_mut().update(&buffer[..length]);
        Ok(length)
    }
}
