//! The corpora of the fuzz targets, small enough to be kept and replayed with every `cargo test`.

use std::fs;
use std::path::{Path, PathBuf};

/// Bytes of a file of a corpus at most.
const FILE_LEN_MAX: u64 = 4 * 1024;

/// Bytes of all the files of a corpus at most.
const CORPUS_LEN_MAX: u64 = 40 * 1024;

/// Calls `exercise`, as the fuzz target of this name does, with every file of its corpus.
pub(in crate::domain) fn replay(target: &str, exercise: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10, "{target}: {} files", files.len());
    let mut total = 0;
    for file in files {
        let length = file.metadata().unwrap().len();
        assert!(length <= FILE_LEN_MAX, "{} has {length} bytes", file.display());
        total += length;
        exercise(&fs::read(&file).unwrap());
    }
    assert!(total <= CORPUS_LEN_MAX, "{target}: {total} bytes");
}
