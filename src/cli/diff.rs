//! `certsweep diff`: what changed, and of what nothing can be said.

use comfy_table::{Table, presets};

use super::args::{DiffArgs, DiffFormat};
use super::exit::{Exit, Failure};
use super::search::{indicators, moment, sources};
use super::{settings, terminal};
use crate::domain::ledger::{Kind, Rules};
use crate::domain::query::{Certificate, Changed, Difference, What};
use crate::domain::record;
use crate::domain::text::{defang_name, defang_target, escape};
use crate::domain::time::Timestamp;
use crate::domain::when::{self, Edge};
use crate::engine::Clock;
use crate::store::{About, Ledger};

/// Runs `diff`.
pub(super) fn run(args: &DiffArgs) -> Result<Exit, Failure> {
    let ledger = settings::ledger(&args.ledger)?;
    let window = window(args, &ledger, Clock::start().wall())?;
    let about = if args.all { About::Everything } else { About::Matches };
    let rules = match args.absent_after.and_then(Rules::new) {
        Some(rules) => rules,
        None => settings::rules(&args.ledger)?,
    };
    let difference = ledger.difference(window, about, rules)?;
    terminal::print(&text(args.format, &difference))?;
    let is_found = args.fail_on.is_some() && difference.rows.iter().any(is_news);
    Ok(if is_found { Exit::Found } else { Exit::Done })
}

/// Whether a match is there that was not.
fn is_news(row: &Changed) -> bool {
    matches!(row.what, What::Changed(kind) if kind.is_arrival())
        && row.matches.iter().any(|found| found.tier.is_certain())
}

/// After which moment, and up to which, changes are asked for at `now`.
fn window(
    args: &DiffArgs,
    ledger: &Ledger,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), Failure> {
    let moment = |flag: &str, text: &str, edge| {
        when::moment(text, edge, now).map_err(|why| Failure::usage(format!("{flag}: {why}")))
    };
    let until = match &args.until {
        Some(text) => moment("--until", text, Edge::End)?,
        None => now,
    };
    if let Some(text) = &args.since {
        let since = just_before(moment("--since", text, Edge::Begin)?);
        if since > until {
            return Err(Failure::usage("--since is later than --until"));
        }
        return Ok((since, until));
    }
    let times = |id: &String| {
        let found = ledger.scan_times(id)?;
        let unknown = || Failure::usage(format!("the ledger holds no scan {}", escape(id)));
        found.ok_or_else(unknown).map(|(started, ended)| (started, ended.unwrap_or(now)))
    };
    match args.scans.as_slice() {
        [first, second] => {
            let ((_, since), (_, until)) = (times(first)?, times(second)?);
            match since <= until {
                true => Ok((since, until)),
                false => Err(Failure::usage(format!("scan {second} ended before {first}"))),
            }
        }
        [one] => times(one).map(|(started, ended)| (just_before(started), ended)),
        _ => match ledger.last_scan()? {
            Some(last) => times(&last).map(|(started, _)| (just_before(started), until)),
            None => Err(Failure::usage("the ledger holds no scan that has ended")),
        },
    }
}

/// Windows are open at their beginning: what is at `moment` itself is to be in.
fn just_before(moment: Timestamp) -> Timestamp {
    Timestamp::from_micros(moment.micros().saturating_sub(1))
}

fn text(format: DiffFormat, difference: &Difference) -> String {
    match format {
        DiffFormat::Human => {
            let mut table = terminal::table();
            fill(&mut table, difference, "\n", str::to_owned);
            told(difference, &table)
        }
        DiffFormat::Markdown => {
            let mut table = Table::new();
            table.load_style(presets::ASCII_MARKDOWN);
            fill(&mut table, difference, " ", |cell| cell.replace('|', "\\|"));
            told(difference, &table)
        }
        DiffFormat::Jsonl => {
            let line = |row| format!("{}\n", record::changed(row));
            difference.rows.iter().map(line).collect()
        }
    }
}

/// The table, unless it is empty, and a line that says how much is in it.
fn told(difference: &Difference, table: &Table) -> String {
    let Difference { since, until, rows } = difference;
    let window = format!("from {} to {}", moment(Some(*since)), moment(Some(*until)));
    let count = |word: &str| format!("{word} {}", difference.count(word));
    let changes: Vec<String> = Kind::ALL.iter().map(|kind| count(kind.word())).collect();
    let open: Vec<String> = ["missing", "unreachable", "not tried"].map(count).to_vec();
    let summary =
        format!("{window} (UTC): {}; not gone: {}\n", changes.join(", "), open.join(", "));
    if rows.is_empty() { summary } else { format!("{table}\n\n{summary}") }
}

/// A row for each change; lines within a cell are told apart by `line`, and what would end a cell is escaped.
fn fill(table: &mut Table, difference: &Difference, line: &str, escaped: impl Fn(&str) -> String) {
    table.set_header(["what", "address", "certificate", "when", "before", "indicator", "source"]);
    for row in &difference.rows {
        let what = match row.what.missing_for() {
            Some(visits) => format!("{} {visits}x", row.what.word()),
            None => row.what.word().to_owned(),
        };
        let mut place = vec![defang_target(row.target)];
        place.extend(row.server_name.as_deref().map(|name| escape(&defang_name(name))));
        let cells = [
            what,
            place.join(line),
            certificate(&row.certificate, line),
            moment(Some(row.time)),
            before(row, line),
            indicators(&row.matches).replace('\n', line),
            sources(&row.matches).replace('\n', line),
        ];
        table.add_row(cells.map(|cell| escaped(&cell)));
    }
}

/// Where it was, or what was there.
fn before(row: &Changed, line: &str) -> String {
    match (&row.previous, row.from) {
        (Some(previous), _) => certificate(previous, line),
        (None, Some((target, last_seen))) => {
            format!("{}{line}{}", defang_target(target), moment(Some(last_seen)))
        }
        (None, None) => "-".to_owned(),
    }
}

fn certificate(certificate: &Certificate, line: &str) -> String {
    let hash = certificate.sha1.map_or_else(
        || certificate.sha256.map_or("-".to_owned(), |hash| format!("sha256:{hash}")),
        |hash| format!("sha1:{hash}"),
    );
    match &certificate.common_name {
        Some(name) => format!("{hash}{line}{}", escape(&defang_name(name))),
        None => hash,
    }
}
