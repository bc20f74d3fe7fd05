//! What this machine allows: file descriptors, decided before the first packet.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

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

/// The cap for `asked` connections with `limit` descriptors, `open` of them in use; `None` if there are
/// too few to start.
pub fn cap(asked: usize, limit: u64, open: u64) -> Option<Cap> {
    let free = usize::try_from(limit.saturating_sub(open + RESERVE)).unwrap_or(usize::MAX);
    let concurrency = asked.min(free);
    let enough = concurrency >= WORTHWHILE.min(asked).max(1);
    enough.then_some(Cap { concurrency, lowered: concurrency < asked })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cap_leaves_a_reserve_and_says_when_it_is_lower() {
        assert_eq!(cap(1000, 20_000, 10), Some(Cap { concurrency: 1000, lowered: false }));
        assert_eq!(cap(1000, 64, 10), Some(Cap { concurrency: 30, lowered: true }));
        assert_eq!(cap(1, 64, 39), Some(Cap { concurrency: 1, lowered: false }));
        assert_eq!(cap(1000, 64, 38), None);
        assert_eq!(cap(1000, 20, 10), None);
    }
}
