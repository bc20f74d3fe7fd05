//! What the tests of this room share: leafs, observations, and a ledger read back as text.

mod job;
mod leasing;
mod looking_back;
mod opening;
mod outbox;
mod recording;
mod resuming;
mod tiers;
mod upkeep;
mod views;

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::types::ValueRef;

use super::{Batch, Ledger, StoreError};
use crate::domain::address::Target;
use crate::domain::cert::Leaf;
use crate::domain::coverage::Coverage;
use crate::domain::fingerprint::{Fingerprint, Sha256Fingerprint};
use crate::domain::indicator::{
    Address, Certificate, Indicator, IndicatorSet, Match, SharedLimits, Source, Tier, Tlp,
};
use crate::domain::observation::{Attempt, Evidence, Observation, Timing, TlsFacts};
use crate::domain::outcome::Outcome;
use crate::domain::scan::{Counts, Scan, Shard};
use crate::domain::time::{Day, Timestamp};
use crate::domain::tls::{Asked, ServerName};

/// 2026-11-24T02:18:24.512Z, and 999 microseconds that text does not show.
const T0: i64 = 1_795_486_704_512_999;

/// A ledger in a directory of its own.
struct Scratch {
    directory: tempfile::TempDir,
    ledger: Ledger,
}

impl Scratch {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&directory.path().join("ledger.db")).unwrap();
        Self { directory, ledger }
    }

    /// With scans called `ids` begun, all of them against [`set`].
    fn with_scans(ids: &[&str]) -> Self {
        let mut scratch = Self::new();
        for id in ids {
            scratch.ledger.begin_scan(&scan(id), &[set()]).unwrap();
        }
        scratch
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("ledger.db")
    }

    fn record(&mut self, id: &str, observations: &[Observation]) -> Result<(), StoreError> {
        self.ledger.record(&Batch {
            scan: id,
            observations,
            faults: &[],
            coverage: &[(0, 9)].into_iter().collect(),
            counts: &Counts::default(),
            renewal: None,
        })
    }

    fn query(&self, sql: &str) -> Vec<String> {
        query(&self.ledger, sql)
    }

    /// Every row of every table.
    fn dump(&self) -> Vec<String> {
        let tables = self.query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1");
        let rows = tables.iter().map(|table| self.query(&format!("SELECT * FROM \"{table}\"")));
        tables
            .iter()
            .cloned()
            .zip(rows)
            .flat_map(|(table, rows)| [vec![table], rows].concat())
            .collect()
    }
}

/// The rows that `sql` gives, columns joined by `|`.
fn query(ledger: &Ledger, sql: &str) -> Vec<String> {
    let mut statement = ledger.connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let texts = (0..columns).map(|column| text(row.get_ref(column).unwrap()));
        Ok(texts.collect::<Vec<_>>().join("|"))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
        ValueRef::Blob(bytes) => data_encoding::HEXLOWER.encode(bytes),
    }
}

fn scan(id: &str) -> Scan {
    Scan {
        id: id.to_owned(),
        plan_hash: Sha256Fingerprint::of(b"plan"),
        scope_name: "lab".to_owned(),
        scope_hash: Sha256Fingerprint::of(b"127.0.0.0/24"),
        scope_text: "127.0.0.0/24".to_owned(),
        command_line: vec!["scan".to_owned(), "--scope=\"lab\"".to_owned()],
        seed: u64::MAX,
        shard: Shard { index: 2, count: 8 },
        vantage: "lab".to_owned(),
        version: "0.1.0".to_owned(),
        settings: "{\"rate\":100}".to_owned(),
        positions: 510,
        started: Timestamp::from_micros(T0),
    }
}

fn leaf(name: &str) -> Leaf {
    Leaf::new(name.as_bytes().to_vec())
}

/// The set of one source that names the leaf "listed" and the address 127.0.0.1.
fn set() -> IndicatorSet {
    IndicatorSet {
        name: "raptor".to_owned(),
        file: "set.toml".to_owned(),
        tlp: Tlp::Clear,
        hash: Sha256Fingerprint::of(b"set"),
        sources: vec![Source {
            id: "report".to_owned(),
            title: "A report".to_owned(),
            publisher: None,
            published: Day::new(2026, 1, 2),
            url: None,
        }],
        shared: SharedLimits::default(),
        entries: Vec::new(),
        profiles: Vec::new(),
        certificates: vec![Certificate {
            fingerprint: Fingerprint::Sha1(leaf("listed").sha1),
            spki_sha256: None,
            label: Some("CN=listed".to_owned()),
            source: "report".to_owned(),
            note: None,
        }],
        addresses: vec![Address {
            address: "127.0.0.1".parse().unwrap(),
            first_seen: Day::new(2025, 12, 1),
            last_seen: None,
            certificate: Some(Fingerprint::Sha1(leaf("listed").sha1)),
            source: "report".to_owned(),
            note: None,
        }],
    }
}

fn listed() -> Match {
    Match {
        set: "raptor".into(),
        tier: Tier::A,
        indicator: Indicator::Leaf(Fingerprint::Sha1(leaf("listed").sha1)),
        label: Some("CN=listed".into()),
        source: "report".into(),
    }
}

/// A visit to `address`:443 at `seconds` after [`T0`] that saw `leaf`.
fn seen(address: &str, seconds: i64, leaf: Leaf) -> Observation {
    let evidence = Evidence::of(Ok(true), true);
    let time = Timestamp::from_micros(T0 + seconds * 1_000_000);
    let attempt = Attempt {
        time,
        asked: Asked::Rustls,
        outcome: Outcome::Certificate,
        leaf: Some(leaf.sha256),
        evidence,
        request: None,
    };
    Observation {
        time,
        target: Target::new(address.parse().unwrap(), 443),
        server_name: None,
        is_other_leaf: false,
        outcome: Outcome::Certificate,
        ended: None,
        tls: Some(TlsFacts { version: "1.3", cipher_suite: "TLS_AES_128_GCM_SHA256".into() }),
        evidence,
        leaf: Some(leaf.into()),
        chain: vec![Sha256Fingerprint::of(b"intermediate")],
        matches: Vec::new(),
        reported: Vec::new(),
        softether_server: None,
        timing: Timing { connect: Some(Duration::from_micros(70)), ..Timing::default() },
        attempts: vec![attempt],
    }
}

/// A visit to `address`:443 at `seconds` after [`T0`] that ended with `outcome`.
fn unseen(address: &str, seconds: i64, outcome: Outcome) -> Observation {
    let evidence = Evidence::default();
    let seen = seen(address, seconds, leaf("none"));
    let attempts = vec![Attempt { outcome, leaf: None, evidence, ..seen.attempts[0] }];
    Observation { outcome, tls: None, evidence, leaf: None, chain: Vec::new(), attempts, ..seen }
}
