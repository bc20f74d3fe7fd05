//! `certsweep bench`: what a certificate costs, beside a bare TCP connect in the same run.
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

use super::args::{BenchArgs, BenchFormat, Handshake};
use super::exit::{Exit, Failure};
use super::{session, terminal};
use crate::domain::coverage::Coverage;
use crate::domain::ladder::Policy;
use crate::domain::observation::Evidence;
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
    let concurrency = limits::cap(args.concurrency.max(1), 1, limit, limits::open_descriptors())
        .ok_or_else(|| Failure::local("too few file descriptors; raise ulimit -n"))?
        .concurrency;
    let bench = Bench { args, servers, concurrency };
    let samples = runtime.block_on(bench.samples())?;
    bench.print(&samples)?;
    let targets = u64::from(args.targets);
    let short = |sample: &&Sample| sample.ended_well < targets;
    match samples.iter().flatten().find(short) {
        None => Ok(Exit::Done),
        Some(sample) => Err(Failure::local(format!(
            "only {} of {targets} targets ended well in one run: its figures say nothing",
            sample.ended_well
        ))),
    }
}

/// The servers: prints their ports and lives until standard input ends.
async fn serve() -> Result<Exit, Failure> {
    let kinds = [FieldServer::Accept, FieldServer::Tls13, FieldServer::Tls12];
    let fields: Vec<Field> = kinds
        .into_iter()
        .map(|kind| Field::start(kind, 0).map_err(|error| Failure::local(error.to_string())))
        .collect::<Result<_, _>>()?;
    let ports: Vec<String> = fields.iter().map(|field| field.port().to_string()).collect();
    terminal::print(&format!("{}\n", ports.join(" ")))?;
    let parent_gone = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let _ = tokio::time::timeout(SERVE_MAX, parent_gone).await;
    Ok(Exit::Done)
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    /// Connect and close, nothing else.
    Floor,
    /// A sweep of so far a handshake, of servers with TLS 1.3 only or TLS 1.2 only.
    Sweep(Handshake, Version),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    Tls13,
    Tls12,
}

const CASES: [(&str, Case); 4] = [
    ("floor_plain", Case::Floor),
    ("full_tls13", Case::Sweep(Handshake::Full, Version::Tls13)),
    ("leaf_tls13", Case::Sweep(Handshake::Leaf, Version::Tls13)),
    ("leaf_tls12", Case::Sweep(Handshake::Leaf, Version::Tls12)),
];

/// The servers' process; it ends with this one.
struct Servers {
    child: Child,
    accept: u16,
    tls13: u16,
    tls12: u16,
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
        let ports: Vec<u16> = line.split_whitespace().map_while(|port| port.parse().ok()).collect();
        match ports[..] {
            [accept, tls13, tls12] => Ok(Self { child, accept, tls13, tls12 }),
            _ => Err(failure("they did not say their ports".to_owned())),
        }
    }

    const fn port(&self, version: Version) -> u16 {
        match version {
            Version::Tls13 => self.tls13,
            Version::Tls12 => self.tls12,
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

struct Bench<'a> {
    args: &'a BenchArgs,
    servers: Servers,
    concurrency: usize,
}

impl Bench<'_> {
    /// The samples of each case, in the order of [`CASES`]; cases are interleaved.
    async fn samples(&self) -> Result<Vec<Vec<Sample>>, Failure> {
        let mut samples = vec![Vec::new(); CASES.len()];
        // The first handshake seeds the random number generator: not a cost per target.
        self.sweep(64, Handshake::Full, Version::Tls13).await?;
        for _ in 0..self.args.runs {
            for ((_, case), of_case) in CASES.iter().zip(&mut samples) {
                of_case.push(match *case {
                    Case::Floor => self.floor(self.args.targets).await,
                    Case::Sweep(handshake, version) => {
                        self.sweep(self.args.targets, handshake, version).await?
                    }
                });
            }
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

    /// A whole sweep; results are counted and dropped. A target ended well if its leaf was seen and, where more
    /// was wanted, the handshake finished and the key proven.
    async fn sweep(
        &self,
        targets: u32,
        handshake: Handshake,
        version: Version,
    ) -> Result<Sample, Failure> {
        let plan = Arc::new(self.plan(targets, self.servers.port(version))?);
        let Tempo { limits, connect_timeout, .. } = plan.tempo;
        let prober = session::prober(
            Policy::new(handshake.depth()),
            limits,
            connect_timeout,
            Arc::default(),
        )?;
        let (sender, mut events) = mpsc::channel(4_096);
        let before = (cpu(), Instant::now());
        let stop = CancellationToken::new();
        let run = tokio::spawn(engine::run(plan, Coverage::default(), prober, sender, stop));
        let mut ended_well = 0;
        let far_enough = |evidence: &Evidence| {
            let finished = evidence.handshake_finished && evidence.key_proven == Some(true);
            finished || (handshake == Handshake::Leaf && evidence.presented)
        };
        while let Some(batch) = events.recv().await {
            for event in batch {
                let Event::Observed { observations, .. } = event else { continue };
                ended_well += u64::from(observations.iter().all(|seen| far_enough(&seen.evidence)));
            }
        }
        run.await.map_err(|error| Failure::local(error.to_string()))?;
        Ok(sample(before, ended_well))
    }

    fn plan(&self, targets: u32, port: u16) -> Result<Plan, Failure> {
        let last = Ipv4Addr::from_bits(FIRST.to_bits() + targets - 1);
        let nets: Vec<String> =
            ipnet::Ipv4Subnets::new(FIRST, last, 0).map(|net| format!("\"{net}\"")).collect();
        let nets = nets.join(", ");
        let text = format!("name = \"bench\"\ninclude = [{nets}]\nports = [{port}]\n");
        let scope = scope::read("bench", &text)?;
        let tempo = Tempo { concurrency: self.concurrency, ..Tempo::default() };
        let ports = PortSet::from_iter([port]);
        Ok(Plan::new(scope, ports, None, (1, Shard::WHOLE), tempo)?)
    }

    fn print(&self, samples: &[Vec<Sample>]) -> Result<(), Failure> {
        let floor = median(&samples[0]).cpu.as_secs_f64().max(1e-9);
        let human = self.args.format == BenchFormat::Human;
        let mut text = String::new();
        if human {
            text.push_str(&format!(
                "{} loopback targets, {} at once, median of {}\n{:<14}{:>16}{:>10}{:>14}{:>10}\n",
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
        for ((name, _), of_case) in CASES.iter().zip(samples) {
            let sample = median(of_case);
            let ratio = sample.cpu.as_secs_f64() / floor;
            text.push_str(&if human {
                self.row(name, sample, ratio)
            } else {
                self.object(name, sample, ratio)
            });
            text.push('\n');
        }
        terminal::print(&text)
    }

    fn row(&self, name: &str, sample: Sample, ratio: f64) -> String {
        let (cpu, rate) = self.per_target(sample);
        format!("{name:<14}{cpu:>16.1}{ratio:>10.2}{rate:>14.0}{:>10}", sample.ended_well)
    }

    fn object(&self, name: &str, sample: Sample, ratio: f64) -> String {
        let (cpu, rate) = self.per_target(sample);
        json!({
            "case": name,
            "targets": self.args.targets,
            "concurrency": self.concurrency,
            "runs": self.args.runs,
            "cpu_us_per_target": cpu,
            "ratio_to_floor": ratio,
            "targets_per_s": rate,
            "ended_well": sample.ended_well,
            "rss_kib": resident_kib(),
        })
        .to_string()
    }

    /// CPU microseconds per target, and targets per second.
    fn per_target(&self, sample: Sample) -> (f64, f64) {
        let targets = f64::from(self.args.targets);
        let wall = sample.wall.as_secs_f64().max(1e-9);
        (sample.cpu.as_secs_f64() * 1e6 / targets, targets / wall)
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
