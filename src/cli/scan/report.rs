//! What a researcher reads when a sweep has ended.

use std::path::Path;

use comfy_table::Table;

use crate::cli::exit::Failure;
use crate::cli::session::Swept;
use crate::cli::terminal;
use crate::domain::indicator::{Index, Reported, Shared, Tier};
use crate::domain::ledger::Kind;
use crate::domain::plan::Plan;
use crate::domain::scan::Scan;
use crate::domain::text::{counted, defang_address, defang_name, escape, grouped};
use crate::store::{Finding, Findings};

/// Findings shown in the table; the ledger holds all of them.
const FINDINGS_SHOWN: u32 = 200;

/// The matches, the outcomes, how much was covered, and where to find the rest.
pub(in crate::cli) fn report(
    scan: &Scan,
    plan: &Plan,
    swept: &Swept,
    index: &Index,
    store: Option<&Path>,
) -> Result<String, Failure> {
    let findings = swept.ledger.findings(&scan.id, FINDINGS_SHOWN)?;
    let mut text = String::new();
    text.push_str(&matches(&findings, index, &swept.shared));
    text.push_str(&format!("\n{}\n\n", outcomes(swept)));
    let (covered, positions) = (swept.covered.len(), scan.positions);
    let percent = if positions == 0 { 100.0 } else { covered as f64 * 100.0 / positions as f64 };
    text.push_str(&format!(
        "{} probed of {} in the plan, coverage {percent:.1}%{}\n",
        counted(swept.counts.total().into(), "target", "targets"),
        grouped(plan.target_count()),
        if plan.shard.count > 1 { format!(" of shard {}", plan.shard) } else { String::new() },
    ));
    if swept.counts.faults > 0 {
        text.push_str(&format!("{} were not probed because of a fault\n", swept.counts.faults));
    }
    text.extend(news(&swept.news));
    if let Some(store) = store {
        text.push_str(&format!("scan {} is in {}\n", scan.id, store.display()));
    }
    Ok(text)
}

/// `changes of matches: 2 new, 1 moved (certsweep diff)`, if there were any.
fn news(news: &[(Kind, Tier, u64)]) -> Option<String> {
    let certain = |kind| {
        let counts = news.iter().filter(|(of, tier, _)| *of == kind && tier.is_certain());
        counts.map(|(.., count)| count).sum::<u64>()
    };
    let parts: Vec<String> = Kind::ALL
        .into_iter()
        .map(|kind| (kind, certain(kind)))
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| format!("{} {kind}", grouped(count.into())))
        .collect();
    let parts = parts.join(", ");
    (!parts.is_empty())
        .then(|| format!("changes of matches: {parts} (certsweep diff shows them)\n"))
}

/// What is certain, then what is guessed: a heading for each indicator, and under it a table of the addresses
/// that showed it.
fn matches(findings: &Findings, index: &Index, shared: &[Shared]) -> String {
    let certain = findings.total - findings.guesses;
    let split = findings.shown.partition_point(|found| !is_guess(found));
    let (matches, guesses) = findings.shown.split_at(split);
    let mut text = match certain {
        0 => "no matches\n".to_owned(),
        count => format!("{}\n", counted(count.into(), "match", "matches")),
    };
    text.push_str(&sections(matches, index, shared));
    if findings.guesses > 0 {
        text.push_str(&format!(
            "\n{}: not a reported certificate or key, but alike (tiers C to E)\n",
            counted(findings.guesses.into(), "guess", "guesses")
        ));
        text.push_str(&sections(guesses, index, shared));
    }
    let more = findings.total - findings.shown.len() as u64;
    if more > 0 {
        text.push_str(&format!(
            "\nand {} more in the ledger (view: matches)\n",
            grouped(more.into())
        ));
    }
    let has_heading = |found: &&Shared| findings.shown.iter().any(|shown| is_of(found, shown));
    for found in shared.iter().filter(|found| !has_heading(found)) {
        let indicator = escape(&defang_name(&found.indicator.to_string()));
        text.push_str(&format!(
            "probably shared: {indicator} of {}, seen at {}\n",
            escape(&found.set),
            too_many(found)
        ));
    }
    text
}

/// Tiers are letters, the closest first.
fn is_guess(finding: &Finding) -> bool {
    finding.tier.as_str() > Tier::B.letter()
}

fn sections(findings: &[Finding], index: &Index, shared: &[Shared]) -> String {
    let mut text = String::new();
    for same in findings.chunk_by(|a, b| indicator(a) == indicator(b)) {
        text.push_str(&format!("\n{}\n", heading(&same[0])));
        text.extend(sharing(&same[0], shared));
        text.push_str(&format!("{}\n", addresses(same, index)));
    }
    text
}

/// `probably shared: seen at more than 64 hosts`, if the indicator is.
fn sharing(finding: &Finding, shared: &[Shared]) -> Option<String> {
    let found = shared.iter().find(|shared| is_of(shared, finding))?;
    Some(format!(
        "probably shared: seen at {}, as a cloned image or a default certificate would be\n",
        too_many(found)
    ))
}

fn is_of(shared: &Shared, finding: &Finding) -> bool {
    *shared.set == *finding.set && shared.indicator.to_string() == finding.indicator
}

/// `more than 64 hosts`, or prefixes where there are not too many hosts.
fn too_many(shared: &Shared) -> String {
    let Shared { hosts, limits, .. } = shared;
    if *hosts > limits.hosts {
        format!("more than {} hosts", grouped(limits.hosts as u128))
    } else {
        format!("more than {} prefixes", grouped(limits.prefixes as u128))
    }
}

fn indicator(finding: &Finding) -> (&str, &str, &str, &str) {
    (&finding.tier, &finding.set, &finding.source, &finding.indicator)
}

/// `tier A  sha1:7992...  vpn437972693.sednc[.]cn  flax-typhoon / microsoft-2023-08-24`.
fn heading(finding: &Finding) -> String {
    let label =
        finding.label.as_deref().map_or("-".to_owned(), |label| escape(&defang_name(label)));
    format!(
        "tier {}  {}  {label}  {} / {}",
        finding.tier,
        escape(&defang_name(&finding.indicator)),
        escape(&finding.set),
        escape(&finding.source)
    )
}

/// A row for each address and evidence; what reports say of an address where any says something.
fn addresses(findings: &[Finding], index: &Index) -> Table {
    let place = |finding: &Finding| (finding.target.address, finding.evidence.word());
    let mut rows: Vec<[String; 4]> = Vec::new();
    for same in findings.chunk_by(|a, b| place(a) == place(b)) {
        let ports = same.iter().map(|finding| finding.target.port.to_string());
        let (address, evidence) = place(&same[0]);
        let reported = index.reported(address).iter().map(reported).collect::<Vec<_>>();
        rows.push([
            defang_address(address),
            ports.collect::<Vec<_>>().join(", "),
            evidence.to_owned(),
            reported.join("; "),
        ]);
    }
    let columns = if rows.iter().any(|row| !row[3].is_empty()) { 4 } else { 3 };
    let mut table = terminal::table();
    table.set_header(&["address", "ports", "evidence", "address reported"][..columns]);
    table.add_rows(rows.iter().map(|row| &row[..columns]));
    table
}

/// `2023-02-23 to 2023-05-09, flax-typhoon / microsoft-2023-08-24`.
pub(in crate::cli) fn reported(report: &Reported) -> String {
    let dates = match (report.first_seen, report.last_seen) {
        (Some(first), Some(last)) => format!("{first} to {last}"),
        (Some(day), None) | (None, Some(day)) => day.to_string(),
        (None, None) => "no dates".to_owned(),
    };
    format!("{dates}, {} / {}", escape(&report.set), escape(&report.source))
}

fn outcomes(swept: &Swept) -> Table {
    let mut table = terminal::table();
    table.set_header(["outcome", "targets", "share"]);
    let total = swept.counts.total().max(1);
    for (word, count) in swept.counts.outcomes() {
        let share = format!("{:.1}%", count as f64 * 100.0 / total as f64);
        table.add_row([word.to_owned(), grouped(count.into()), share]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::indicator::{Indicator, SharedLimits};

    #[test]
    fn what_is_shared_is_said_even_where_its_matches_are_not_shown() {
        let limits = SharedLimits { hosts: 64, prefixes: 16 };
        let shared = Shared {
            set: "s".into(),
            indicator: Indicator::Name("vpn.example".into()),
            hosts: 20,
            prefixes: 17,
            limits,
        };
        let findings = Findings { shown: Vec::new(), total: 20, guesses: 20 };
        let text = matches(&findings, &Index::default(), &[shared]);
        assert_eq!(
            text,
            "no matches\n\n20 guesses: not a reported certificate or key, but alike (tiers C to E)\n\n\
             and 20 more in the ledger (view: matches)\n\
             probably shared: name:vpn[.]example of s, seen at more than 16 prefixes\n"
        );
    }
}
