//! `certsweep bench`: what a target costs, beside a bare TCP connect in the same run.
//!
//! The servers run in a process of their own, so that what is measured is the scanning process alone: its CPU time, user
//! and system, over a number of loopback targets. Cases take turns, so that whatever else the machine does hits all
//! of them; figures are medians of the runs, and ratios are of medians.

mod case;
mod floors;
mod handshakes;
mod report;
mod sample;
mod servers;
mod startup;
mod sweep;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;

pub(super) use case::Case;

use super::args::{BenchArgs, BenchFormat};
use super::exit::{Exit, Failure};
use super::scratch::Scratch;
use super::{session, source, terminal};
use crate::domain::indicator::{self, Index};
use crate::engine::limits;
use case::{Kind, Work};
use floors::{Expected, Targets};
use report::Report;
use sample::{Figures, Meter, Sample};
use servers::{Server, Servers};
use sweep::Sweep;

/// No further round begins after so long.
const TIME_MAX: Duration = Duration::from_secs(30 * 60);

/// Targets of the sweep before all others, which is not measured.
const WARM_UP: u32 = 64;

/// Runs `bench`, or its servers.
pub(super) fn run(args: &BenchArgs) -> Result<Exit, Failure> {
    let limit = limits::descriptors();
    let runtime = session::runtime()?;
    let _entered = runtime.enter();
    if args.serve {
        return runtime.block_on(servers::serve());
    }
    let bench = Bench::new(args, limit)?;
    let report = Report(runtime.block_on(bench.figures())?);
    terminal::print(&match args.format {
        BenchFormat::Human => format!("{}{}", bench.heading(), report.human()),
        BenchFormat::Jsonl => report.jsonl(),
    })?;
    match report.falls_short() {
        None => Ok(Exit::Done),
        Some((case, figures)) => Err(Failure::local(format!(
            "{}: only {} of {} targets ended well in one run: its figures say nothing",
            case.name(),
            figures.ended_well,
            figures.targets
        ))),
    }
}

struct Bench<'a> {
    args: &'a BenchArgs,
    servers: Servers,
    /// Connections at once that were asked for, or fewer.
    concurrency: usize,
    /// As many as this process may have.
    concurrency_max: usize,
    index: Arc<Index>,
    rustls: Arc<ClientConfig>,
}

impl<'a> Bench<'a> {
    fn new(args: &'a BenchArgs, limit: u64) -> Result<Self, Failure> {
        let servers = Servers::start()?;
        let cap = |asked| {
            let cap = limits::cap(asked, 1, limit, limits::open_descriptors());
            let none = || Failure::local("too few file descriptors; raise ulimit -n");
            cap.map(|cap| cap.concurrency).ok_or_else(none)
        };
        let mut sets = source::indicator_sets(&[])?;
        sets.push(indicator::read("bench", servers.indicators())?);
        let rustls = handshakes::config();
        Ok(Self {
            args,
            servers,
            concurrency: cap(args.concurrency.max(1))?,
            concurrency_max: cap(usize::MAX)?,
            index: Arc::new(Index::new(&sets)),
            rustls: rustls.map_err(|error| Failure::local(format!("rustls: {error}")))?,
        })
    }

    fn heading(&self) -> String {
        format!(
            "{} loopback targets, {} at once, medians of {}; CPU of this process, user and system\n",
            self.args.targets, self.concurrency, self.args.runs
        )
    }

    /// The figures of each case that was chosen.
    async fn figures(&self) -> Result<Vec<(Case, Figures)>, Failure> {
        let mut cases: Vec<(Case, Vec<Sample>)> =
            Case::chosen(&self.args.cases).into_iter().map(|case| (case, Vec::new())).collect();
        // The first handshake seeds the random number generator: not a cost per target.
        for case in [Case::FullTls13, Case::AutoTls12, Case::AutoTls13] {
            if let Work::Sweep(kind) = case.work() {
                self.sweep(Kind { targets_max: WARM_UP, ..kind }).run().await?;
            }
        }
        for (case, samples) in cases.iter_mut().filter(|(case, _)| case.is_once()) {
            samples.push(self.sample(*case).await?);
        }
        let begun = Instant::now();
        for _ in 0..self.args.runs {
            for (case, samples) in cases.iter_mut().filter(|(case, _)| !case.is_once()) {
                samples.push(self.sample(*case).await?);
            }
            if begun.elapsed() > TIME_MAX {
                break;
            }
        }
        let figures = |(case, samples): (Case, Vec<Sample>)| Some((case, Figures::of(&samples)?));
        Ok(cases.into_iter().filter_map(figures).collect())
    }

    /// Runs `case` once.
    async fn sample(&self, case: Case) -> Result<Sample, Failure> {
        let failure = |error: io::Error| Failure::local(format!("{}: {error}", case.name()));
        match case.work() {
            Work::Plain => {
                self.floor(Server::Accept, |targets| floors::plain(targets, Expected::Accepted))
            }
            Work::Refusals => {
                self.floor(Server::Nobody, |targets| floors::plain(targets, Expected::Refused))
            }
            Work::Reuse => self.floor(Server::Accept, floors::reuse),
            Work::Rustls => {
                self.floor(Server::Tls13, |targets| handshakes::rustls(targets, &self.rustls))
            }
            Work::Startup => startup::measure(),
            Work::Sweep(kind) => return self.sweep(kind).run().await,
            Work::Stored(kind) => {
                let folder = Scratch::new("bench")?;
                return self.sweep(kind).stored(folder.path()).await;
            }
        }
        .map_err(failure)
    }

    fn floor(
        &self,
        server: Server,
        bare_loop: impl FnOnce(Targets) -> io::Result<u64>,
    ) -> io::Result<Sample> {
        let (count, concurrency) = (self.args.targets, self.concurrency);
        let targets = Targets { port: self.servers.port(server), count, concurrency };
        let meter = Meter::start();
        let ended_well = bare_loop(targets)?;
        Ok(meter.stop((count, concurrency), ended_well))
    }

    fn sweep(&self, kind: Kind) -> Sweep<'_> {
        let most = if kind.at_once { self.concurrency_max } else { usize::MAX };
        let most = u32::try_from(most).unwrap_or(u32::MAX).min(kind.targets_max);
        let targets = self.args.targets.min(most);
        let concurrency = if kind.at_once { targets as usize } else { self.concurrency };
        let port = self.servers.port(kind.server);
        Sweep { kind, port, targets, concurrency, index: &self.index }
    }
}
