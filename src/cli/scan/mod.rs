//! `certsweep scan`: from arguments to a plan, from a plan to a sweep, from a sweep to a report.

mod dry_run;
mod prepare;
mod report;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ArgMatches;
use serde_json::{Value, json};

use super::args::{FailOn, Format, ScanArgs};
use super::exit::{Exit, Failure};
use super::progress::View;
use super::session::{self, Begun, Session, Swept};
use super::settings::Given;
use super::{sink, terminal};
use crate::domain::indicator::{Index, Tier};
use crate::domain::plan::Plan;
use crate::domain::record::{self, Opening};
use crate::domain::scan::Scan;
use crate::domain::time::Timestamp;
use crate::engine::Clock;

use prepare::indicator_record;
pub(super) use prepare::{Prepared, ledger, prepare, prepare_known, random};
pub(super) use report::{report, reported};

/// Runs `scan`; `given` says which settings were typed.
pub(super) fn run(args: &ScanArgs, given: &ArgMatches) -> Result<Exit, Failure> {
    let runtime = session::runtime()?;
    let _entered = runtime.enter();
    let now = Clock::start().wall();
    let prepared = prepare::prepare(args, Given::Typed(given), now)?;
    if args.dry_run {
        return terminal::print(&dry_run::text(&prepared)).map(|()| Exit::Done);
    }
    for warning in &prepared.warnings {
        terminal::note(warning);
    }
    let swept = runtime.block_on(sweep(args, prepared, now));
    // A probe that is still open when the sweep was cut short is of no use to anybody.
    runtime.shutdown_background();
    swept
}

async fn sweep(args: &ScanArgs, prepared: Prepared, now: Timestamp) -> Result<Exit, Failure> {
    let stop = session::interruptible()?;
    let output = args.output.output.as_deref();
    let opening = if prepared.resumed.is_some() { Opening::Resumed } else { Opening::Started };
    let mut sink = sink::open(prepared.settings.format.value, output, prepared.resumed.as_ref())?;
    let begun = begin(args, &prepared, None, now)?;
    let Prepared { plan, sets, settings, policy, is_lowered, .. } = prepared;
    let store = settings.store.value.as_path();
    if let Some(sink) = &mut sink {
        let sets: Vec<_> = sets.iter().map(indicator_record).collect();
        let record = record::scan_opened(&begun.scan, &plan, &sets, (opening, now));
        sink.scan(&record)
            .and_then(|()| sink.flush())
            .map_err(|error| sink::failure(output, &error))?;
    }
    terminal::note(&opening_line(&begun.scan, &plan));
    let (plan, index) = (Arc::new(plan), Arc::new(Index::new(&sets)));
    let scan = begun.scan.clone();
    let (news, view) = (settings.news, View::Live);
    let index_of = Arc::clone(&index);
    let session = Session { begun, index: index_of, policy, sink, output, stop, news, view };
    let swept = session.sweep(Arc::clone(&plan)).await?;
    if let Some(time) = swept.spent.told(&plan.tempo, is_lowered) {
        terminal::note(&time);
    }
    let text = report(&scan, &plan, &swept, &index, Some(store))?;
    let human = settings.format.value == Format::Human;
    conclude(args, &scan, swept, human.then_some(text))
}

/// Writes down that the scan that was prepared from `args` begins `now`, or goes on; for the job called `job`, if it
/// is for one.
pub(super) fn begin(
    args: &ScanArgs,
    prepared: &Prepared,
    job: Option<&str>,
    now: Timestamp,
) -> Result<Begun, Failure> {
    let Prepared { plan, sets, settings, policy, resumed, .. } = prepared;
    let store = settings.store.value.as_path();
    let ledger = ledger(store)?;
    if let Some(scan) = resumed {
        return session::resume(ledger, &scan.id, sets)?
            .ok_or_else(|| prepare::nothing_to_resume(store, "of this plan any more"));
    }
    let name = |path: &PathBuf| path.display().to_string();
    let mut inputs = json!({
        "indicators": args.indicators.iter().map(name).collect::<Vec<_>>(),
        "targets": args.targets.as_ref().map(name),
    });
    if let Some(job) = job {
        inputs["job"] = job.into();
    }
    for (key, value) in prepare::questions(settings.handshake.value, policy) {
        inputs[key] = value;
    }
    let scan = new_scan(plan, &settings.vantage.value, &inputs, now);
    session::begin(ledger, scan, sets)
}

/// A scan of `plan` that starts `now`; `inputs` are what it was given besides its plan.
pub(super) fn new_scan(plan: &Plan, vantage: &str, inputs: &Value, now: Timestamp) -> Scan {
    let tempo = plan.tempo;
    let settings = json!({
        "ports": plan.ports.as_slice(),
        "rate": tempo.rate,
        "rate_per_prefix": tempo.rate_per_prefix,
        "concurrency": tempo.concurrency,
        "connect_timeout_us": tempo.connect_timeout.as_micros() as u64,
        "handshake_timeout_us": tempo.limits.handshake.as_micros() as u64,
        "inputs": inputs,
    });
    let milliseconds = (now.micros() / 1_000).cast_unsigned();
    Scan {
        id: ulid::Ulid::from_parts(milliseconds, random()).to_string(),
        plan_hash: plan.hash(),
        scope_name: plan.scope.name.clone(),
        scope_hash: plan.scope.hash,
        scope_text: plan.scope.text.clone(),
        command_line: command_line(),
        seed: plan.seed,
        shard: plan.shard,
        vantage: vantage.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        settings: settings.to_string(),
        positions: plan.order.len(),
        started: now,
    }
}

/// The program's arguments; what is no text is written as near to it as text can be.
fn command_line() -> Vec<String> {
    std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect()
}

/// What is told when a scan begins.
pub(super) fn opening_line(scan: &Scan, plan: &Plan) -> String {
    use crate::domain::text::counted;
    let rate = |rate: Option<f64>| rate.map_or("unlimited".to_owned(), |rate| format!("{rate}/s"));
    format!(
        "scan {} of scope '{}': {}, ports {}, rate {}, {} per prefix",
        scan.id,
        crate::domain::text::escape(&scan.scope_name),
        counted(plan.address_count(), "address", "addresses"),
        plan.ports,
        rate(plan.tempo.rate),
        rate(plan.tempo.rate_per_prefix),
    )
}

/// Prints what was found, and turns how the sweep ended into how the program exits.
fn conclude(
    args: &ScanArgs,
    scan: &Scan,
    mut swept: Swept,
    text: Option<String>,
) -> Result<Exit, Failure> {
    let reported = match (text, &args.output.output) {
        // The file was made before the sweep; of a resumed scan it may hold the report so far.
        (Some(text), Some(path)) => std::fs::File::options()
            .append(true)
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| Failure::local(format!("cannot write {}: {error}", path.display()))),
        (Some(text), None) => terminal::print(&text),
        (None, _) => Ok(()),
    };
    let resume = format!(
        "scan {} is unfinished: {} of {} positions are covered; finish it with the same command and \
         --resume={}",
        scan.id,
        swept.covered.len(),
        scan.positions,
        scan.id
    );
    if !swept.complete {
        terminal::note(&resume);
    }
    let exit = swept.exit()?;
    reported?;
    let found = args.fail_on.is_some_and(|what| is_found(what, &swept));
    Ok(if found && exit == Exit::Done { Exit::Found } else { exit })
}

/// Whether there was what `what` names.
fn is_found(what: FailOn, swept: &Swept) -> bool {
    let count = |is_meant: fn(Tier) -> bool| swept.counts.of_tiers(is_meant);
    match what {
        FailOn::Exact => count(|tier| tier == Tier::A) > 0,
        FailOn::Match => count(Tier::is_certain) > 0,
        FailOn::Any => count(|_| true) > 0,
        FailOn::New => {
            swept.news.iter().any(|(kind, tier, _)| kind.is_arrival() && tier.is_certain())
        }
    }
}
