//! What a researcher reads when a sweep has ended.

use std::path::Path;

use comfy_table::Table;

use crate::cli::exit::Failure;
use crate::cli::session::Swept;
use crate::cli::terminal;
use crate::domain::indicator::{Index, Reported};
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
    if findings.total == 0 {
        text.push_str("no matches\n");
    } else {
        text.push_str(&matches(&findings, index));
    }
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
    if let Some(store) = store {
        text.push_str(&format!("scan {} is in {}\n", scan.id, store.display()));
    }
    Ok(text)
}

/// A heading for each indicator, and under it a table of the addresses that showed it.
fn matches(findings: &Findings, index: &Index) -> String {
    let mut text = format!("{}\n", counted(findings.total.into(), "match", "matches"));
    for same in findings.shown.chunk_by(|a, b| indicator(a) == indicator(b)) {
        text.push_str(&format!("\n{}\n{}\n", heading(&same[0]), addresses(same, index)));
    }
    let more = findings.total - findings.shown.len() as u64;
    if more > 0 {
        text.push_str(&format!(
            "\nand {} more in the ledger (view: matches)\n",
            grouped(more.into())
        ));
    }
    text
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
        finding.indicator,
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
