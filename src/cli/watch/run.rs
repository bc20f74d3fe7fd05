//! One run of a job: what `scan` does, with a line for each event.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::block_in_place;
use tokio_util::sync::CancellationToken;

use super::{Watch, now, read_only};
use crate::cli::args::ScanArgs;
use crate::cli::exit::{Exit, Failure};
use crate::cli::progress::View;
use crate::cli::scan::{self, Prepared};
use crate::cli::session::{Session, Swept};
use crate::cli::settings::Given;
use crate::cli::terminal;
use crate::domain::indicator::{Index, Tier};
use crate::domain::job::Job;
use crate::domain::schedule::Ended;
use crate::domain::text::counted;
use crate::domain::time::Timestamp;
use crate::engine::RunEnd;
use crate::watch::{Event, Ran, Runner, Sequel, Work};

/// Runs jobs with the code of `scan`.
pub(super) struct Sweeper<S> {
    watch: Watch,
    sequel: Arc<S>,
    found: Mutex<Found>,
}

/// What the runs so far found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    /// Visits whose closest match is at tier A or B.
    pub(super) matched: u64,
    /// Matches that are new at their place, moved there or are back.
    pub(super) new: u64,
    /// How the program should exit because of the last run, if it did not end well.
    pub(super) exit: Option<Exit>,
}

impl<S: Sequel> Sweeper<S> {
    pub(super) fn new(watch: Watch, sequel: Arc<S>) -> Self {
        Self { watch, sequel, found: Mutex::default() }
    }

    /// What all runs so far found.
    pub(super) fn found(&self) -> Found {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, add: impl FnOnce(&mut Found)) {
        add(&mut self.found.lock().unwrap_or_else(PoisonError::into_inner));
    }

    async fn sweep(
        &self,
        job: &Job,
        work: &Work,
        stop: &CancellationToken,
        begun: impl FnOnce(&str) + Send,
    ) -> Result<Ran, Failure> {
        let now = now();
        let prepared = block_in_place(|| self.prepare(job, work, now))?;
        let (args, prepared) = match prepared {
            Ready::Nothing(ran) => return Ok(ran),
            Ready::Sweep(ready) => *ready,
        };
        for warning in &prepared.warnings {
            say(job.name(), warning);
        }
        let open = block_in_place(|| scan::begin(&args, &prepared, Some(job.name()), now))?;
        begun(&open.scan.id);
        say(job.name(), &scan::opening_line(&open.scan, &prepared.plan));
        let Prepared { plan, sets, policy, settings, .. } = prepared;
        let id = open.scan.id.clone();
        let session = Session {
            begun: open,
            index: Arc::new(Index::new(&sets)),
            policy,
            sink: None,
            output: None,
            // A failure stops its own sweep, and no other job's.
            stop: stop.child_token(),
            news: settings.news,
            view: View::Events(job.name().to_owned()),
        };
        let swept = session.sweep(Arc::new(plan)).await?;
        block_in_place(|| self.conclude(job, id, swept))
    }

    /// All files are read anew, so that what an owner opted out of is left out from this run on.
    fn prepare(&self, job: &Job, work: &Work, now: Timestamp) -> Result<Ready, Failure> {
        let (mut args, given) = (self.watch.arguments(job), Given::Job(job.name()));
        match work {
            Work::Matches => {
                let ledger = read_only(&self.watch.store)?;
                let known = ledger.map(|ledger| ledger.known_matches()).transpose()?;
                let prepared = scan::prepare_known(&args, given, now, &known.unwrap_or_default())?;
                Ok(match prepared {
                    Some(prepared) => Ready::Sweep(Box::new((args, prepared))),
                    None => Ready::Nothing(Ran {
                        scan: None,
                        end: Ended::Complete,
                        why: Some("no known matches in its scope".to_owned()),
                    }),
                })
            }
            Work::Whole => {
                let prepared = scan::prepare(&args, given, now)?;
                Ok(Ready::Sweep(Box::new((args, prepared))))
            }
            Work::Resume(id) => {
                let ledger = read_only(&self.watch.store)?;
                let complete = ledger.map(|ledger| ledger.is_complete(id)).transpose()?.flatten();
                if complete == Some(true) {
                    let ran = Ran { scan: Some(id.clone()), end: Ended::Complete, why: None };
                    return Ok(Ready::Nothing(ran));
                }
                args.resume = Some(id.clone());
                match scan::prepare(&args, given, now) {
                    Ok(prepared) => Ok(Ready::Sweep(Box::new((args, prepared)))),
                    Err(failure) if failure.exit == Exit::Usage => {
                        args.resume = None;
                        let prepared = scan::prepare(&args, given, now)?;
                        say(job.name(), &format!("{}; begins anew", failure.message));
                        Ok(Ready::Sweep(Box::new((args, prepared))))
                    }
                    Err(failure) => Err(failure),
                }
            }
        }
    }

    /// How a sweep that came to its end went, and what follows from it.
    fn conclude(&self, job: &Job, id: String, mut swept: Swept) -> Result<Ran, Failure> {
        let matched = swept.counts.of_tiers(Tier::is_certain);
        let targets = counted(swept.counts.total().into(), "target", "targets");
        let mut told = format!("{targets}, {}", counted(matched.into(), "match", "matches"));
        let arrived =
            swept.news.iter().filter(|(kind, tier, _)| kind.is_arrival() && tier.is_certain());
        let new = arrived.map(|(.., count)| count).sum::<u64>();
        if new > 0 {
            told.push_str(&format!(" ({new} new)"));
        }
        self.note(|found| (found.matched, found.new) = (found.matched + matched, found.new + new));
        match self.sequel.derive(&mut swept.ledger, job, &id, now()) {
            Ok(0) => {}
            Ok(count) => {
                let changes = counted(count.into(), "transition", "transitions");
                told.push_str(&format!(", {changes}"));
            }
            Err(why) => say(job.name(), &format!("transitions were not derived: {why}")),
        }
        let end = match &swept.end {
            _ if swept.complete => Ended::Complete,
            RunEnd::Refused(_) => Ended::Refused,
            RunEnd::Stopped if swept.failure.is_none() => Ended::Interrupted,
            RunEnd::Complete | RunEnd::Broken if swept.failure.is_none() => Ended::Incomplete,
            _ => Ended::Failed,
        };
        let exit = swept.exit();
        self.note(|found| {
            found.exit = match &exit {
                Ok(exit) => Some(*exit).filter(|exit| *exit != Exit::Done),
                Err(failure) => Some(failure.exit),
            };
        });
        if let Err(failure) = exit {
            told = format!("{}; {told}", failure.message);
        }
        Ok(Ran { scan: Some(id), end, why: Some(told) })
    }
}

/// What is to be swept.
enum Ready {
    /// Nothing: this is how it went.
    Nothing(Ran),
    /// What was prepared from these arguments.
    Sweep(Box<(ScanArgs, Prepared)>),
}

impl<S: Sequel> Runner for Sweeper<S> {
    async fn run(
        &self,
        job: &Job,
        work: &Work,
        stop: &CancellationToken,
        begun: impl FnOnce(&str) + Send,
    ) -> Ran {
        self.note(|found| found.exit = None);
        self.sweep(job, work, stop, begun).await.unwrap_or_else(|failure| {
            self.note(|found| found.exit = Some(failure.exit));
            let end = match failure.exit {
                Exit::Usage | Exit::Refused => Ended::Refused,
                _ => Ended::Failed,
            };
            Ran { scan: None, end, why: Some(failure.message) }
        })
    }

    fn tell(&self, job: &str, event: &Event<'_>) {
        let line = match event {
            Event::Waits { start, matches } => waits(*start, *matches),
            Event::Begins(work) => match work {
                Work::Matches => "known matches are visited".to_owned(),
                Work::Whole => "the whole range is swept".to_owned(),
                Work::Resume(scan) => format!("scan {scan} was cut short and goes on"),
            },
            Event::Ended(work, ran) => {
                let what = if **work == Work::Matches { "known matches" } else { "whole range" };
                let why = ran.why.as_ref().map_or(String::new(), |why| format!(": {why}"));
                format!("{what} {}{why}", ran.end.word())
            }
            Event::Forgets(why) => format!("cannot write down what is due, so nothing runs: {why}"),
        };
        say(job, &line);
    }
}

fn waits(start: Option<Timestamp>, matches: Option<Timestamp>) -> String {
    let start = start.map_or("no further run".to_owned(), |start| format!("next run {start}"));
    matches.map_or(start.clone(), |moment| format!("{start}, known matches {moment}"))
}

/// Prints `line` of the job called `job`.
fn say(job: &str, line: &str) {
    terminal::note(&format!("{job}: {line}"));
}
