//! One sweep from its first packet to its last record: the engine on one side, the ledger, the output
//! and the live view on the other.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::exit::{Exit, Failure};
use super::progress::Progress;
use super::sink::{self, Sink};
use crate::domain::coverage::Coverage;
use crate::domain::indicator::{Index, IndicatorSet};
use crate::domain::observation::Observation;
use crate::domain::plan::Plan;
use crate::domain::record::{self, Origin};
use crate::domain::scan::{Counts, Scan};
use crate::domain::tls::RustlsOffer;
use crate::engine::{self, Clock, Event, Prober, RunEnd, signals};
use crate::store::{Batch, Hold, Ledger, Resumable};

/// The longest that an observation waits to be written down.
const COMMIT_EVERY: Duration = Duration::from_millis(500);

/// Observations written down together at most.
const BATCH_MAX: usize = 1_024;

/// Events between engine and collector: the engine waits when they are full.
const QUEUE: usize = 4_096;

/// A scan that is written down as going on, and that no other process goes on with.
pub(super) struct Begun {
    pub(super) scan: Scan,
    ledger: Ledger,
    hold: Hold,
    covered: Coverage,
    counts: Counts,
}

/// Writes down in `ledger` that `scan` begins, matching against `sets`.
pub(super) fn begin(
    mut ledger: Ledger,
    scan: Scan,
    sets: &[IndicatorSet],
) -> Result<Begun, Failure> {
    let hold = ledger.hold(&scan.id)?;
    ledger.begin_scan(&scan, sets)?;
    let (covered, counts) = (Coverage::default(), Counts::default());
    Ok(Begun { scan, ledger, hold, covered, counts })
}

/// Writes down in `ledger` that the scan called `id` goes on from where it was; `None` if it is finished.
pub(super) fn resume(
    mut ledger: Ledger,
    id: &str,
    sets: &[IndicatorSet],
) -> Result<Option<Begun>, Failure> {
    let hold = ledger.hold(id)?;
    // Only now, since whoever held it before may have gone on with it.
    let Some(Resumable { scan, coverage: covered, mut counts }) = ledger.resumable(id)? else {
        return Ok(None);
    };
    // What a fault kept from being probed is tried again.
    counts.faults = 0;
    ledger.resume_scan(id, sets)?;
    Ok(Some(Begun { scan, ledger, hold, covered, counts }))
}

/// What a sweep needs besides its plan.
pub(super) struct Session<'a> {
    pub(super) begun: Begun,
    pub(super) index: Arc<Index>,
    pub(super) sink: Option<Box<dyn Sink>>,
    pub(super) output: Option<&'a Path>,
    pub(super) stop: CancellationToken,
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

/// A token that is cancelled by the first signal; the second one leaves at once.
pub(super) fn interruptible() -> Result<CancellationToken, Failure> {
    let stop = CancellationToken::new();
    signals::watch(stop.clone(), || std::process::exit(Exit::Interrupted.code().into()))
        .map_err(|error| Failure::local(format!("cannot watch for signals: {error}")))?;
    Ok(stop)
}

impl Session<'_> {
    /// Sweeps what is left of `plan`.
    pub(super) async fn sweep(self, plan: Arc<Plan>) -> Result<Swept, Failure> {
        let Begun { scan, ledger, hold, covered, counts } = self.begun;
        let prober = prober(&plan, self.index)?;
        let clock = prober.clock;
        let (sender, events) = mpsc::channel(QUEUE);
        let run = engine::run(plan, covered.clone(), prober, sender, self.stop.clone());
        let engine = tokio::spawn(run);
        let collector = Collector {
            progress: Progress::new(scan.positions, covered.len()),
            scan,
            ledger,
            sink: self.sink,
            output: self.output,
            covered,
            counts,
            batch: Vec::new(),
            failure: None,
            stop: self.stop,
            interruption_told: false,
        };
        let collector = collector.collect(events).await;
        let end = engine.await.map_err(|error| Failure::local(format!("the engine: {error}")))?;
        let swept = tokio::task::block_in_place(|| collector.finish(end, clock));
        drop(hold);
        Ok(swept)
    }
}

/// Takes events in batches; each batch goes out, then into the ledger with what it covers.
struct Collector<'a> {
    scan: Scan,
    ledger: Ledger,
    sink: Option<Box<dyn Sink>>,
    output: Option<&'a Path>,
    progress: Progress,
    covered: Coverage,
    counts: Counts,
    batch: Vec<(u64, Observation)>,
    failure: Option<Failure>,
    stop: CancellationToken,
    interruption_told: bool,
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
            self.tell_interruption();
            if !open {
                return self;
            }
        }
    }

    fn tell_interruption(&mut self) {
        if self.stop.is_cancelled() && self.failure.is_none() && !self.interruption_told {
            self.interruption_told = true;
            self.progress.line(
                "interrupted: waiting for open connections to end; once more to leave at once",
            );
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
            let record = record::scan_ended(&self.scan, &self.counts, ended, complete);
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
