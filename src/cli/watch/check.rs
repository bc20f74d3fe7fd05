//! `watch --check`: what would run when, and whether it could today.

use super::teller::Teller;
use super::{Watch, read_only};
use crate::cli::exit::{Exit, Failure};
use crate::cli::scan::{self, Prepared};
use crate::cli::settings::Given;
use crate::cli::terminal;
use crate::domain::job::Job;
use crate::domain::schedule::{Remembered, spelt};
use crate::domain::text::{counted, escape, grouped};
use crate::domain::time::Timestamp;

/// Prints what each job of `watch` would do; fails as the first one that could not run would.
pub(super) fn run(watch: &Watch, now: Timestamp) -> Result<Exit, Failure> {
    let ledger = read_only(&watch.store)?;
    // The secrets are there and may be used, or this says which is not.
    Teller::open(&watch.settings, &watch.store)?;
    let (mut text, mut exit) = (String::new(), Exit::Done);
    for job in &watch.jobs {
        let known = ledger.as_ref().map(|ledger| ledger.job(job.name())).transpose()?.flatten();
        let mut remembered = known.unwrap_or_else(|| Remembered::new(now));
        remembered.settle(&job.rhythm.schedule, now);
        let prepared = scan::prepare(&watch.arguments(job), Given::Job(job.name()), now);
        let mut rows = when(job, &remembered, now);
        match prepared {
            Ok(prepared) => rows.extend(what(&prepared)),
            Err(failure) => {
                rows.push(("refused", failure.message));
                if exit == Exit::Done {
                    exit = failure.exit;
                }
            }
        }
        for (key, value) in rows {
            text.push_str(&format!("{key:<16} {value}\n"));
        }
        text.push('\n');
    }
    terminal::print(&text)?;
    Ok(exit)
}

fn when(job: &Job, remembered: &Remembered, now: Timestamp) -> Vec<(&'static str, String)> {
    let next = match job.rhythm.next_start(remembered) {
        Some(start) if start <= now => "at once".to_owned(),
        Some(start) => start.to_string(),
        None => "never".to_owned(),
    };
    let matches = job
        .rhythm
        .matches
        .map_or("in whole runs only".to_owned(), |period| format!("every {}", spelt(period)));
    vec![
        ("job", job.name().to_owned()),
        ("runs", job.rhythm.schedule.to_string()),
        ("next run", next),
        ("known matches", matches),
    ]
}

fn what(prepared: &Prepared) -> Vec<(&'static str, String)> {
    let (plan, settings) = (&prepared.plan, &prepared.settings);
    let rate = |rate: Option<f64>| rate.map_or("unlimited".to_owned(), |rate| format!("{rate}/s"));
    let until = plan.scope.valid_until.map_or("no end".to_owned(), |day| day.to_string());
    let mut rows = vec![
        ("scope", format!("{}, valid until {until} (UTC)", escape(&plan.scope.name))),
        (
            "probes",
            format!(
                "{} of {} on ports {}",
                grouped(plan.target_count()),
                counted(plan.address_count(), "address", "addresses"),
                plan.ports
            ),
        ),
        (
            "rate",
            format!(
                "{}, {} per prefix",
                rate(settings.rate.value),
                rate(settings.rate_per_prefix.value)
            ),
        ),
    ];
    rows.extend(prepared.warnings.iter().map(|warning| ("note", warning.clone())));
    rows
}
