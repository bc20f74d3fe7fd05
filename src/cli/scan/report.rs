//! What a researcher reads when a sweep has ended.

use std::path::Path;

use comfy_table::Table;

use crate::cli::exit::Failure;
use crate::cli::session::Swept;
use crate::cli::terminal;
use crate::domain::plan::Plan;
use crate::domain::scan::Scan;
use crate::domain::text::{counted, defang_name, defang_target, escape, grouped};
use crate::store::{Finding, Findings};

/// Findings shown in the table; the ledger holds all of them.
const FINDINGS_SHOWN: u32 = 200;

/// The matches, the outcomes, how much was covered, and where to find the rest.
pub(in crate::cli) fn report(
    scan: &Scan,
    plan: &Plan,
    swept: &Swept,
    store: &Path,
) -> Result<String, Failure> {
    let findings = swept.ledger.findings(&scan.id, FINDINGS_SHOWN)?;
    let mut text = String::new();
    if findings.total == 0 {
        text.push_str("no matches\n");
    } else {
        text.push_str(&format!("{}\n", matches(&findings)));
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
    text.push_str(&format!("scan {} is in {}\n", scan.id, store.display()));
    Ok(text)
}

fn matches(findings: &Findings) -> String {
    let mut table = terminal::table();
    table.set_header(["tier", "endpoint", "indicator", "label", "set / source", "evidence"]);
    for finding in &findings.shown {
        table.add_row(row(finding));
    }
    let mut text = format!("{}\n{table}", counted(findings.total.into(), "match", "matches"));
    let more = findings.total - findings.shown.len() as u64;
    if more > 0 {
        text.push_str(&format!(
            "\nand {} more in the ledger (view: matches)",
            grouped(more.into())
        ));
    }
    text
}

fn row(finding: &Finding) -> [String; 6] {
    [
        finding.tier.clone(),
        defang_target(finding.target),
        finding.indicator.clone(),
        finding.label.as_deref().map_or("-".to_owned(), |label| escape(&defang_name(label))),
        format!("{} / {}", escape(&finding.set), escape(&finding.source)),
        finding.evidence.word().to_owned(),
    ]
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
