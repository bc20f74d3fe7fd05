//! `certsweep bench`: what a completed handshake costs, beside a bare TCP connect in the same run.
//!
//! The servers run in a process of their own, so that what is measured is the scanning process alone:
//! its CPU time, user and system, over a number of loopback targets. Cases are interleaved and the
//! median of the runs is printed; ratios are of medians of one run.

use std::io::{BufRead, BufReader, Read};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::args::{BenchArgs, BenchFormat};
use super::exit::{Exit, Failure};
use super::{session, terminal};
use crate::domain::coverage::Coverage;
use crate::domain::plan::{Plan, Tempo};
use crate::domain::ports::PortSet;
use crate::domain::scan::Shard;
use crate::domain::scope;
use crate::engine::{self, Event, limits};
use crate::lab::{Field, FieldServer};

/// The first address of the swept range.
const FIRST: Ipv4Addr = Ipv4Addr::new(127, 128, 0, 0);

/// How long the servers live at most.
const SERVE_MAX: Duration = Duration::from_secs(30 * 60);

/// Runs `bench`, or its servers.
pub(super) fn run(args: &BenchArgs) -> Result<Exit, Failure> {
    let limit = limits::descriptors();
    let runtime = session::runtime()?;
    let _entered = runtime.enter();
    if args.serve {
        return runtime.block_on(serve());
    }
    let servers = Servers::start()?;
    let concurrency = limits::cap(args.concurrency.max(1), limit, limits::open_descriptors())
        .ok_or_else(|| Failure::local("too few file descriptors; raise ulimit -n"))?
        .concurrency;
    let bench = Bench { args, servers, concurrency };
    let samples = runtime.block_on(bench.samples())?;
    bench.print(&samples)?;
    let targets = u64::from(args.targets);
    let short = |sample: &&Sample| sample.ended_well < targets;
    match samples.floor.iter().chain(&samples.full).find(short) {
        None => Ok(Exit::Done),
        Some(sample) => Err(Failure::local(format!(
            "only {} of {targets} targets ended well in one run: its figures say nothing",
            sample.ended_well
        ))),
    }
}

/// The servers: prints their ports and lives until standard input ends.
async fn serve() -> Result<Exit, Failure> {
    let start = |server| Field::start(server, 0).map_err(|error| Failure::local(error.to_string()));
    let (tls, accept) = (start(FieldServer::Tls13)?, start(FieldServer::Accept)?);
    terminal::print(&format!("{} {}\n", tls.port(), accept.port()))?;
    let parent_gone = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let _ = tokio::time::timeout(SERVE_MAX, parent_gone).await;
    Ok(Exit::Done)
}

/// The servers' process; it ends with this one.
struct Servers {
    child: Child,
    tls: u16,
    accept: u16,
}

impl Servers {
    fn start() -> Result<Self, Failure> {
        let failure = |what: String| Failure::local(format!("cannot start the servers: {what}"));
        let program = std::env::current_exe().map_err(|error| failure(error.to_string()))?;
        let mut child = Command::new(program)
            .args(["bench", "--serve"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| failure(error.to_string()))?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line).map_err(|error| failure(error.to_string()))?;
        }
        let mut ports = line.split_whitespace().map_while(|port| port.parse().ok());
        match (ports.next(), ports.next()) {
            (Some(tls), Some(accept)) => Ok(Self { child, tls, accept }),
            _ => Err(failure("they did not say their ports".to_owned())),
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What one case of one run took.
#[derive(Clone, Copy)]
struct Sample {
    cpu: Duration,
    wall: Duration,
    /// Targets that ended as they should.
    ended_well: u64,
}

#[derive(Default)]
struct Samples {
    floor: Vec<Sample>,
    full: Vec<Sample>,
}

struct Bench<'a> {
    args: &'a BenchArgs,
    servers: Servers,
    concurrency: usize,
}

impl Bench<'_> {
    async fn samples(&self) -> Result<Samples, Failure> {
        let mut samples = Samples::default();
        // The first handshake seeds the random number generator: not a cost per target.
        self.full(64).await?;
        for _ in 0..self.args.runs {
            samples.floor.push(self.floor(self.args.targets).await);
            samples.full.push(self.full(self.args.targets).await?);
        }
        Ok(samples)
    }

    /// Connects and closes, nothing else.
    async fn floor(&self, targets: u32) -> Sample {
        let next = Arc::new(AtomicU64::new(0));
        let connected = Arc::new(AtomicU64::new(0));
        let port = self.servers.accept;
        let before = (cpu(), Instant::now());
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..self.concurrency {
            let (next, connected) = (Arc::clone(&next), Arc::clone(&connected));
            workers.spawn(async move {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= u64::from(targets) {
                        return;
                    }
                    let address = Ipv4Addr::from_bits(FIRST.to_bits() + index as u32);
                    if TcpStream::connect((address, port)).await.is_ok() {
                        connected.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        workers.join_all().await;
        sample(before, connected.load(Ordering::Relaxed))
    }

    /// A whole sweep with completed TLS 1.3 handshakes; results are counted and dropped.
    async fn full(&self, targets: u32) -> Result<Sample, Failure> {
        let plan = Arc::new(self.plan(targets)?);
        let prober =
            session::prober(plan.tempo.limits, plan.tempo.connect_timeout, Arc::default())?;
        let (sender, mut events) = mpsc::channel(4_096);
        let before = (cpu(), Instant::now());
        let stop = CancellationToken::new();
        let run = tokio::spawn(engine::run(plan, Coverage::default(), prober, sender, stop));
        let mut finished = 0;
        while let Some(event) = events.recv().await {
            if let Event::Observed { observation, .. } = event {
                finished += u64::from(
                    observation.evidence.handshake_finished
                        && observation.evidence.key_proven == Some(true),
                );
            }
        }
        run.await.map_err(|error| Failure::local(error.to_string()))?;
        Ok(sample(before, finished))
    }

    fn plan(&self, targets: u32) -> Result<Plan, Failure> {
        let last = Ipv4Addr::from_bits(FIRST.to_bits() + targets - 1);
        let nets: Vec<String> =
            ipnet::Ipv4Subnets::new(FIRST, last, 0).map(|net| format!("\"{net}\"")).collect();
        let text = format!(
            "name = \"bench\"\ninclude = [{}]\nports = [{}]\n",
            nets.join(", "),
            self.servers.tls
        );
        let scope = scope::read("bench", &text)?;
        let tempo = Tempo { concurrency: self.concurrency, ..Tempo::default() };
        let ports = PortSet::from_iter([self.servers.tls]);
        Ok(Plan::new(scope, ports, None, (1, Shard::WHOLE), tempo)?)
    }

    fn print(&self, samples: &Samples) -> Result<(), Failure> {
        let floor = median(&samples.floor);
        let mut text = String::new();
        if self.args.format == BenchFormat::Human {
            text.push_str(&format!(
                "{} loopback targets, {} at once, median of {}\n{:<14}{:>16}{:>12}{:>14}{:>10}\n",
                self.args.targets,
                self.concurrency,
                self.args.runs,
                "case",
                "cpu us/target",
                "ratio",
                "targets/s",
                "ok"
            ));
        }
        for (case, of_case) in [("floor_plain", &samples.floor), ("full_tls13", &samples.full)] {
            let sample = median(of_case);
            let cpu = sample.cpu.as_secs_f64() * 1e6 / f64::from(self.args.targets);
            let ratio = sample.cpu.as_secs_f64() / floor.cpu.as_secs_f64().max(1e-9);
            let rate = f64::from(self.args.targets) / sample.wall.as_secs_f64().max(1e-9);
            let line = match self.args.format {
                BenchFormat::Human => format!(
                    "{case:<14}{cpu:>16.1}{ratio:>12.2}{rate:>14.0}{:>10}",
                    sample.ended_well
                ),
                BenchFormat::Jsonl => json!({
                    "case": case,
                    "targets": self.args.targets,
                    "concurrency": self.concurrency,
                    "runs": self.args.runs,
                    "cpu_us_per_target": cpu,
                    "ratio_to_floor": ratio,
                    "targets_per_s": rate,
                    "ended_well": sample.ended_well,
                    "rss_kib": resident_kib(),
                })
                .to_string(),
            };
            text.push_str(&line);
            text.push('\n');
        }
        terminal::print(&text)
    }
}

/// CPU time of this process so far, user and system.
fn cpu() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return Duration::ZERO };
    let micros = |time: nix::sys::time::TimeVal| {
        (time.tv_sec() * 1_000_000 + time.tv_usec()).cast_unsigned()
    };
    Duration::from_micros(micros(usage.user_time()) + micros(usage.system_time()))
}

/// The most memory that this process held at once.
fn resident_kib() -> i64 {
    getrusage(UsageWho::RUSAGE_SELF).map_or(0, |usage| usage.max_rss())
}

fn sample((cpu_before, wall_before): (Duration, Instant), ended_well: u64) -> Sample {
    Sample { cpu: cpu().saturating_sub(cpu_before), wall: wall_before.elapsed(), ended_well }
}

/// The sample whose CPU time is the median; there is at least one.
fn median(samples: &[Sample]) -> Sample {
    let mut sorted = samples.to_vec();
    sorted.sort_by_key(|sample| sample.cpu);
    sorted[sorted.len() / 2]
}
