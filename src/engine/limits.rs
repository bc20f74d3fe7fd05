//! What this machine allows, decided before the first packet: file descriptors, memory, cores.
//!
//! Ports are no limit: each connection goes to another host, since a host gets one at a time, and the kernel gives the same
//! port to connections that differ in their destination (ip(7), `ip_local_port_range`).

use std::num::NonZeroUsize;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// The most event loops of one run.
pub const THREADS_MAX: usize = 256;

/// A rate, in connections per second, that one event loop keeps up with many times over.
const RATE_OF_ONE: f64 = 10_000.0;

/// Memory that a connection takes at most while it waits, most of it the kernel's: its socket, what it has received and what
/// was not acknowledged yet.
const BYTES_PER_CONNECTION: u64 = 16 * 1024;

/// Descriptors that each event loop takes for itself.
const PER_LOOP: u64 = 2;

/// Descriptors kept back for what is opened later: the ledger's journal, output files, the runtime.
const RESERVE: u64 = 24;

/// The fewest connections at once that a sweep is worth starting with.
const WORTHWHILE: usize = 4;

/// How many descriptors this process may have open, after raising the soft limit to the hard one.
pub fn descriptors() -> u64 {
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((soft, hard)) if soft < hard => match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
            Ok(()) => hard,
            Err(_) => soft,
        },
        Ok((soft, _)) => soft,
        Err(_) => 1024,
    }
}

/// How many descriptors are open now.
pub fn open_descriptors() -> u64 {
    std::fs::read_dir("/proc/self/fd").map_or(RESERVE, |entries| entries.count() as u64)
}

/// Fewer connections than were asked for, or none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// Connections at once.
    pub concurrency: usize,
    /// Whether this is fewer than were asked for.
    pub lowered: bool,
}

/// How many event loops are worth starting for `rate` connections per second, `None` being unlimited: one for each core,
/// or a single one where that is enough.
pub fn threads(rate: Option<f64>) -> usize {
    if rate.is_some_and(|rate| rate <= RATE_OF_ONE) {
        return 1;
    }
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(THREADS_MAX)
}

/// How many connections fit into half of the memory that is free now, at least one; `None` where that is not known.
pub fn connections_in_memory() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    fitting(&text)
}

fn fitting(meminfo: &str) -> Option<usize> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    usize::try_from((kib.saturating_mul(1024) / 2 / BYTES_PER_CONNECTION).max(1)).ok()
}

/// The cap for `asked` connections of `threads` event loops with `limit` descriptors, `open` of them in use; `None` if
/// there are too few to start.
pub fn cap(asked: usize, threads: usize, limit: u64, open: u64) -> Option<Cap> {
    let kept = RESERVE + PER_LOOP * (threads as u64 - 1);
    let free = usize::try_from(limit.saturating_sub(open + kept)).unwrap_or(usize::MAX);
    let concurrency = asked.min(free);
    let enough = concurrency >= WORTHWHILE.min(asked).max(1);
    enough.then_some(Cap { concurrency, lowered: concurrency < asked })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cap_leaves_a_reserve_and_says_when_it_is_lower() {
        let lowered = |concurrency| Some(Cap { concurrency, lowered: true });
        assert_eq!(cap(1000, 1, 20_000, 10), Some(Cap { concurrency: 1000, lowered: false }));
        assert_eq!(cap(1000, 1, 64, 10), lowered(30));
        assert_eq!(cap(1000, 5, 64, 10), lowered(22));
        assert_eq!(cap(1, 1, 64, 39), Some(Cap { concurrency: 1, lowered: false }));
        assert_eq!(cap(1000, 1, 64, 38), None);
        assert_eq!(cap(1000, 1, 20, 10), None);
    }

    #[test]
    fn memory_is_shared_with_others_and_one_connection_always_fits() {
        let meminfo = "MemTotal:       24000000 kB\nMemAvailable:   8000000 kB\n";
        assert_eq!(fitting(meminfo), Some(250_000));
        assert_eq!(fitting("MemAvailable: 3 kB\n"), Some(1));
        assert_eq!(fitting("MemTotal: 3 kB\n"), None);
        assert!(connections_in_memory().unwrap() > 100);
    }

    #[test]
    fn one_loop_is_enough_for_ten_thousand_a_second() {
        assert_eq!([threads(Some(500.0)), threads(Some(10_000.0))], [1, 1]);
        assert_eq!(threads(None), threads(Some(1e6)));
    }
}
