//! What follows runs: transitions are kept, and told over the channels of the settings file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::select;
use tokio::sync::Notify;
use tokio::task::block_in_place;
use tokio_util::sync::CancellationToken;

use super::{System, now};
use crate::cli::exit::Failure;
use crate::cli::settings::File;
use crate::cli::terminal;
use crate::domain::alert::{Alert, Wanted};
use crate::domain::job::Job;
use crate::domain::ledger::Rules;
use crate::domain::time::Timestamp;
use crate::store::{About, Ledger};
use crate::watch::alert::{self, Opened, Patience, Round, Surroundings, Worker};
use crate::watch::{Sequel, WAKE};

/// Transitions of which it is decided at once who is told.
const DECIDED_AT_ONCE: u32 = 256;

/// The shortest pause between two looks into the outbox.
const SHORTEST: Duration = Duration::from_millis(100);

/// Derives transitions, decides who is told, and tells.
pub(super) struct Teller {
    store: PathBuf,
    news: (Rules, About),
    jobs: Vec<Job>,
    channels: Vec<Opened>,
    /// Decides who is told.
    deciding: Worker,
    /// Whether there is something new to tell.
    waiting: Notify,
}

impl Teller {
    /// One for the jobs and channels of `file`, with the outbox in the ledger at `store`.
    pub(super) fn open(file: &File, store: &Path) -> Result<Self, Failure> {
        let folder = Path::new(file.name()).parent().unwrap_or(Path::new(""));
        let environment = |name: &str| std::env::var(name).ok();
        let from = Surroundings { folder, environment: &environment };
        let channels = alert::open(&file.alerts, &from, Patience::default())
            .map_err(|error| Failure::usage(format!("{}: {error}", file.name())))?;
        let jobs = file.jobs.clone();
        let by_job = {
            let jobs = jobs.clone();
            move |alert: &Alert| job_of(&jobs, alert).map_or(Wanted::default(), |job| job.alert_on)
        };
        Ok(Self {
            store: store.to_owned(),
            news: (file.rules, file.about()),
            deciding: Worker::new(channels.clone(), by_job),
            jobs,
            channels,
            waiting: Notify::new(),
        })
    }

    /// Writes down for every transition which channels are to carry it.
    fn decide(&self, ledger: &mut Ledger, now: Timestamp) -> Result<(), String> {
        loop {
            let untold = ledger.untold(DECIDED_AT_ONCE).map_err(|error| error.to_string())?;
            if untold.is_empty() {
                return Ok(());
            }
            let decided: Vec<_> = untold
                .iter()
                .map(|untold| {
                    let job = job_of(&self.jobs, &untold.alert);
                    let only = job.and_then(|job| job.alerts.as_deref());
                    (untold.transition, self.deciding.addressees(&untold.alert, only))
                })
                .collect();
            ledger.tell(&decided, now).map_err(|error| error.to_string())?;
        }
    }

    /// A worker that tells whatever was decided to be told.
    fn telling(&self) -> Worker {
        Worker::new(self.channels.clone(), |_| Wanted::All)
    }

    fn ledger(&self) -> Option<Ledger> {
        block_in_place(|| super::ledger(&self.store))
            .inspect_err(|failure| terminal::note(&format!("alerts: {}", failure.message)))
            .ok()
    }
}

/// The job whose scan showed what `alert` tells.
fn job_of<'a>(jobs: &'a [Job], alert: &Alert) -> Option<&'a Job> {
    let name = alert.job.as_deref()?;
    jobs.iter().find(|job| job.name() == name)
}

/// Tells what is due, once; what was done, unless the outbox failed.
async fn round(worker: &mut Worker, ledger: &mut Ledger) -> Option<Round> {
    let clock: Arc<dyn alert::Clock> = Arc::new(System);
    match worker.round(ledger, &clock).await {
        Ok(round) => {
            for failed in &round.failed {
                let what = if failed.given_up { "given up" } else { "will be tried again" };
                terminal::note(&format!("alert '{}' {what}: {}", failed.channel, failed.why));
            }
            Some(round)
        }
        Err(error) => {
            terminal::note(&format!("alerts: {error}"));
            None
        }
    }
}

impl Sequel for Teller {
    fn derive(
        &self,
        ledger: &mut Ledger,
        _job: &Job,
        scan: &str,
        now: Timestamp,
    ) -> Result<u64, String> {
        let (rules, about) = self.news;
        ledger.derive(rules, about, now).map_err(|error| error.to_string())?;
        self.decide(ledger, now)?;
        self.waiting.notify_one();
        let found = ledger.transitions_of(scan, now).map_err(|error| error.to_string())?;
        Ok(found.iter().map(|(.., count)| count).sum())
    }

    async fn attend(&self, stop: CancellationToken) {
        if self.channels.is_empty() {
            return stop.cancelled().await;
        }
        let Some(mut ledger) = self.ledger() else { return stop.cancelled().await };
        let mut worker = self.telling();
        // What was found and not decided before the last end.
        if let Err(why) = block_in_place(|| self.decide(&mut ledger, now())) {
            terminal::note(&format!("alerts: {why}"));
        }
        while !stop.is_cancelled() {
            if round(&mut worker, &mut ledger).await.is_some_and(|round| round.delivered > 0) {
                continue;
            }
            let next = worker.wakes(&mut ledger).ok().flatten();
            let pause = next.map_or(WAKE, |at| at.since(now()).clamp(SHORTEST, WAKE));
            select! {
                () = stop.cancelled() => return,
                () = self.waiting.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn attend_once(&self) {
        if self.channels.is_empty() {
            return;
        }
        let Some(mut ledger) = self.ledger() else { return };
        let mut worker = self.telling();
        while round(&mut worker, &mut ledger).await.is_some_and(|round| round.delivered > 0) {}
    }
}
