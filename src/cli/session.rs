//! One sweep from its first packet to its last record: the engine on one side, the ledger, the output
//! and the live view on the other.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::exit::Failure;
use super::progress::Progress;
use super::sink::{self, Sink};
use crate::domain::coverage::Coverage;
use crate::domain::indicator::Index;
use crate::domain::observation::Observation;
use crate::domain::plan::Plan;
use crate::domain::record::{self, Origin};
use crate::domain::scan::{Counts, Scan};
use crate::domain::tls::RustlsOffer;
use crate::engine::{self, Clock, Event, Prober, RunEnd, signals};
use crate::store::{Batch, Ledger};

/// The longest that an observation waits to be written down.
const COMMIT_EVERY: Duration = Duration::from_millis(500);

/// Observations written down together at most.
const BATCH_MAX: usize = 1_024;

/// Events between engine and collector: the engine waits when they are full.
const QUEUE: usize = 4_096;

/// What a sweep needs besides its plan.
pub(super) struct Session<'a> {
    pub(super) scan: &'a Scan,
    pub(super) index: Arc<Index>,
    pub(super) ledger: Ledger,
    pub(super) covered: Coverage,
    pub(super) counts: Counts,
    pub(super) sink: Option<Box<dyn Sink>>,
    pub(super) output: Option<&'a Path>,
}

/// How a sweep ended.
pub(super) struct Swept {
    pub(super) end: RunEnd,
    pub(super) counts: Counts,
    pub(super) covered: Coverage,
    pub(super) complete: bool,
    pub(super) ledger: Ledger,
    /// Why the results could not all be written, if so; what was written before is kept.
    pub(super) failure: Option<Failure>,
}

/// The runtime that sweeps run on.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::local(format!("cannot start threads: {error}")))
}

/// What makes probes for `plan`.
pub(super) fn prober(plan: &Plan, index: Arc<Index>) -> Result<Prober, Failure> {
    let offer = RustlsOffer::new(plan.tempo.limits)
        .map_err(|error| Failure::local(format!("cannot set up TLS: {error}")))?;
    Ok(Prober {
        offer: Arc::new(offer),
        index,
        clock: Clock::start(),
        connect_timeout: plan.tempo.connect_timeout,
    })
}

impl Session<'_> {
    /// Sweeps what is left of `plan`.
    pub(super) async fn sweep(self, plan: Arc<Plan>) -> Result<Swept, Failure> {
        let stop = CancellationToken::new();
        let progress = Progress::new(self.scan.positions, self.covered.len());
        interruptible(&stop, progress.announcer())?;
        let prober = prober(&plan, Arc::clone(&self.index))?;
        let clock = prober.clock;
        let (sender, events) = mpsc::channel(QUEUE);
        let engine =
            tokio::spawn(engine::run(plan, self.covered.clone(), prober, sender, stop.clone()));
        let collector = Collector {
            progress,
            scan: self.scan,
            ledger: self.ledger,
            sink: self.sink,
            output: self.output,
            covered: self.covered,
            counts: self.counts,
            batch: Vec::new(),
            failure: None,
            stop,
        };
        let collector = collector.collect(events).await;
        let end = engine.await.map_err(|error| Failure::local(format!("the engine: {error}")))?;
        Ok(tokio::task::block_in_place(|| collector.finish(end, clock)))
    }
}

/// First signal: drain. Second: leave.
fn interruptible(
    stop: &CancellationToken,
    announce: impl Fn(&str) + Send + 'static,
) -> Result<(), Failure> {
    let drained = move || {
        announce("interrupted: waiting for open connections to end; once more to leave at once");
    };
    let leave = || std::process::exit(super::exit::Exit::Interrupted.code().into());
    signals::watch(stop.clone(), drained, leave)
        .map_err(|error| Failure::local(format!("cannot watch for signals: {error}")))
}

/// Takes events in batches; each batch goes out, then into the ledger with what it covers.
struct Collector<'a> {
    scan: &'a Scan,
    ledger: Ledger,
    sink: Option<Box<dyn Sink>>,
    output: Option<&'a Path>,
    progress: Progress,
    covered: Coverage,
    counts: Counts,
    batch: Vec<(u64, Observation)>,
    failure: Option<Failure>,
    stop: CancellationToken,
}

impl Collector<'_> {
    async fn collect(mut self, mut events: Receiver<Event>) -> Self {
        let mut waiting = Vec::with_capacity(BATCH_MAX);
        loop {
            let commit_at = Instant::now() + COMMIT_EVERY;
            let mut open = true;
            while self.batch.len() < BATCH_MAX {
                let room = BATCH_MAX - self.batch.len();
                match tokio::time::timeout_at(commit_at, events.recv_many(&mut waiting, room)).await
                {
                    Ok(0) => {
                        open = false;
                        break;
                    }
                    Ok(_) => waiting.drain(..).for_each(|event| self.take(event)),
                    Err(_) => break,
                }
            }
            tokio::task::block_in_place(|| self.commit());
            if !open {
                return self;
            }
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Observed { position, observation } => self.batch.push((position, *observation)),
            Event::Skipped { first, last } => {
                for position in first..=last {
                    self.covered.insert(position);
                }
            }
            Event::Fault { ticket, message } => {
                self.counts.faults += 1;
                self.progress.line(&format!(
                    "fault: {} was not probed: {message}; please report this",
                    ticket.target
                ));
            }
            Event::Slowed { reason, concurrency } => self
                .progress
                .line(&format!("slowed down to {concurrency} connections at once: {reason}")),
        }
    }

    /// Writes the batch out and down. After a failure nothing more is written, so that coverage never
    /// claims what the ledger does not hold.
    fn commit(&mut self) {
        if self.failure.is_none()
            && let Err(failure) = self.write()
        {
            self.failure = Some(failure);
            self.stop.cancel();
        }
        self.batch.clear();
    }

    fn write(&mut self) -> Result<(), Failure> {
        let origin = Origin { scan: Some(&self.scan.id), vantage: &self.scan.vantage };
        if let Some(sink) = &mut self.sink {
            let written = self
                .batch
                .iter()
                .try_for_each(|(_, observation)| sink.observation(origin, observation))
                .and_then(|()| sink.flush());
            written.map_err(|error| sink::failure(self.output, &error))?;
        }
        let (mut covered, mut counts) = (self.covered.clone(), self.counts.clone());
        for (position, observation) in &self.batch {
            if covered.insert(*position) {
                counts.add(&observation.outcome);
                counts.matched += u64::from(!observation.matches.is_empty());
            }
        }
        self.ledger.record(&Batch {
            scan: &self.scan.id,
            vantage: &self.scan.vantage,
            observations: &self.batch,
            coverage: &covered,
            counts: &counts,
        })?;
        for (_, observation) in &self.batch {
            self.progress.matched(observation);
        }
        (self.covered, self.counts) = (covered, counts);
        self.progress.advance(self.covered.len(), &self.counts);
        Ok(())
    }

    fn finish(mut self, end: RunEnd, clock: Clock) -> Swept {
        self.progress.end();
        let complete = matches!(end, RunEnd::Complete)
            && self.failure.is_none()
            && self.covered.len() == self.scan.positions;
        let ended = clock.wall();
        if let Err(error) = self.ledger.finish_scan(&self.scan.id, ended, complete) {
            self.failure.get_or_insert(error.into());
        }
        if let Some(sink) = &mut self.sink {
            let record = record::scan_ended(self.scan, &self.counts, ended, complete);
            if let Err(error) = sink.scan(&record).and_then(|()| sink.flush()) {
                self.failure.get_or_insert(sink::failure(self.output, &error));
            }
        }
        Swept {
            end,
            counts: self.counts,
            covered: self.covered,
            complete,
            ledger: self.ledger,
            failure: self.failure,
        }
    }
}
