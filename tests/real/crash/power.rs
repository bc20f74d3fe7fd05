//! A power cut: what was not synced may be there, or not, or in part. What was told is there all the same.
//!
//! One run of the writer is traced. Then the disk is built as it may be after a cut at each point of the trace: writes that
//! were synced are there, and of the later ones all, none, or some, torn at sectors.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use tempfile::TempDir;

use super::assert_whole;
use super::writer::{BATCHES, command};

/// A disk writes so many bytes whole or not at all.
const SECTOR: usize = 512;

/// Points at which the power is cut, at least.
const POINTS: usize = 200;

/// What the writer did, as far as it matters to the disk.
#[derive(Clone, Debug)]
enum Event {
    Write { file: String, offset: usize, bytes: Vec<u8> },
    Truncate { file: String, length: usize },
    Sync { file: String },
    Remove { file: String },
    Told,
}

/// A file on the disk, and what was written to it since.
#[derive(Clone, Debug, Default)]
struct Contents {
    synced: Vec<u8>,
    /// Whether the disk knows that there is such a file.
    is_known: bool,
    pending: Vec<Event>,
}

/// The events of one undisturbed run, with files by name.
fn traced() -> Vec<Event> {
    let folder = TempDir::new().unwrap();
    let (ledger, trace) = (folder.path().join("ledger.db"), folder.path().join("trace"));
    let wrapper = [
        "strace",
        "-f",
        "-xx",
        "-s",
        "1000000",
        "-e",
        "trace=openat,close,pwrite64,write,fdatasync,fsync,ftruncate,unlink",
        "-o",
        trace.to_str().unwrap(),
    ];
    let ran = command(&wrapper, &ledger).output().expect("strace runs, and may trace");
    assert!(ran.status.success(), "{ran:?}");
    let mut open: HashMap<String, String> = HashMap::new();
    let text = fs::read_to_string(trace).unwrap();
    text.lines().filter_map(|line| event(line, &mut open)).collect()
}

/// One line of the trace: `1234 pwrite64(3, "\x53\x51", 2, 0) = 2`.
fn event(line: &str, open: &mut HashMap<String, String>) -> Option<Event> {
    let call = line.trim_start_matches(|char: char| char.is_ascii_digit() || char == ' ');
    let (name, rest) = call.split_once('(')?;
    // The result stands in a column of its own.
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    if result.starts_with('-') {
        return None;
    }
    let parts: Vec<&str> = arguments.split(", ").collect();
    let file = |open: &HashMap<String, String>| open.get(*parts.first()?).cloned();
    match name {
        "openat" => {
            let path = String::from_utf8(unescaped(parts.get(1)?)?).ok()?;
            let name = path.rsplit('/').next()?;
            let descriptor = result.split_whitespace().next()?.to_owned();
            open.remove(&descriptor);
            // The index beside the log is made anew by whoever comes next.
            if name.starts_with("ledger.db") && !name.ends_with("-shm") && !name.ends_with(".lock")
            {
                open.insert(descriptor, name.to_owned());
            }
            None
        }
        "close" => open.remove(*parts.first()?).and(None),
        "pwrite64" => {
            let (file, bytes) = (file(open)?, unescaped(parts.get(1)?)?);
            Some(Event::Write { file, offset: parts.get(3)?.parse().ok()?, bytes })
        }
        "write" if parts.first() == Some(&"1") => {
            let text = unescaped(parts.get(1)?)?;
            String::from_utf8_lossy(&text).contains("told ").then_some(Event::Told)
        }
        "fdatasync" | "fsync" => Some(Event::Sync { file: file(open)? }),
        "ftruncate" => {
            Some(Event::Truncate { file: file(open)?, length: parts.get(1)?.parse().ok()? })
        }
        "unlink" => {
            let path = String::from_utf8(unescaped(parts.first()?)?).ok()?;
            let name = path.rsplit('/').next()?.to_owned();
            Some(Event::Remove { file: name })
        }
        _ => None,
    }
}

/// `"\x53\x51"` as bytes.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let hex = text.strip_prefix('"')?.strip_suffix('"')?.replace("\\x", "");
    data_encoding::HEXLOWER.decode(hex.as_bytes()).ok()
}

/// Which of the writes that were not synced the disk has.
#[derive(Clone, Copy, Debug)]
enum Survive {
    None,
    All,
    Some(u64),
}

fn mixed(seed: u64, at: u64) -> u64 {
    let mut mixed =
        seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ at.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^= mixed >> 31;
    mixed = mixed.wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 29)
}

/// Puts what survives of `pending` into `bytes`.
fn settle(bytes: &mut Vec<u8>, pending: &[Event], survive: Survive) {
    let mut sector = 0;
    let mut has = || {
        sector += 1;
        match survive {
            Survive::None => false,
            Survive::All => true,
            Survive::Some(seed) => mixed(seed, sector).is_multiple_of(2),
        }
    };
    for event in pending {
        match event {
            Event::Write { offset, bytes: written, .. } => {
                for (at, part) in written.chunks(SECTOR).enumerate() {
                    let begin = offset + at * SECTOR;
                    if has() {
                        if bytes.len() < begin + part.len() {
                            bytes.resize(begin + part.len(), 0);
                        }
                        bytes[begin..begin + part.len()].copy_from_slice(part);
                    }
                }
            }
            Event::Truncate { length, .. } if has() => bytes.resize(*length, 0),
            _ => {}
        }
    }
}

/// The disk after each event.
#[derive(Clone, Debug, Default)]
struct Disk {
    files: BTreeMap<String, Contents>,
    told: u64,
}

impl Disk {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Write { file, .. } | Event::Truncate { file, .. } => {
                self.files.entry(file.clone()).or_default().pending.push(event.clone());
            }
            Event::Sync { file } => {
                let contents = self.files.entry(file.clone()).or_default();
                let pending = std::mem::take(&mut contents.pending);
                settle(&mut contents.synced, &pending, Survive::All);
                contents.is_known = true;
            }
            Event::Remove { file } => drop(self.files.remove(file)),
            Event::Told => self.told += 1,
        }
    }

    /// Writes the files as they may be after a cut now, and looks.
    fn cut(&self, survive: Survive, at: &str) {
        let folder = TempDir::new().unwrap();
        for (name, contents) in &self.files {
            if !contents.is_known && matches!(survive, Survive::None) {
                continue;
            }
            let mut bytes = contents.synced.clone();
            settle(&mut bytes, &contents.pending, survive);
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        let ledger = folder.path().join("ledger.db");
        if ledger.exists() {
            assert_whole(&ledger, self.told, at);
        } else {
            assert_eq!(self.told, 0, "{at}");
        }
    }
}

#[test]
fn a_power_cut_at_two_hundred_points_loses_nothing_that_was_told() {
    let events = traced();
    assert!(events.len() >= POINTS, "only {} events", events.len());
    let (mut disk, mut points) = (Disk::default(), 0);
    for (number, event) in events.iter().enumerate() {
        disk.take(event);
        points += 1;
        let seed = number as u64;
        for survive in [Survive::None, Survive::All, Survive::Some(seed), Survive::Some(!seed)] {
            disk.cut(survive, &format!("cut after event {number}, {survive:?} of the rest"));
        }
    }
    assert!(points >= POINTS && disk.told == BATCHES, "{points} points, {} told", disk.told);
}
