//! One sweep from its first packet to its last record: the engine on one side, the ledger, the output
//! and the live view on the other.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::exit::{Exit, Failure};
use super::progress::{Progress, View};
use super::sink::{self, Sink};
use super::terminal;
use crate::domain::coverage::Coverage;
use crate::domain::indicator::{Index, IndicatorSet, Shared, Spread, Tier};
use crate::domain::ladder::{Policy, Summary};
use crate::domain::ledger::{Kind, Rules};
use crate::domain::observation::Observation;
use crate::domain::plan::{Plan, Tempo};
use crate::domain::record::{self, Origin};
use crate::domain::scan::{Counts, Fault, Scan};
use crate::domain::spent::Spent;
use crate::domain::text::defang_target;
use crate::domain::time::Timestamp;
use crate::domain::tls::own::{Glance, Goal, Hello};
use crate::domain::tls::{Asked, Clients, Limits};
use crate::engine::{self, Clock, Event, Prober, Ran, RunEnd, signals};
use crate::store::{About, Batch, Hold, Lease, Ledger, Renewal, Resumable};

/// The longest that an observation waits to be written down.
const COMMIT_EVERY: Duration = Duration::from_millis(500);

/// Observations written down together, at most about so many: of the pages that they change, the fewer are written
/// twice the more of them come at once.
const BATCH_MAX: usize = 8_192;

/// Bytes of leaves written down together, at most about so many: a leaf may have 64 KiB.
const BATCH_BYTES_MAX: usize = 8 * 1_024 * 1_024;

/// How long nobody else sweeps the same after a scan was last heard of, if it cannot be told that it is gone.
const LEASE: Duration = Duration::from_secs(60);

/// Batches of events between engine and collector: the engine waits when they are full.
const QUEUE: usize = 8;

/// A scan that is written down as going on, and that no other process goes on with.
pub(super) struct Begun {
    pub(super) scan: Scan,
    ledger: Ledger,
    hold: Hold,
    lease: Lease,
    covered: Coverage,
    counts: Counts,
    spread: Spread,
}

/// Writes down in `ledger` that `scan` begins, matching against `sets`.
pub(super) fn begin(
    mut ledger: Ledger,
    scan: Scan,
    sets: &[IndicatorSet],
) -> Result<Begun, Failure> {
    let hold = ledger.hold(&scan.id)?;
    let lease = lease(&mut ledger, &scan)?;
    ledger.begin_scan(&scan, sets)?;
    let (covered, counts) = (Coverage::default(), Counts::default());
    Ok(Begun { scan, ledger, hold, lease, covered, counts, spread: Spread::new(sets) })
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
    let lease = lease(&mut ledger, &scan)?;
    // What a fault kept from being probed is tried again.
    counts.faults = 0;
    let before = ledger.sets_of(id)?;
    let is_new = |set: &&IndicatorSet| !before.contains(&(set.name.clone(), set.hash));
    for set in sets.iter().filter(is_new) {
        terminal::note(&format!(
            "indicator set '{}' is new to this scan: what was seen before is not matched with it",
            set.name
        ));
    }
    ledger.resume_scan(id, sets)?;
    let mut spread = Spread::new(sets);
    ledger.add_to_spread(id, &mut spread)?;
    Ok(Some(Begun { scan, ledger, hold, lease, covered, counts, spread }))
}

/// The right to sweep the part of the plan that `scan` sweeps: two scans of the same at the same time would ask
/// everybody twice.
fn lease(ledger: &mut Ledger, scan: &Scan) -> Result<Lease, Failure> {
    let name = format!("plan:{}:{}", scan.plan_hash, scan.shard);
    // Where the system does not tell its name, all machines that do not are one.
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let machine = match machine.trim() {
        "" => "localhost",
        name => name,
    };
    Ok(ledger.lease(&name, (machine, &scan.id), Clock::start().wall(), LEASE)?)
}

/// What a sweep needs besides its plan.
pub(super) struct Session<'a> {
    pub(super) begun: Begun,
    pub(super) index: Arc<Index>,
    pub(super) policy: Policy,
    pub(super) sink: Option<Box<dyn Sink>>,
    pub(super) output: Option<&'a Path>,
    pub(super) stop: CancellationToken,
    /// When a certificate is called gone, and of which ones that is kept.
    pub(super) news: (Rules, About),
    pub(super) view: View,
}

/// How a sweep ended.
pub(super) struct Swept {
    pub(super) end: RunEnd,
    /// Where the time went.
    pub(super) spent: Spent,
    pub(super) counts: Counts,
    pub(super) covered: Coverage,
    pub(super) complete: bool,
    /// Indicators that were seen at so many places that they are probably shared.
    pub(super) shared: Vec<Shared>,
    /// What changed for matches, how often, by the tier of the closest match.
    pub(super) news: Vec<(Kind, Tier, u64)>,
    pub(super) ledger: Ledger,
    /// Why the results could not all be written, if so; what was written before is kept.
    pub(super) failure: Option<Failure>,
}

impl Swept {
    /// How the program exits after this sweep.
    pub(super) fn exit(&mut self) -> Result<Exit, Failure> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let faults = self.counts.faults;
        match std::mem::replace(&mut self.end, RunEnd::Stopped) {
            _ if self.complete => Ok(Exit::Done),
            RunEnd::Refused(refusal) => Err(Failure {
                exit: Exit::Refused,
                message: format!("{refusal}; stopped, and nothing more was sent"),
            }),
            RunEnd::Starved(error) => Err(Failure::local(format!(
                "cannot open any connection: {error}; close other programs or raise ulimit -n"
            ))),
            RunEnd::Stopped => Ok(Exit::Interrupted),
            RunEnd::Complete | RunEnd::Broken => Err(Failure::local(format!(
                "{faults} targets could not be probed because of faults in certsweep"
            ))),
        }
    }
}

/// The runtime that sweeps run on.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::local(format!("cannot start threads: {error}")))
}

/// What makes probes that ask what `policy` says, within `limits`.
pub(super) fn prober(
    policy: Policy,
    limits: Limits,
    connect_timeout: Duration,
    index: Arc<Index>,
) -> Result<Prober, Failure> {
    let unusable =
        |error: &dyn std::fmt::Display| Failure::local(format!("cannot set up TLS: {error}"));
    let mut entropy = [0; 64];
    getrandom::fill(&mut entropy).map_err(|error| unusable(&error))?;
    let offers = Clients::new(limits, &entropy).map_err(|error| unusable(&error))?;
    let glance = glance(&policy, limits).map_err(|error| unusable(&error))?;
    let (policy, offers) = (Arc::new(policy), Arc::new(offers));
    Ok(Prober { policy, offers, glance, index, clock: Clock::start(), connect_timeout })
}

/// The short way, where the first attempts of `policy` ask for what it offers.
fn glance(policy: &Policy, limits: Limits) -> Result<Option<Arc<Glance>>, getrandom::Error> {
    let mut entropy = [0; 112];
    getrandom::fill(&mut entropy)?;
    let is_asked = policy.first() == Asked::Own(Hello::Universal, Goal::Leaf);
    Ok(is_asked.then(|| Glance::new(limits, entropy)).flatten().map(Arc::new))
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
        let Begun { scan, ledger, hold, lease, covered, counts, spread } = self.begun;
        let Tempo { limits, connect_timeout, .. } = plan.tempo;
        let prober = prober(self.policy, limits, connect_timeout, self.index)?;
        let clock = prober.clock.clone();
        let (sender, events) = mpsc::channel(QUEUE);
        let run = engine::run(plan, covered.clone(), prober, sender, self.stop.clone());
        let engine = tokio::spawn(run);
        let collector = Collector {
            progress: Progress::new(scan.positions, covered.len(), self.view),
            scan,
            ledger,
            lease,
            clock: clock.clone(),
            sink: self.sink,
            output: self.output,
            covered,
            counts,
            spread,
            batch: Vec::new(),
            done: Vec::new(),
            batch_bytes: 0,
            faults: Vec::new(),
            has_skipped: false,
            failure: None,
            stop: self.stop,
            rules: self.news,
            interruption_told: false,
        };
        let collector = collector.collect(events).await;
        let ran = engine.await.map_err(|error| Failure::local(format!("the engine: {error}")))?;
        let swept = tokio::task::block_in_place(|| collector.finish(ran, &clock));
        drop(hold);
        Ok(swept)
    }
}

/// Takes events in batches; each batch goes out, then into the ledger with what it covers.
struct Collector<'a> {
    scan: Scan,
    ledger: Ledger,
    lease: Lease,
    clock: Clock,
    sink: Option<Box<dyn Sink>>,
    output: Option<&'a Path>,
    progress: Progress,
    covered: Coverage,
    counts: Counts,
    spread: Spread,
    batch: Vec<Observation>,
    /// The positions that the batch covers.
    done: Vec<(u64, Summary)>,
    batch_bytes: usize,
    faults: Vec<Fault>,
    /// Whether coverage has grown since it was last written down.
    has_skipped: bool,
    failure: Option<Failure>,
    stop: CancellationToken,
    rules: (Rules, About),
    interruption_told: bool,
}

impl Collector<'_> {
    async fn collect(mut self, mut events: Receiver<Vec<Event>>) -> Self {
        loop {
            let commit_at = Instant::now() + COMMIT_EVERY;
            let mut open = true;
            while open && self.batch.len() < BATCH_MAX && self.batch_bytes < BATCH_BYTES_MAX {
                match tokio::time::timeout_at(commit_at, events.recv()).await {
                    Ok(Some(batch)) => batch.into_iter().for_each(|event| self.take(event)),
                    Ok(None) => open = false,
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
            Event::Observed { position, observations, summary } => {
                let leaves = observations.iter().filter_map(|seen| seen.leaf.as_ref());
                self.batch_bytes += leaves.map(|leaf| leaf.der.len()).sum::<usize>();
                self.done.extend(summary.map(|summary| (position, summary)));
                self.batch.extend(observations);
            }
            Event::Skipped { first, last } => {
                self.has_skipped = true;
                for position in first..=last {
                    self.covered.insert(position);
                }
            }
            Event::Fault(fault) => {
                self.counts.faults += 1;
                self.progress.line(&format!(
                    "fault: {} was not probed: {}; please report this",
                    defang_target(fault.target),
                    fault.message
                ));
                self.faults.push(fault);
            }
            Event::Recovered { concurrency } => {
                self.progress.line(&format!("back to {concurrency} connections at once"));
            }
            Event::Slowed { reason, concurrency } => self
                .progress
                .line(&format!("slowed down to {concurrency} connections at once: {reason}")),
        }
    }

    /// Writes the batch out and down. After a failure nothing more is written, so that coverage never
    /// claims what the ledger does not hold.
    fn commit(&mut self) {
        let has_news = self.has_skipped || !self.batch.is_empty() || !self.faults.is_empty();
        if has_news
            && self.failure.is_none()
            && let Err(failure) = self.write()
        {
            self.failure = Some(failure);
            self.stop.cancel();
        }
        self.batch.clear();
        self.done.clear();
        self.faults.clear();
        (self.batch_bytes, self.has_skipped) = (0, false);
    }

    fn write(&mut self) -> Result<(), Failure> {
        let origin = Origin { scan: Some(&self.scan.id), vantage: &self.scan.vantage };
        if let Some(sink) = &mut self.sink {
            let written = self
                .batch
                .iter()
                .try_for_each(|observation| sink.observation(origin, observation))
                .and_then(|()| self.faults.iter().try_for_each(|fault| sink.fault(origin, fault)))
                .and_then(|()| sink.flush());
            written.map_err(|error| sink::failure(self.output, &error))?;
        }
        let (mut covered, mut counts) = (self.covered.clone(), self.counts.clone());
        for (position, summary) in &self.done {
            if covered.insert(*position) {
                counts.add(&summary.outcome);
                if let Some(tier) = summary.closest {
                    counts.add_tier(tier, 1);
                }
            }
        }
        self.ledger.record(&Batch {
            scan: &self.scan.id,
            observations: &self.batch,
            faults: &self.faults,
            coverage: &covered,
            counts: &counts,
            renewal: Some(Renewal { lease: &self.lease, now: self.clock.wall() }),
        })?;
        for observation in &self.batch {
            for found in &observation.matches {
                self.spread.add(&found.set, &found.indicator, observation.target.address);
            }
            self.progress.matched(observation);
        }
        (self.covered, self.counts) = (covered, counts);
        self.progress.advance(self.covered.len(), &self.counts);
        Ok(())
    }

    /// What this scan changed, as far as it came.
    fn news(&mut self, now: Timestamp) -> Vec<(Kind, Tier, u64)> {
        let (rules, about) = self.rules;
        let found = self
            .ledger
            .derive(rules, about, now)
            .and_then(|_| self.ledger.transitions_of(&self.scan.id, now));
        found.unwrap_or_else(|error| {
            self.failure.get_or_insert(error.into());
            Vec::new()
        })
    }

    fn finish(mut self, ran: Ran, clock: &Clock) -> Swept {
        self.progress.end();
        // Told to stop when all had been tried, a scan is as complete as any.
        let complete = self.failure.is_none() && self.covered.len() == self.scan.positions;
        let ended = clock.wall();
        if let Err(error) = self.ledger.finish_scan(&self.scan.id, ended, complete) {
            self.failure.get_or_insert(error.into());
        }
        let news = self.news(ended);
        let shared = self.spread.shared();
        if let Some(sink) = &mut self.sink {
            let end = (ended, complete);
            let record = record::scan_ended(&self.scan, &self.counts, &shared, end);
            if let Err(error) = sink.scan(&record).and_then(|()| sink.flush()) {
                self.failure.get_or_insert(sink::failure(self.output, &error));
            }
        }
        // A ledger that takes nothing more is not waited for again: on this machine the lock says that we are gone.
        if self.failure.is_none()
            && let Err(error) = self.ledger.release(self.lease)
        {
            self.failure = Some(error.into());
        }
        Swept {
            end: ran.end,
            spent: ran.spent,
            counts: self.counts,
            covered: self.covered,
            complete,
            shared,
            news,
            ledger: self.ledger,
            failure: self.failure,
        }
    }
}
