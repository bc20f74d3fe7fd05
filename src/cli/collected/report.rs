//! What a researcher reads when all files are read.

use super::Tally;
use crate::cli::{scan, terminal};
use crate::domain::collected::{Collected, Place};
use crate::domain::indicator::{Index, Match};
use crate::domain::text::{counted, defang_address, defang_name, escape, grouped};

/// Matches that are shown, and guesses that are; all are counted.
const SHOWN: usize = 200;

/// The first matches and the first guesses.
#[derive(Debug, Default)]
pub(super) struct Report {
    certain: Kept,
    guesses: Kept,
}

#[derive(Debug, Default)]
struct Kept {
    rows: Vec<Row>,
    left_out: u64,
}

/// A match, as it is shown: under the heading of its indicator, where and when.
#[derive(Debug)]
struct Row {
    heading: String,
    cells: [String; 5],
}

impl Report {
    /// Keeps every one of `matches` for which there is room.
    pub(super) fn add(
        &mut self,
        place: Place<'_>,
        seen: &Collected,
        index: &Index,
        matches: &[Match],
    ) {
        for found in matches {
            let kept = if found.tier.is_certain() { &mut self.certain } else { &mut self.guesses };
            if kept.rows.len() >= SHOWN {
                kept.left_out += 1;
                continue;
            }
            kept.rows.push(Row { heading: heading(found), cells: cells(place, seen, index) });
        }
    }

    /// The report.
    pub(super) fn text(mut self, tally: &Tally) -> String {
        let certain = tally.of_tiers(|tier| tier.is_certain());
        let mut text = match certain {
            0 => "no matches\n".to_owned(),
            count => format!(
                "{} reported by others: a copy proves nothing, look for yourself\n",
                counted(count.into(), "match", "matches")
            ),
        };
        text.push_str(&self.certain.text());
        let guesses = tally.of_tiers(|tier| !tier.is_certain());
        if guesses > 0 {
            text.push_str(&format!(
                "\n{}: not a reported certificate or key, but alike (tiers C to E)\n",
                counted(guesses.into(), "guess", "guesses")
            ));
        }
        text.push_str(&self.guesses.text());
        text
    }
}

impl Kept {
    fn text(&mut self) -> String {
        // Stable: under each heading they stay as they came.
        self.rows.sort_by(|a, b| a.heading.cmp(&b.heading));
        let mut text = String::new();
        for same in self.rows.chunk_by(|a, b| a.heading == b.heading) {
            let heading = same.first().map(|row| row.heading.as_str()).unwrap_or_default();
            let mut table = terminal::table();
            table.set_header([
                "address",
                "server name",
                "seen",
                "where it says so",
                "address reported",
            ]);
            table.add_rows(same.iter().map(|row| &row.cells));
            text.push_str(&format!("\n{heading}\n{table}\n"));
        }
        if self.left_out > 0 {
            let more = grouped(self.left_out.into());
            text.push_str(&format!("\nand {more} more (--format jsonl has all)\n"));
        }
        text
    }
}

/// `tier A  sha1:7992...  vpn437972693.sednc[.]cn  flax-typhoon / microsoft-2023-08-24`.
fn heading(found: &Match) -> String {
    let label = found.label.as_deref().map_or("-".to_owned(), |label| escape(&defang_name(label)));
    format!(
        "tier {}  {}  {label}  {} / {}",
        found.tier.letter(),
        escape(&defang_name(&found.indicator.to_string())),
        escape(&found.set),
        escape(&found.source)
    )
}

fn cells(place: Place<'_>, seen: &Collected, index: &Index) -> [String; 5] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let address = seen.address.map(|address| {
        let port = seen.port.map_or(String::new(), |port| format!(" port {port}"));
        format!("{}{port}", defang_address(address))
    });
    let reports = seen.address.map(|address| index.reported(address)).unwrap_or_default();
    let reported = reports.iter().map(scan::reported).collect::<Vec<_>>().join("; ");
    [
        or_dash(address),
        or_dash(seen.server_name.as_ref().map(|name| defang_name(name.as_str()))),
        or_dash(seen.time.map(|time| time.to_string())),
        format!("{} ({}), line {}", escape(place.vantage), escape(place.file), place.line),
        if reported.is_empty() { "-".to_owned() } else { reported },
    ]
}
