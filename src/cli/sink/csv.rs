//! Comma-separated values: one visit a line, the facts that fit in a table.

use std::io::{self, BufWriter, Write};

use serde_json::Value;

use super::Sink;
use crate::domain::observation::Observation;
use crate::domain::record::Origin;
use crate::domain::scan::Fault;
use crate::domain::text::harmless;

const HEADER: [&str; 18] = [
    "scan",
    "time",
    "vantage",
    "address",
    "port",
    "server_name",
    "outcome",
    "detail",
    "sha1",
    "sha256",
    "subject",
    "not_before",
    "not_after",
    "key_proven",
    "handshake_finished",
    "tls_version",
    "matches",
    "guesses",
];

/// Whether `line` is the header that every file of this form begins with.
pub(super) fn is_header(line: &str) -> bool {
    line == HEADER.join(",")
}

pub(super) struct Csv<W: Write> {
    out: csv::Writer<BufWriter<W>>,
    wants_header: bool,
    /// Whether people watch: then nothing may reach their terminal that moves it.
    watched: bool,
}

impl<W: Write> Csv<W> {
    pub(super) fn new(out: BufWriter<W>, wants_header: bool, watched: bool) -> Self {
        Self { out: csv::Writer::from_writer(out), wants_header, watched }
    }
}

impl<W: Write + Send> Sink for Csv<W> {
    /// Runs are no rows; the first one brings the header.
    fn scan(&mut self, _record: &Value) -> io::Result<()> {
        if std::mem::take(&mut self.wants_header) {
            self.out.write_record(HEADER)?;
        }
        Ok(())
    }

    fn observation(&mut self, origin: Origin<'_>, observation: &Observation) -> io::Result<()> {
        let leaf = observation.leaf.as_ref();
        let text = |value: Option<String>| value.unwrap_or_default();
        let described = leaf.map(|leaf| &leaf.description);
        let row: [String; 18] = [
            origin.scan.unwrap_or_default().to_owned(),
            observation.time.to_string(),
            origin.vantage.to_owned(),
            observation.target.address.to_string(),
            observation.target.port.to_string(),
            text(observation.server_name.as_ref().map(ToString::to_string)),
            observation.outcome.to_string(),
            text(observation.outcome.detail()),
            text(leaf.map(|leaf| leaf.sha1.to_string())),
            text(leaf.map(|leaf| leaf.sha256.to_string())),
            text(described.and_then(|described| described.subject.clone())),
            text(described.and_then(|described| described.not_before).map(|time| time.to_string())),
            text(described.and_then(|described| described.not_after).map(|time| time.to_string())),
            text(observation.evidence.key_proven.map(|proven| proven.to_string())),
            observation.evidence.handshake_finished.to_string(),
            text(observation.tls.as_ref().map(|tls| tls.version.to_owned())),
            matches(observation, true),
            matches(observation, false),
        ];
        if self.watched {
            return Ok(self.out.write_record(row.map(|cell| harmless(&cell)))?);
        }
        Ok(self.out.write_record(row)?)
    }

    /// A fault is no visit, and so no row; it is told on standard error and kept in the ledger.
    fn fault(&mut self, _origin: Origin<'_>, _fault: &Fault) -> io::Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The matches that are certain, or those that are guesses, as `tier/set/indicator`.
fn matches(observation: &Observation, certain: bool) -> String {
    let wanted = observation.matches.iter().filter(|found| found.tier.is_certain() == certain);
    let written =
        wanted.map(|found| format!("{}/{}/{}", found.tier.letter(), found.set, found.indicator));
    written.collect::<Vec<_>>().join(" ")
}
