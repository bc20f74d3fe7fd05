//! What is remembered of jobs comes back as it was, and a job has one process.

use super::*;
use crate::domain::schedule::{Ended, Remembered, State};

#[test]
fn what_is_remembered_comes_back() {
    let mut scratch = Scratch::with_scans(&["01A"]);
    assert_eq!(scratch.ledger.job("nightly").unwrap(), None);
    let mut job = Remembered::new(Timestamp::from_micros(T0));
    scratch.ledger.remember_job("nightly", &job).unwrap();
    assert_eq!(scratch.ledger.job("nightly").unwrap().as_ref(), Some(&job));
    let later = Timestamp::from_micros(T0 + 5);
    job.begin(Timestamp::from_micros(T0), later);
    job.scan = Some("01A".to_owned());
    scratch.ledger.remember_job("nightly", &job).unwrap();
    let read = Ledger::open_read_only(&scratch.path()).unwrap().job("nightly").unwrap().unwrap();
    assert_eq!(
        (read.state, read.started, read.scan.as_deref()),
        (State::Whole, Some(later), Some("01A"))
    );
    job.end(Ended::Refused, Some("expired".to_owned()), Timestamp::from_micros(T0 + 9));
    scratch.ledger.remember_job("nightly", &job).unwrap();
    assert_eq!(scratch.ledger.job("nightly").unwrap(), Some(job));
    assert_eq!(scratch.query("SELECT name, state, result, why FROM job").len(), 1);
}

#[test]
fn a_job_is_held_by_one_at_a_time() {
    let scratch = Scratch::new();
    let held = |name| scratch.ledger.job_is_held(name);
    assert!(!held("nightly"));
    let hold = scratch.ledger.hold_job("nightly").unwrap();
    assert!(held("nightly") && !held("hourly"));
    let refused = scratch.ledger.hold_job("nightly").unwrap_err().to_string();
    let path = scratch.path();
    assert_eq!(
        refused,
        format!(
            "job 'nightly' of {} is run by another process; end that one first",
            path.display()
        )
    );
    drop(hold);
    assert!(!held("nightly"));
    scratch.ledger.hold_job("nightly").unwrap();
}

#[test]
fn a_scan_is_complete_when_it_says_so() {
    let mut scratch = Scratch::with_scans(&["01A", "01B"]);
    scratch.ledger.finish_scan("01A", Timestamp::from_micros(T0), true).unwrap();
    assert_eq!(scratch.ledger.is_complete("01A").unwrap(), Some(true));
    assert_eq!(scratch.ledger.is_complete("01B").unwrap(), Some(false));
    assert_eq!(scratch.ledger.is_complete("01C").unwrap(), None);
}
