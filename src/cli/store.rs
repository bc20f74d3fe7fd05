//! `certsweep store`: looking after the ledger.

use super::args::{LedgerArgs, StoreArgs, StoreCommand};
use super::exit::{Exit, Failure};
use super::{settings, terminal};
use crate::domain::text::{counted, grouped};
use crate::domain::time::Timestamp;
use crate::domain::when;
use crate::engine::Clock;
use crate::store::{About, Info, Ledger};

/// Runs `store`.
pub(super) fn run(args: &StoreArgs) -> Result<Exit, Failure> {
    let path = settings::store(&args.ledger)?;
    match &args.command {
        StoreCommand::Info => {
            let info = settings::ledger(&args.ledger)?.info()?;
            terminal::print(&format!("{}\n{}", path.display(), described(&info)))?;
        }
        StoreCommand::Check => return check(&args.ledger),
        StoreCommand::Compact => {
            let mut ledger = existing(&args.ledger)?;
            // It would wait for this longer than a scan waits for anything.
            if let Some(holder) = ledger.at_work(Clock::start().wall())? {
                return Err(Failure::local(format!(
                    "{holder} is writing into {}; compact it when that has ended",
                    path.display()
                )));
            }
            let compacted = ledger.compact()?;
            let (before, after) = (octets(compacted.before), octets(compacted.after));
            terminal::print(&format!("{before} before, {after} now\n"))?;
        }
        StoreCommand::Prune { older_than, including_matches } => {
            let before = before(older_than, Clock::start().wall())?;
            let pruned = existing(&args.ledger)?.prune(before, *including_matches)?;
            let matches = match including_matches {
                true => format!(", {}", counted(pruned.matches.into(), "match", "matches")),
                false => "; visits with a match were kept".to_owned(),
            };
            terminal::print(&format!(
                "{} dropped, {}{matches}\n",
                counted(pruned.visits.into(), "visit", "visits"),
                counted(pruned.certificates.into(), "certificate", "certificates"),
            ))?;
        }
        StoreCommand::Merge { others } => {
            let mut ledger = Ledger::open(&path)?;
            for other in others {
                let merged = ledger.merge(other)?;
                terminal::print(&format!(
                    "{}: {}, {}, {}\n",
                    other.display(),
                    counted(merged.scans.into(), "new scan", "new scans"),
                    counted(merged.certificates.into(), "new certificate", "new certificates"),
                    counted(merged.sightings.into(), "new sighting", "new sightings"),
                ))?;
            }
            let rules = settings::rules(&args.ledger)?;
            ledger.derive(rules, About::Matches, Clock::start().wall())?;
        }
    }
    Ok(Exit::Done)
}

/// Says what is wrong, a line each; the exit code tells scripts.
fn check(args: &LedgerArgs) -> Result<Exit, Failure> {
    let wrong = settings::ledger(args)?.check()?;
    if wrong.is_empty() {
        terminal::print("ok\n")?;
        return Ok(Exit::Done);
    }
    terminal::print(&format!("{}\n", wrong.join("\n")))?;
    Err(Failure::local(
        "the ledger does not hold together; restore a copy, or merge it into a new one",
    ))
}

/// The ledger, open for writing; one that is not there is not made.
fn existing(args: &LedgerArgs) -> Result<Ledger, Failure> {
    drop(settings::ledger(args)?);
    Ok(Ledger::open(&settings::store(args)?)?)
}

fn before(older_than: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let length =
        when::length(older_than).map_err(|why| Failure::usage(format!("--older-than: {why}")))?;
    let micros = i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
    Ok(Timestamp::from_micros(now.micros().saturating_sub(micros)))
}

fn described(info: &Info) -> String {
    let moment = |moment: Option<Timestamp>| moment.map_or("-".to_owned(), |at| at.to_string());
    let each = match info.bytes_per_sighting() {
        Some(bytes) => format!("{bytes:.0} octets, without the certificates themselves"),
        None => "-".to_owned(),
    };
    let rows = [
        ("schema", info.schema.to_string()),
        ("file", octets(info.file_bytes)),
        ("of it free", octets(info.free_bytes)),
        ("log", octets(info.log_bytes)),
        ("scans", grouped(info.scans.into())),
        ("certificates", grouped(info.certificates.into())),
        ("sightings", grouped(info.sightings.into())),
        ("each sighting", each),
        ("visits", grouped(info.visits.into())),
        ("matches", grouped(info.matches.into())),
        ("transitions", grouped(info.transitions.into())),
        ("first seen", moment(info.oldest)),
        ("last seen", moment(info.newest)),
    ];
    rows.map(|(key, value)| format!("{key:<14} {value}\n")).concat()
}

/// In octets up to 10 KiB, then in KiB, MiB and GiB with one digit.
fn octets(count: u64) -> String {
    const KIB: f64 = 1_024.0;
    let size = count as f64;
    match count {
        0..10_240 => format!("{} octets", grouped(count.into())),
        10_240..1_048_576 => format!("{:.1} KiB", size / KIB),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", size / KIB / KIB),
        _ => format!("{:.1} GiB", size / KIB / KIB / KIB),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        let told = [0, 10_239, 10_240, 1_048_576, 3 * 1_073_741_824].map(octets);
        assert_eq!(told, ["0 octets", "10,239 octets", "10.0 KiB", "1.0 MiB", "3.0 GiB"]);
    }
}
