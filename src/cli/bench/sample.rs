//! What one run of a case took, and what many of them come to.

use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// What one case took in one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sample {
    pub(super) targets: u32,
    pub(super) concurrency: usize,
    /// User and system time of this process; none where another one did the work.
    pub(super) cpu: Option<Duration>,
    pub(super) wall: Duration,
    /// Targets that ended as they should.
    pub(super) ended_well: u64,
    /// Microseconds from connect to leaf: the median and the 99th percentile.
    pub(super) latency: Option<(u32, u32)>,
    /// Memory that this process held right after, in KiB.
    pub(super) rss_kib: u64,
    /// Probes that were open at once, and the bytes that each took.
    pub(super) held: Option<(u32, f64)>,
    /// Connections per second from the first to the last.
    pub(super) rate: Option<f64>,
    /// Milliseconds from the start of the program to its first connection.
    pub(super) startup_ms: Option<f64>,
}

/// Begins to measure.
pub(super) struct Meter {
    cpu: Duration,
    wall: Instant,
}

impl Meter {
    pub(super) fn start() -> Self {
        Self { cpu: cpu(), wall: Instant::now() }
    }

    /// A sample of what was done since the start.
    pub(super) fn stop(self, (targets, concurrency): (u32, usize), ended_well: u64) -> Sample {
        let (cpu, wall) = (cpu().saturating_sub(self.cpu), self.wall.elapsed());
        let rss_kib = resident_kib();
        let cpu = Some(cpu);
        Sample { targets, concurrency, cpu, wall, ended_well, rss_kib, ..Sample::default() }
    }
}

/// What the samples of a case come to: medians, the most memory, the fewest targets that ended well.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Figures {
    pub(super) runs: usize,
    pub(super) targets: u32,
    pub(super) concurrency: usize,
    pub(super) ended_well: u64,
    pub(super) cpu_us_per_target: Option<f64>,
    pub(super) targets_per_s: Option<f64>,
    pub(super) p50_us: Option<f64>,
    pub(super) p99_us: Option<f64>,
    pub(super) rss_kib: u64,
    pub(super) in_flight: Option<u32>,
    pub(super) bytes_per_probe: Option<f64>,
    pub(super) rate_per_s: Option<f64>,
    /// CPU time over time, for cases that keep a rate: one is a whole core.
    pub(super) cpu_share: Option<f64>,
    pub(super) startup_ms: Option<f64>,
}

impl Figures {
    /// `None` of no samples.
    pub(super) fn of(samples: &[Sample]) -> Option<Self> {
        let first = samples.first()?;
        let over = |figure: fn(&Sample) -> Option<f64>| median(samples.iter().filter_map(figure));
        Some(Self {
            runs: samples.len(),
            targets: first.targets,
            concurrency: first.concurrency,
            ended_well: samples.iter().map(|sample| sample.ended_well).min().unwrap_or_default(),
            cpu_us_per_target: over(|sample| {
                Some(sample.cpu?.as_secs_f64() * 1e6 / f64::from(sample.targets.max(1)))
            }),
            targets_per_s: over(|sample| {
                sample.cpu.map(|_| f64::from(sample.targets) / seconds(sample.wall))
            }),
            p50_us: over(|sample| sample.latency.map(|(p50, _)| p50.into())),
            p99_us: over(|sample| sample.latency.map(|(_, p99)| p99.into())),
            rss_kib: samples.iter().map(|sample| sample.rss_kib).max().unwrap_or_default(),
            in_flight: first.held.map(|(count, _)| count),
            bytes_per_probe: over(|sample| sample.held.map(|(_, bytes)| bytes)),
            rate_per_s: over(|sample| sample.rate),
            cpu_share: over(|sample| {
                sample.rate.and(sample.cpu).map(|cpu| cpu.as_secs_f64() / seconds(sample.wall))
            }),
            startup_ms: over(|sample| sample.startup_ms),
        })
    }
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64().max(1e-9)
}

/// The middle one, or what lies between the two in the middle; `None` of nothing.
pub(super) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    let upper = *sorted.get(half)?;
    let is_odd = sorted.len() % 2 == 1;
    if is_odd { Some(upper) } else { Some(f64::midpoint(*sorted.get(half - 1)?, upper)) }
}

/// The median and the 99th percentile; `None` of nothing.
pub(super) fn percentiles(mut values: Vec<u32>) -> Option<(u32, u32)> {
    values.sort_unstable();
    let at = |share: usize| values.get((values.len() * share / 100).min(values.len() - 1)).copied();
    if values.is_empty() { None } else { at(50).zip(at(99)) }
}

/// CPU time of this process so far, user and system.
fn cpu() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return Duration::ZERO };
    let micros = |time: nix::sys::time::TimeVal| {
        (time.tv_sec() * 1_000_000 + time.tv_usec()).cast_unsigned()
    };
    Duration::from_micros(micros(usage.user_time()) + micros(usage.system_time()))
}

/// The memory that this process holds now, in KiB; zero where the system does not say (proc(5)).
pub(super) fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(cpu: u64, wall: u64, ended_well: u64) -> Sample {
        Sample {
            targets: 10,
            concurrency: 5,
            cpu: Some(Duration::from_micros(cpu)),
            wall: Duration::from_millis(wall),
            ended_well,
            latency: Some((cpu as u32, cpu as u32 * 2)),
            rss_kib: cpu,
            ..Sample::default()
        }
    }

    #[test]
    fn medians_are_those_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), Some(2.5));
        assert_eq!(median([7.0].into_iter()), Some(7.0));
        assert_eq!(median([].into_iter()), None);
        assert_eq!(percentiles((0..200).rev().collect()), Some((100, 198)));
        assert_eq!(percentiles(vec![5]), Some((5, 5)));
        assert_eq!(percentiles(Vec::new()), None);
    }

    #[test]
    fn figures_are_medians_each_for_itself() {
        let samples = [sample(300, 10, 10), sample(100, 40, 9), sample(200, 20, 10)];
        let figures = Figures::of(&samples).unwrap();
        assert_eq!((figures.runs, figures.targets, figures.concurrency), (3, 10, 5));
        assert_eq!(figures.cpu_us_per_target, Some(20.0));
        assert_eq!(figures.targets_per_s, Some(500.0));
        assert_eq!((figures.p50_us, figures.p99_us), (Some(200.0), Some(400.0)));
        assert_eq!((figures.rss_kib, figures.ended_well), (300, 9));
        assert_eq!((figures.rate_per_s, figures.cpu_share, figures.startup_ms), (None, None, None));
        assert_eq!(Figures::of(&[]), None);
    }

    #[test]
    fn a_share_of_a_core_is_told_where_a_rate_is_kept() {
        let paced = Sample { rate: Some(100.0), ..sample(3_000, 100, 10) };
        let figures = Figures::of(&[paced]).unwrap();
        assert_eq!((figures.rate_per_s, figures.cpu_share), (Some(100.0), Some(0.03)));
        let startup = Sample { startup_ms: Some(12.5), cpu: None, ..sample(1, 1, 1) };
        let figures = Figures::of(&[startup]).unwrap();
        assert_eq!(figures.startup_ms, Some(12.5));
        assert_eq!((figures.cpu_us_per_target, figures.targets_per_s), (None, None));
    }

    #[test]
    fn this_process_holds_memory() {
        assert!(resident_kib() > 1_000);
    }
}
