//! `certsweep watch`: the jobs of the settings file, run on their schedules by this process.
//!
//! When is decided in `domain::schedule` and done by `watch`; what a run does is what `scan` does.

mod book;
mod check;
mod run;
mod status;
mod teller;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::args::{Handshake, OutputArgs, ScanArgs, ScopeArgs, WatchArgs, WatchFailOn};
use super::exit::{Exit, Failure};
use super::settings::File;
use super::{scan, session, terminal};
use crate::domain::diagnostic::hint;
use crate::domain::job::Job;
use crate::domain::schedule::Ended;
use crate::domain::text::{counted, escape};
use crate::domain::time::Timestamp;
use crate::engine;
use crate::store::{Hold, Ledger};
use crate::watch::{self, Clock, Sequel, World, alert};

use book::Book;
use run::Sweeper;
use teller::Teller;

/// What is watched: the jobs of a settings file, and their ledger.
#[derive(Clone)]
struct Watch {
    /// The settings file as it was named.
    config: Option<PathBuf>,
    /// Its name.
    file: String,
    jobs: Vec<Job>,
    store: PathBuf,
    settings: Arc<File>,
}

/// Runs `watch`.
pub(super) fn run(args: &WatchArgs) -> Result<Exit, Failure> {
    let watch = Watch::read(args)?;
    if args.check {
        return check::run(&watch, now());
    }
    if args.status {
        return status::run(&watch, args.format, now());
    }
    let runtime = session::runtime()?;
    let _entered = runtime.enter();
    let done = match &args.once {
        Some(name) => runtime.block_on(once(&watch, name, args.fail_on)),
        None => runtime.block_on(keep(watch)),
    };
    // A probe that is still open when a sweep was cut short is of no use to anybody.
    runtime.shutdown_background();
    done
}

impl Watch {
    fn read(args: &WatchArgs) -> Result<Self, Failure> {
        let file = File::read(args.config.as_deref())?;
        if file.jobs.is_empty() {
            let name = if file.name().is_empty() { "certsweep.toml" } else { file.name() };
            return Err(Failure::usage(format!("{name}: there is no [[job]] to watch")));
        }
        let store = file.ledger(args.store.as_deref())?;
        let config = args.config.clone();
        let (name, jobs) = (file.name().to_owned(), file.jobs.clone());
        Ok(Self { config, file: name, jobs, store, settings: Arc::new(file) })
    }

    /// The job called `name`.
    fn job(&self, name: &str) -> Result<&Job, Failure> {
        self.jobs.iter().find(|job| job.name() == name).ok_or_else(|| {
            let known: Vec<&str> = self.jobs.iter().map(Job::name).collect();
            let hint = hint(name, &known);
            let name = escape(name);
            Failure::usage(format!("{}: there is no job '{name}'{hint}", self.file))
        })
    }

    /// What `scan` would be given for a run of `job`. Paths are relative to the settings file.
    fn arguments(&self, job: &Job) -> ScanArgs {
        let folder = Path::new(&self.file).parent().unwrap_or(Path::new(""));
        // A lone hyphen would be standard input.
        let path = |name: &String| match (name.as_str(), folder == Path::new("")) {
            ("-", true) => PathBuf::from("./-"),
            _ => folder.join(name),
        };
        ScanArgs {
            scope: ScopeArgs { scope: Some(path(&job.scope)), ..ScopeArgs::default() },
            targets: job.targets.as_ref().map(path),
            ports: job.ports.clone(),
            indicators: job.indicators.iter().map(path).collect(),
            rate: job.rate,
            rate_per_prefix: job.rate_per_prefix,
            concurrency: job.concurrency,
            timeout: job.timeout,
            handshake: job.handshake.map(Handshake::of),
            vantage: job.vantage.clone(),
            output: OutputArgs { store: Some(self.store.clone()), ..OutputArgs::default() },
            config: self.config.clone(),
            ..ScanArgs::default()
        }
    }
}

/// Runs all jobs until a signal.
async fn keep(watch: Watch) -> Result<Exit, Failure> {
    let stop = session::interruptible()?;
    let sequel = Arc::new(Teller::open(&watch.settings, &watch.store)?);
    let book = Book::open(&watch.store)?;
    let names = watch.jobs.iter().map(Job::name);
    let _holds: Vec<Hold> = names.map(|name| book.hold(name)).collect::<Result<_, _>>()?;
    let jobs = watch.jobs.clone();
    let told = counted(jobs.len() as u128, "job", "jobs");
    terminal::note(&format!("watching {told} of {}, ledger {}", watch.file, watch.store.display()));
    let attending = {
        let (sequel, stop) = (Arc::clone(&sequel), stop.clone());
        tokio::spawn(async move { sequel.attend(stop).await })
    };
    let runner = Sweeper::new(watch, sequel);
    let world = Arc::new(World { clock: System, memory: book, runner });
    let watched = watch::watch(jobs, &world, &stop).await;
    stop.cancel();
    attending.await.map_err(|error| Failure::local(format!("the alerts: {error}")))?;
    match watched.failure {
        Some(failure) => Err(Failure::local(failure)),
        None if watched.interrupted => Ok(Exit::Interrupted),
        None => Ok(Exit::Done),
    }
}

/// Runs the job called `name` once.
async fn once(watch: &Watch, name: &str, fail_on: Option<WatchFailOn>) -> Result<Exit, Failure> {
    let job = watch.job(name)?.clone();
    let stop = session::interruptible()?;
    let sequel = Arc::new(Teller::open(&watch.settings, &watch.store)?);
    let book = Book::open(&watch.store)?;
    let _hold = book.hold(name)?;
    let runner = Sweeper::new(watch.clone(), Arc::clone(&sequel));
    let world = Arc::new(World { clock: System, memory: book, runner });
    let ran = watch::once(job, Arc::clone(&world), stop).await.map_err(Failure::local)?;
    sequel.attend_once().await;
    let found = world.runner.found();
    if let Some(exit) = found.exit {
        // The line on why has been told.
        return Ok(exit);
    }
    let counts = match fail_on {
        None => 0,
        Some(WatchFailOn::Match) => found.matched,
        Some(WatchFailOn::New) => found.new,
    };
    let complete = ran.end == Ended::Complete;
    Ok(if counts > 0 && complete { Exit::Found } else { Exit::Done })
}

/// The time of day.
fn now() -> Timestamp {
    engine::Clock::start().wall()
}

/// The system's clock.
#[derive(Clone, Copy, Debug)]
struct System;

impl Clock for System {
    fn now(&self) -> Timestamp {
        now()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

impl alert::Clock for System {
    fn now(&self) -> Timestamp {
        now()
    }
}

/// The ledger at `store` for reading, if there is one.
fn read_only(store: &Path) -> Result<Option<Ledger>, Failure> {
    if !store.exists() {
        return Ok(None);
    }
    Ok(Some(Ledger::open_read_only(store)?))
}

/// The ledger at `store` for writing.
fn ledger(store: &Path) -> Result<Ledger, Failure> {
    scan::ledger(store)
}
