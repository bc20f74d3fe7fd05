//! Where matches go: one by one as JSON Lines or CSV, or kept for a report.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use serde_json::{Value, json};

use super::Tally;
use super::report::Report;
use crate::cli::args::Format;
use crate::cli::exit::Failure;
use crate::cli::terminal;
use crate::domain::collected::{self, Collected, Place};
use crate::domain::indicator::{Index, Match, Tier};
use crate::domain::record::SCHEMA;
use crate::domain::text::harmless;

const HEADER: [&str; 15] = [
    "time",
    "vantage",
    "address",
    "port",
    "server_name",
    "sha1",
    "sha256",
    "subject",
    "not_before",
    "not_after",
    "matches",
    "guesses",
    "format",
    "file",
    "line",
];

/// Takes certificates that match.
pub(super) enum Output {
    Human(Report),
    Jsonl(BufWriter<Stdout>),
    /// The writer, and whether the header has been written.
    Csv(Box<csv::Writer<Stdout>>, bool),
}

impl Output {
    pub(super) fn new(format: Format) -> Self {
        match format {
            Format::Human => Self::Human(Report::default()),
            Format::Jsonl => Self::Jsonl(BufWriter::new(io::stdout())),
            Format::Csv => Self::Csv(Box::new(csv::Writer::from_writer(io::stdout())), false),
        }
    }

    /// One certificate with everything that it matches.
    pub(super) fn matched(
        &mut self,
        place: Place<'_>,
        seen: &Collected,
        index: &Index,
        matches: &[Match],
    ) -> io::Result<()> {
        match self {
            Self::Human(report) => {
                report.add(place, seen, index, matches);
                Ok(())
            }
            Self::Jsonl(out) => line(out, &collected::record(place, seen, index, matches)),
            Self::Csv(out, begun) => {
                let row = row(place, seen, matches);
                begin(out, begun)?;
                if io::stdout().is_terminal() {
                    return Ok(out.write_record(row.map(|cell| harmless(&cell)))?);
                }
                Ok(out.write_record(row)?)
            }
        }
    }

    /// There are no more.
    pub(super) fn end(self, tally: &Tally) -> Result<(), Failure> {
        let done = match self {
            Self::Human(report) => return terminal::print(&report.text(tally)),
            Self::Jsonl(mut out) => line(&mut out, &ended(tally)).and_then(|()| out.flush()),
            Self::Csv(mut out, mut begun) => begin(&mut out, &mut begun).and_then(|()| out.flush()),
        };
        done.map_err(|error| terminal::closed(&error))
    }
}

fn line(out: &mut BufWriter<Stdout>, record: &Value) -> io::Result<()> {
    let text = record.to_string();
    let watched = io::stdout().is_terminal();
    let safe = if watched { harmless(&text) } else { text };
    writeln!(out, "{safe}")
}

/// The record that closes a run.
fn ended(tally: &Tally) -> Value {
    let by_tier: serde_json::Map<String, Value> = Tier::ALL
        .into_iter()
        .map(|tier| (tier.letter().to_owned(), tally.of_tiers(|one| one == tier).into()))
        .collect();
    json!({
        "type": "collection",
        "schema": SCHEMA,
        "event": "ended",
        "files": tally.files,
        "certificates": tally.certificates,
        "refused": tally.refused,
        "doubted": tally.doubted,
        "unreadable": tally.unreadable,
        "passed_over": tally.passed_over,
        "matched_by_tier": by_tier,
    })
}

/// The header, before the first row or instead of one.
fn begin(out: &mut csv::Writer<Stdout>, begun: &mut bool) -> io::Result<()> {
    if std::mem::replace(begun, true) { Ok(()) } else { Ok(out.write_record(HEADER)?) }
}

fn row(place: Place<'_>, seen: &Collected, matches: &[Match]) -> [String; 15] {
    let known = &seen.certificate;
    let (not_before, not_after) = known.validity();
    fn text(value: Option<impl ToString>) -> String {
        value.map(|value| value.to_string()).unwrap_or_default()
    }
    let of = |certain: bool| {
        let wanted = matches.iter().filter(|found| found.tier.is_certain() == certain);
        let spelt = wanted
            .map(|found| format!("{}/{}/{}", found.tier.letter(), found.set, found.indicator));
        spelt.collect::<Vec<_>>().join(" ")
    };
    [
        text(seen.time),
        place.vantage.to_owned(),
        text(seen.address),
        text(seen.port),
        text(seen.server_name.as_ref()),
        text(known.sha1()),
        text(known.sha256()),
        text(known.subject()),
        text(not_before),
        text(not_after),
        of(true),
        of(false),
        place.format.to_owned(),
        place.file.to_owned(),
        place.line.to_string(),
    ]
}
