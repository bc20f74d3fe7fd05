//! The loop over loopback listeners, with clients that need no TLS.

use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, Receiver};

use super::*;
use crate::domain::indicator::Index;
use crate::domain::ladder::{CLOSED_WAIT, Depth, Policy};
use crate::domain::observation::Observation;
use crate::domain::outcome::Outcome;
use crate::domain::plan::Tempo;
use crate::domain::ports::PortSet;
use crate::domain::scan::Shard;
use crate::domain::scope;
use crate::domain::time::Timestamp;
use crate::domain::tls::{Ask, Client, End, Entropy, Moment, Offers, Verdict};
use crate::engine::Clock;

/// Says `closed` as soon as it exists; the client numbered `panics_at` panics instead.
struct Trivial {
    started: AtomicUsize,
    panics_at: usize,
}

impl Trivial {
    fn new() -> Arc<Self> {
        Self::panicking_at(usize::MAX)
    }

    fn panicking_at(panics_at: usize) -> Arc<Self> {
        Arc::new(Self { started: AtomicUsize::new(0), panics_at })
    }
}

impl Offers for Trivial {
    fn start(&self, _ask: &Ask, _now: Moment, _entropy: Entropy) -> Box<dyn Client> {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        assert!(number != self.panics_at, "client {number} was told to panic");
        Box::new(TrivialClient)
    }
}

struct TrivialClient;

impl Client for TrivialClient {
    fn handle_bytes(&mut self, _now: Moment, _bytes: &[u8]) {}

    fn handle_end(&mut self, _now: Moment, _end: End) {}

    fn poll_transmit(&mut self, _out: &mut Vec<u8>) -> bool {
        false
    }

    fn deadline(&self) -> Moment {
        Moment::MAX
    }

    fn verdict(&mut self) -> Option<Verdict> {
        Some(Verdict::without_leaf(Outcome::Closed))
    }
}

/// A listener on one loopback address, and a plan for 64 addresses on its port: one target answers,
/// the others refuse.
async fn plan(extra: &str) -> (TcpListener, Arc<Plan>) {
    let listener = TcpListener::bind("127.0.0.9:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let text = format!("name = \"lo\"\ninclude = [\"127.0.0.0/26\"]\nports = [{port}]\n{extra}");
    let scope = scope::read("lo.toml", &text).unwrap();
    let tempo = Tempo { rate: scope.rate, concurrency: 8, ..Tempo::default() };
    let ports = PortSet::from_iter([port]);
    (listener, Arc::new(Plan::new(scope, ports, None, (3, Shard::WHOLE), tempo).unwrap()))
}

fn prober(offers: Arc<dyn Offers>, clock: Clock) -> Prober {
    let (index, policy) = (Arc::new(Index::default()), Arc::new(Policy::new(Depth::Auto)));
    Prober { policy, offers, glance: None, index, clock, connect_timeout: Duration::from_secs(5) }
}

async fn observations(mut events: Receiver<Vec<Event>>) -> (Vec<(u64, Observation)>, Vec<Event>) {
    let (mut observed, mut others) = (Vec::new(), Vec::new());
    while let Some(batch) = events.recv().await {
        for event in batch {
            match event {
                Event::Observed { position, mut observations, summary } => {
                    assert!(summary.is_some() && observations.len() == 1, "{observations:?}");
                    observed.extend(observations.pop().map(|seen| (position, seen)));
                }
                other => others.push(other),
            }
        }
    }
    (observed, others)
}

#[tokio::test]
async fn every_target_is_observed_once_through_the_narrowest_channel() {
    let (_listener, plan) = plan("").await;
    let (sender, events) = mpsc::channel(1);
    let prober = prober(Trivial::new(), Clock::start());
    let stop = CancellationToken::new();
    let run = tokio::spawn(run(plan, Coverage::default(), prober, sender, stop));
    let (observed, others) = observations(events).await;
    assert!(matches!(run.await.unwrap().end, RunEnd::Complete));
    assert!(others.is_empty(), "{others:?}");
    let positions: Coverage = observed.iter().map(|(at, _)| (*at, *at)).collect();
    assert_eq!((observed.len(), positions.len()), (64, 64));
    let closed: Vec<_> =
        observed.iter().filter(|(_, seen)| seen.outcome == Outcome::Closed).collect();
    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0].1.target.address.to_string(), "127.0.0.9");
    assert_eq!(observed.iter().filter(|(_, seen)| seen.outcome == Outcome::Refused).count(), 63);
}

#[tokio::test]
async fn several_loops_observe_every_target_once() {
    let (_listener, plan) = plan("").await;
    let text = format!(
        "name = \"lo\"\ninclude = [\"127.0.0.0/19\"]\nports = [{}]\n",
        plan.ports.as_slice()[0]
    );
    let scope = scope::read("lo.toml", &text).unwrap();
    for threads in [2, 3, 8] {
        let tempo = Tempo { concurrency: 32, threads, ..Tempo::default() };
        let (scope, ports) = (scope.clone(), plan.ports.clone());
        let plan = Arc::new(Plan::new(scope, ports, None, (3, Shard::WHOLE), tempo).unwrap());
        let (sender, events) = mpsc::channel(1);
        let clock = Clock::simulated(Timestamp::default());
        let (prober, stop) = (prober(Trivial::new(), clock), CancellationToken::new());
        let run = tokio::spawn(run(plan, Coverage::default(), prober, sender, stop));
        let (observed, others) = observations(events).await;
        assert!(matches!(run.await.unwrap().end, RunEnd::Complete));
        assert!(others.is_empty(), "{others:?}");
        let positions: Coverage = observed.iter().map(|(at, _)| (*at, *at)).collect();
        assert_eq!((observed.len(), positions.len(), positions.ranges().len()), (8_192, 8_192, 1));
    }
}

#[tokio::test]
async fn a_panic_is_a_fault_of_one_target_and_ends_nothing() {
    let (_listener, plan) = plan("").await;
    let (sender, events) = mpsc::channel(256);
    let prober = prober(Trivial::panicking_at(0), Clock::start());
    let end = run(plan, Coverage::default(), prober, sender, CancellationToken::new()).await.end;
    assert!(matches!(end, RunEnd::Complete));
    let (observed, others) = observations(events).await;
    assert_eq!(observed.len(), 63);
    let [Event::Fault(fault)] = &others[..] else { panic!("{others:?}") };
    assert_eq!(fault.target.address.to_string(), "127.0.0.9");
    assert_eq!(fault.message, "client 0 was told to panic");
    assert!(observed.iter().all(|(position, _)| *position != fault.position));
}

/// The wall clock is read as an attempt is begun, before it has a place.
#[tokio::test]
async fn a_panic_before_a_probe_is_open_is_a_fault_of_its_target() {
    let (_listener, plan) = plan("").await;
    let (sender, events) = mpsc::channel(256);
    let clock = Clock::panicking_at(Timestamp::default(), [usize::MAX, 20]);
    let prober = prober(Trivial::new(), clock);
    let end = run(plan, Coverage::default(), prober, sender, CancellationToken::new()).await.end;
    assert!(matches!(end, RunEnd::Complete), "{end:?}");
    let (observed, others) = observations(events).await;
    let [Event::Fault(fault)] = &others[..] else { panic!("{others:?}") };
    assert_eq!(fault.message, "reading 20 was told to panic");
    let positions: Coverage =
        observed.iter().map(|(at, _)| *at).chain([fault.position]).map(|at| (at, at)).collect();
    assert_eq!((observed.len(), positions.len()), (63, 64));
}

/// Results are reported every 20 ms, and no time has passed.
#[tokio::test]
async fn a_panic_that_is_of_no_target_ends_the_run_and_loses_no_result() {
    let (_listener, plan) = plan("").await;
    let (sender, events) = mpsc::channel(256);
    let clock = Clock::panicking_at(Timestamp::default(), [60, usize::MAX]);
    let prober = prober(Trivial::new(), clock.clone());
    let end = run(plan, Coverage::default(), prober, sender, CancellationToken::new()).await.end;
    assert!(matches!(end, RunEnd::Broken), "{end:?}");
    assert_eq!(clock.now(), Moment::ZERO);
    let (observed, others) = observations(events).await;
    assert!(others.is_empty(), "{others:?}");
    assert!((10..64).contains(&observed.len()), "{}", observed.len());
}

/// A ticket that nobody will ever give back, as after a panic in the middle of it.
#[tokio::test]
async fn a_run_that_lost_count_of_what_is_open_ends() {
    let (_listener, plan) = plan("").await;
    let (sender, events) = mpsc::channel(256);
    let prober = prober(Trivial::new(), Clock::simulated(Timestamp::default()));
    let dispatch = Dispatch::new(Arc::clone(&plan), Coverage::default());
    let mut sweep = Sweep::new(dispatch, Arc::clone(&prober.policy), 1, Cap::new(8));
    sweep.next(Moment::ZERO);
    let event_loop = EventLoop::new(plan, prober, sweep, sender, Arc::default()).unwrap();
    let (end, _) = tokio::task::spawn_blocking(|| event_loop.run()).await.unwrap();
    assert!(matches!(end, RunEnd::Broken), "{end:?}");
    assert_eq!(observations(events).await.0.len(), 63);
}

#[tokio::test]
async fn a_scope_that_expires_ends_the_run_at_midnight() {
    let (_listener, plan) = plan("rate = 1\nvalid_until = 2026-11-24\n").await;
    let ten_to_midnight = Timestamp::from_seconds(20_782 * 86_400 - 10);
    let (sender, events) = mpsc::channel(256);
    let prober = prober(Trivial::new(), Clock::simulated(ten_to_midnight));
    let end = run(plan, Coverage::default(), prober, sender, CancellationToken::new()).await.end;
    let RunEnd::Refused(refusal) = end else { panic!("{end:?}") };
    assert!(refusal.to_string().contains("expired"), "{refusal}");
    let (observed, _) = observations(events).await;
    assert_eq!(observed.len(), 10);
}

#[tokio::test]
async fn a_stopped_run_ends_what_is_open_and_starts_nothing_more() {
    let (_listener, plan) = plan("rate = 1\n").await;
    let (sender, mut events) = mpsc::channel(256);
    let stop = CancellationToken::new();
    let prober = prober(Trivial::new(), Clock::simulated(Timestamp::default()));
    let run = tokio::spawn(run(plan, Coverage::default(), prober, sender, stop.clone()));
    for _ in 0..5 {
        events.recv().await.unwrap();
    }
    stop.cancel();
    assert!(matches!(run.await.unwrap().end, RunEnd::Stopped));
    let (rest, _) = observations(events).await;
    assert!(rest.len() <= 1, "{}", rest.len());
}

#[tokio::test]
async fn a_run_that_nobody_listens_to_stops() {
    let (_listener, plan) = plan("").await;
    let (sender, events) = mpsc::channel(1);
    drop(events);
    let prober = prober(Trivial::new(), Clock::start());
    let end = run(plan, Coverage::default(), prober, sender, CancellationToken::new()).await.end;
    assert!(matches!(end, RunEnd::Stopped));
}

/// The one target that answers is `closed` at first, and so asked again.
#[tokio::test]
async fn a_second_attempt_is_made_within_the_same_visit_and_not_at_once() {
    let (_listener, plan) = plan("").await;
    let (sender, events) = mpsc::channel(256);
    let clock = Clock::simulated(Timestamp::default());
    let prober = prober(Trivial::new(), clock.clone());
    let end = run(plan, Coverage::default(), prober, sender, CancellationToken::new()).await.end;
    assert!(matches!(end, RunEnd::Complete));
    assert!(clock.now() >= CLOSED_WAIT, "{:?}", clock.now());
    let (observed, _) = observations(events).await;
    assert_eq!(observed.len(), 64);
    for (_, seen) in &observed {
        let answered = seen.outcome == Outcome::Closed;
        assert_eq!(seen.attempts.len(), if answered { 2 } else { 1 }, "{seen:?}");
    }
}
