//! Which files are opened, created or refused.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::*;
use crate::store::Summary;
use crate::store::migration::{APPLICATION_ID, NEWEST};

fn refusal(path: &Path) -> String {
    Ledger::open(path).unwrap_err().to_string()
}

/// The names in the directory of `path`, in order.
fn names_beside(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path.parent().unwrap()).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_ledger_is_created_with_its_directory_and_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new/deep/ledger.db");
    let mut ledger = Ledger::open(&path).unwrap();
    assert_eq!(ledger.summary().unwrap(), Summary::default());
    assert_eq!(query(&ledger, "PRAGMA user_version"), [NEWEST.to_string()]);
    assert_eq!(query(&ledger, "PRAGMA application_id"), [APPLICATION_ID.to_string()]);
    assert_eq!(query(&ledger, "PRAGMA journal_mode"), ["wal"]);
    assert_eq!(query(&ledger, "PRAGMA synchronous"), ["2"]);
    assert_eq!(query(&ledger, "PRAGMA foreign_keys"), ["1"]);
    assert_eq!(query(&ledger, "PRAGMA busy_timeout"), ["5000"]);
    ledger.begin_scan(&scan("one"), &[]).unwrap();
    drop(ledger);
    assert_eq!(names_beside(&path), ["ledger.db"], "closing folds the log into the file");

    let ledger = Ledger::open(&path).unwrap();
    assert_eq!(ledger.summary().unwrap(), Summary { scans: 1, ..Summary::default() });
    let reader = Ledger::open_read_only(&path).unwrap();
    assert_eq!(reader.summary().unwrap().scans, 1);
}

#[test]
fn an_empty_file_becomes_a_ledger() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    fs::write(&path, b"").unwrap();
    assert!(matches!(Ledger::open_read_only(&path), Err(StoreError::Foreign { .. })));
    assert_eq!(fs::read(&path).unwrap(), b"");
    assert_eq!(Ledger::open(&path).unwrap().summary().unwrap(), Summary::default());
}

#[test]
fn a_newer_ledger_is_refused_and_left_as_it_is() {
    let scratch = Scratch::new();
    scratch.ledger.connection.pragma_update(None, "user_version", NEWEST + 1).unwrap();
    let (path, directory) = (scratch.path(), scratch.directory);
    drop(scratch.ledger);
    let before = fs::read(&path).unwrap();
    let error = Ledger::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Newer { known: NEWEST, .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!(
            "{} was written by a newer certsweep (schema {}; this one knows up to {NEWEST}); \
             update certsweep or use another --store",
            path.display(),
            NEWEST + 1
        )
    );
    assert!(matches!(Ledger::open_read_only(&path), Err(StoreError::Newer { .. })));
    assert!(fs::read(&path).unwrap() == before);
    drop(directory);
}

#[test]
fn the_log_that_a_killed_newer_process_left_is_not_folded_in() {
    let directory = tempfile::tempdir().unwrap();
    let scratch = Scratch::new();
    scratch.ledger.connection.pragma_update(None, "user_version", NEWEST + 1).unwrap();
    let path = directory.path().join("ledger.db");
    for end in ["", "-wal"] {
        let name = format!("ledger.db{end}");
        fs::copy(scratch.directory.path().join(&name), directory.path().join(&name)).unwrap();
    }
    let log = directory.path().join("ledger.db-wal");
    let before = (fs::read(&path).unwrap(), fs::read(&log).unwrap());
    assert!(matches!(Ledger::open(&path), Err(StoreError::Newer { .. })));
    assert!((fs::read(&path).unwrap(), fs::read(&log).unwrap()) == before);
}

#[test]
fn foreign_files_are_refused_and_left_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("foreign");
    let refused = format!(
        "{} is not a certsweep ledger and was left as it is; use another --store",
        path.display()
    );
    for bytes in [&b"no database"[..], b"x", &[0; 511], &[0; 4096], &[b'x'; 9000]] {
        fs::write(&path, bytes).unwrap();
        assert_eq!(refusal(&path), refused);
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    for mode in ["delete", "wal"] {
        fs::remove_file(&path).unwrap();
        let foreign = Connection::open(&path).unwrap();
        foreign.pragma_update(None, "journal_mode", mode).unwrap();
        foreign.execute_batch("CREATE TABLE bookmark (url TEXT)").unwrap();
        drop(foreign);
        let before = fs::read(&path).unwrap();
        assert_eq!(refusal(&path), refused);
        assert!(fs::read(&path).unwrap() == before);
        assert_eq!(names_beside(&path), ["foreign"]);
    }
}

#[test]
fn what_cannot_be_written_is_said_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let error = refusal(directory.path());
    assert!(
        error.starts_with(&format!("cannot write {}: ", directory.path().display())),
        "{error}"
    );
    let file = directory.path().join("file");
    fs::write(&file, b"").unwrap();
    let error = refusal(&file.join("ledger.db"));
    assert!(error.starts_with("cannot create the directory of "), "{error}");
    assert!(matches!(Ledger::open(Path::new(":memory:")), Err(StoreError::NoLog { .. })));
}

#[test]
fn a_ledger_read_only_must_exist_and_is_never_written() {
    let scratch = Scratch::with_scans(&["one"]);
    let absent = scratch.directory.path().join("absent.db");
    assert!(matches!(Ledger::open_read_only(&absent), Err(StoreError::Missing { .. })));
    assert!(!absent.exists());
    let mut reader = Ledger::open_read_only(&scratch.path()).unwrap();
    let error = reader.resume_scan("one", &[]).unwrap_err();
    assert!(matches!(error, StoreError::Unwritable { .. }), "{error:?}");
}

#[test]
fn many_may_create_the_same_ledger_at_once() {
    for _ in 0..5 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.db");
        let start = std::sync::Barrier::new(4);
        let open = || {
            start.wait();
            Ledger::open(&path).map(|ledger| ledger.summary())
        };
        std::thread::scope(|scope| {
            for opened in [0; 4].map(|_| scope.spawn(open)) {
                assert_eq!(opened.join().unwrap().unwrap().unwrap(), Summary::default());
            }
        });
    }
}

#[test]
fn a_ledger_that_another_holds_is_busy() {
    let scratch = Scratch::with_scans(&["one"]);
    let mut other = Ledger::open(&scratch.path()).unwrap();
    other.connection.busy_timeout(Duration::ZERO).unwrap();
    scratch.ledger.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = other.resume_scan("one", &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{} is locked by another process; wait for it or use another --store",
            scratch.path().display()
        )
    );
    scratch.ledger.connection.execute_batch("ROLLBACK").unwrap();
    other.resume_scan("one", &[]).unwrap();
}
