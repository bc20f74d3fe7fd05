//! Who may work on what.

use super::*;
use crate::store::Renewal;

const NAME: &str = "plan:abc:1/2";
const TTL: Duration = Duration::from_secs(60);

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(T0 + seconds * 1_000_000)
}

#[test]
fn a_lease_is_refused_while_its_holder_lives_and_free_at_once_when_it_is_gone() {
    let mut scratch = Scratch::new();
    let mut other = Ledger::open(&scratch.path()).unwrap();
    let lease = scratch.ledger.lease(NAME, ("here", "one"), at(0), TTL).unwrap();
    // It is refused long after it ran out too: the process lives.
    for seconds in [1, 1_000] {
        let error = other.lease(NAME, ("here", "two"), at(seconds), TTL).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "here one is at work on the same part of the plan, says {} ({NAME}); wait for it to \
                 end, or for its lease to run out a minute after it was last heard of",
                scratch.path().display()
            )
        );
    }
    assert!(other.lease("plan:abc:2/2", ("here", "two"), at(1), TTL).is_ok());
    // As kill -9 leaves it: the row is there, and nobody holds the lock.
    drop(lease);
    assert_eq!(scratch.query("SELECT count(*) FROM lease WHERE name LIKE '%1/2'"), ["1"]);
    let lease = other.lease(NAME, ("here", "two"), at(2), TTL).unwrap();
    assert_eq!(
        scratch.query("SELECT holder, since, expires FROM lease WHERE name LIKE '%1/2'"),
        [format!("here two|{}|{}", at(2).micros(), at(62).micros())]
    );
    other.release(lease).unwrap();
    assert_eq!(scratch.query("SELECT count(*) FROM lease WHERE name LIKE '%1/2'"), ["0"]);
}

#[test]
fn a_lease_of_another_machine_is_waited_for() {
    let mut scratch = Scratch::new();
    drop(scratch.ledger.lease(NAME, ("away", "one"), at(0), TTL).unwrap());
    let error = scratch.ledger.lease(NAME, ("here", "two"), at(59), TTL).unwrap_err();
    assert!(
        matches!(&error, StoreError::Leased { holder, .. } if holder == "away one"),
        "{error:?}"
    );
    assert!(scratch.ledger.lease(NAME, ("here", "two"), at(60), TTL).is_ok());
}

#[test]
fn a_batch_renews_its_lease_and_is_not_written_without_it() {
    let mut scratch = Scratch::with_scans(&["one"]);
    let lease = scratch.ledger.lease(NAME, ("here", "one"), at(0), TTL).unwrap();
    let coverage = Coverage::default();
    let record = |ledger: &mut Ledger, address: &str, seconds| {
        ledger.record(&Batch {
            scan: "one",
            observations: &[seen(address, seconds, leaf("a"))],
            faults: &[],
            coverage: &coverage,
            counts: &Counts::default(),
            renewal: Some(Renewal { lease: &lease, now: at(seconds) }),
        })
    };
    record(&mut scratch.ledger, "192.0.2.1", 30).unwrap();
    assert_eq!(scratch.query("SELECT expires FROM lease"), [at(90).micros().to_string()]);
    scratch.query("UPDATE lease SET holder = 'away two'");
    let error = record(&mut scratch.ledger, "192.0.2.2", 40).unwrap_err();
    assert!(matches!(&error, StoreError::LeaseLost { name, .. } if name == NAME), "{error:?}");
    assert_eq!(scratch.ledger.summary().unwrap().sightings, 1, "all or nothing");
    scratch.ledger.release(lease).unwrap();
    assert_eq!(scratch.query("SELECT holder FROM lease"), ["away two"], "another's is left");
}
