//! Sweeps of the real engine, with all that goes with a scan, and what they come to.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc::{self, Receiver};
use tokio_util::sync::CancellationToken;

use super::case::Kind;
use super::sample::{Meter, Sample, percentiles, resident_kib};
use super::servers::{MATCHES_EVERY, address};
use crate::cli::args::Format;
use crate::cli::exit::Failure;
use crate::cli::progress::View;
use crate::cli::session::{self, Session};
use crate::cli::{scan, sink};
use crate::domain::coverage::Coverage;
use crate::domain::indicator::Index;
use crate::domain::ladder::Policy;
use crate::domain::ledger::Rules;
use crate::domain::observation::Observation;
use crate::domain::outcome::Outcome;
use crate::domain::plan::{Plan, Tempo};
use crate::domain::ports::PortSet;
use crate::domain::scan::Shard;
use crate::domain::scope;
use crate::domain::tls::Limits;
use crate::engine::{self, Clock, Event};
use crate::store::About;

/// Batches of events between the engine and who counts them, as in a scan.
const QUEUE: usize = 8;

/// How long to wait for a connection, and for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often memory is looked at while nothing has ended yet.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How a target ends as it should.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wanted {
    /// It shows its leaf over this version of TLS.
    Leaf(&'static str),
    /// As `Leaf` over TLS 1.2, but for those that match: they prove their key and complete the handshake.
    Matches,
    /// It proves its key and completes the handshake.
    Finished,
    Refused,
    Silent,
}

impl Wanted {
    fn is_met(self, seen: &Observation) -> bool {
        let is_leaf = |version| {
            seen.outcome == Outcome::Certificate
                && seen.tls.as_ref().is_some_and(|tls| tls.version == version)
        };
        let evidence = seen.evidence;
        let is_proven = evidence.handshake_finished && evidence.key_proven == Some(true);
        match self {
            Self::Leaf(version) => is_leaf(version) && seen.matches.is_empty(),
            Self::Finished => is_leaf("1.3") && is_proven,
            Self::Refused => seen.outcome == Outcome::Refused,
            Self::Silent => seen.outcome == Outcome::Silent,
            Self::Matches if is_match(seen.target.address) => is_proven && !seen.matches.is_empty(),
            Self::Matches => is_leaf("1.2") && seen.matches.is_empty(),
        }
    }
}

fn is_match(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.to_bits() % MATCHES_EVERY == 0)
}

/// One sweep.
#[derive(Clone)]
pub(super) struct Sweep<'a> {
    pub(super) kind: Kind,
    pub(super) port: u16,
    pub(super) targets: u32,
    pub(super) concurrency: usize,
    pub(super) index: &'a Arc<Index>,
}

impl Sweep<'_> {
    /// How long servers have to answer: if all targets are to be open at once, until the last was begun.
    fn patience(&self) -> Duration {
        match self.kind.at_once {
            true => Duration::from_secs(1) + Duration::from_micros(400) * self.targets,
            false => PATIENCE,
        }
    }

    fn plan(&self) -> Result<Plan, Failure> {
        let last: Ipv4Addr = address(self.targets.saturating_sub(1));
        let nets: Vec<String> =
            ipnet::Ipv4Subnets::new(address(0), last, 0).map(|net| format!("\"{net}\"")).collect();
        let (nets, port) = (nets.join(", "), self.port);
        let text = format!("name = \"bench\"\ninclude = [{nets}]\nports = [{port}]\n");
        let tempo = Tempo {
            rate: self.kind.rate,
            concurrency: self.concurrency,
            connect_timeout: PATIENCE,
            limits: Limits { handshake: self.patience(), ..Limits::default() },
            ..Tempo::default()
        };
        let (scope, ports) = (scope::read("bench", &text)?, PortSet::from_iter([port]));
        Ok(Plan::new(scope, ports, None, (1, Shard::WHOLE), tempo)?)
    }

    fn policy(&self) -> Policy {
        Policy::new(self.kind.handshake.depth())
    }

    /// Sweeps, counts what is seen and drops it.
    pub(super) async fn run(&self) -> Result<Sample, Failure> {
        let plan = Arc::new(self.plan()?);
        let Tempo { limits, connect_timeout, .. } = plan.tempo;
        let index = Arc::clone(self.index);
        let prober = session::prober(self.policy(), limits, connect_timeout, index)?;
        let (sender, mut events) = mpsc::channel(QUEUE);
        let mut tally = Tally::new(self.kind.wanted, self.targets);
        let stop = CancellationToken::new();
        let before = resident_kib();
        let meter = Meter::start();
        let run = tokio::spawn(engine::run(plan, Coverage::default(), prober, sender, stop));
        let mut peak = before;
        if self.kind.at_once {
            peak = self.watch(&mut events, &mut tally).await.max(before);
        }
        while let Some(batch) = events.recv().await {
            batch.into_iter().for_each(|event| tally.take(event));
        }
        run.await.map_err(|error| Failure::local(format!("the engine: {error}")))?;
        let sample = meter.stop((self.targets, self.concurrency), tally.ended_well);
        let held = self.kind.at_once.then(|| {
            let open = tally.begun_within(self.patience());
            (open, (peak - before) as f64 * 1_024.0 / f64::from(open.max(1)))
        });
        let rss_kib = if self.kind.at_once { peak } else { sample.rss_kib };
        let rate = self.kind.rate.and_then(|_| tally.rate());
        let latency = percentiles(tally.latencies);
        Ok(Sample { held, rate, rss_kib, latency, ..sample })
    }

    /// Waits for the first event. The most memory held before, in KiB.
    async fn watch(&self, events: &mut Receiver<Vec<Event>>, tally: &mut Tally) -> u64 {
        let mut peak = 0;
        loop {
            match tokio::time::timeout(LOOK_EVERY, events.recv()).await {
                Ok(event) => {
                    event.into_iter().flatten().for_each(|event| tally.take(event));
                    return peak;
                }
                Err(_) => peak = peak.max(resident_kib()),
            }
        }
    }

    /// Sweeps as `certsweep scan` does, into a ledger and a file of JSON Lines in `folder`, which holds neither yet.
    pub(super) async fn stored(&self, folder: &Path) -> Result<Sample, Failure> {
        let plan = Arc::new(self.plan()?);
        let new = scan::new_scan(&plan, "default", &json!({}), Clock::start().wall());
        let begun = session::begin(scan::ledger(&folder.join("ledger.db"))?, new, &[])?;
        let output = folder.join("scan.jsonl");
        let sink = sink::open(Format::Jsonl, Some(&output), None)?;
        let session = Session {
            begun,
            index: Arc::clone(self.index),
            policy: self.policy(),
            sink,
            output: Some(&output),
            stop: CancellationToken::new(),
            news: (Rules::default(), About::Matches),
            view: View::Live,
        };
        let meter = Meter::start();
        let mut swept = session.sweep(plan).await?;
        let seen = swept.counts.of("certificate");
        let sample = meter.stop((self.targets, self.concurrency), seen);
        swept.exit()?;
        Ok(sample)
    }
}

/// What a sweep has seen so far.
struct Tally {
    wanted: Wanted,
    ended_well: u64,
    /// Microseconds from connect to leaf.
    latencies: Vec<u32>,
    /// When each visit began, in microseconds; kept where times matter.
    begun: Vec<i64>,
}

impl Tally {
    /// Places are made before anything is measured.
    fn new(wanted: Wanted, targets: u32) -> Self {
        let places = targets as usize;
        let (latencies, begun) = (Vec::with_capacity(places), Vec::with_capacity(places));
        Self { wanted, ended_well: 0, latencies, begun }
    }

    fn take(&mut self, event: Event) {
        let Event::Observed { observations, .. } = event else { return };
        self.ended_well += u64::from(observations.iter().all(|seen| self.wanted.is_met(seen)));
        for seen in &observations {
            let micros = seen.timing.leaf.and_then(|leaf| u32::try_from(leaf.as_micros()).ok());
            self.latencies.extend(micros);
            self.begun.push(seen.time.micros());
        }
    }

    /// How many visits began within `time` of the first.
    fn begun_within(&self, time: Duration) -> u32 {
        let time = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        let Some(first) = self.begun.iter().min() else { return 0 };
        self.begun.iter().filter(|begun| *begun - first < time).count() as u32
    }

    /// Visits begun per second, from the first to the last.
    fn rate(&self) -> Option<f64> {
        let time = self.begun.iter().max()? - self.begun.iter().min()?;
        (time > 0).then(|| (self.begun.len() - 1) as f64 * 1e6 / time as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(begun: &[i64]) -> Tally {
        Tally { begun: begun.to_vec(), ..Tally::new(Wanted::Silent, 0) }
    }

    #[test]
    fn what_began_before_the_first_could_end_was_open_at_once() {
        let tally = tally(&[5_000_000, 4_000_000, 6_999_999, 7_000_000]);
        assert_eq!(tally.begun_within(Duration::from_secs(3)), 3);
        assert_eq!(tally.begun_within(Duration::from_secs(4)), 4);
    }

    #[test]
    fn a_rate_is_of_the_intervals_between_beginnings() {
        assert_eq!(tally(&[0, 20_000, 10_000]).rate(), Some(100.0));
        assert_eq!(tally(&[7]).rate(), None);
        assert_eq!(tally(&[]).rate(), None);
    }
}
