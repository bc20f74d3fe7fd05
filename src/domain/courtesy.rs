//! How many handshakes each host has seen us abandon lately.
//!
//! A probe that ends once it has read the certificate leaves the server with a handshake that never ends. SoftEther's
//! Stable edition counts those: after about 60 from one source it answers none of its connections for ten minutes,
//! and every try renews the ban. Before that, handshakes are completed instead.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use super::tls::Moment;

/// Abandoned handshakes after which a host's are completed: two thirds of what SoftEther puts up with.
pub const ABANDONED_MAX: u32 = 40;

/// After how long without another one a host's count begins anew.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

/// Hosts that are remembered at most; beyond, those longest ago are forgotten.
const HOSTS_MAX: usize = 1 << 18;

/// Counts abandoned handshakes by host.
#[derive(Debug)]
pub struct Courtesy {
    /// Whether any host can come to [`ABANDONED_MAX`] at all.
    is_needed: bool,
    hosts: HashMap<IpAddr, (u32, Moment)>,
}

impl Courtesy {
    /// For a run that makes `attempts_max` connections to a host at most. Nothing is remembered where that is
    /// too few to matter.
    pub fn new(attempts_max: usize) -> Self {
        Self { is_needed: attempts_max > ABANDONED_MAX as usize, hosts: HashMap::new() }
    }

    /// Whether the next handshake with `host` is to be completed.
    pub fn is_due(&self, host: IpAddr, now: Moment) -> bool {
        self.hosts.get(&host).is_some_and(|(count, last)| {
            *count >= ABANDONED_MAX && now.saturating_sub(*last) < FORGOTTEN_AFTER
        })
    }

    /// A handshake with `host` was abandoned at `now`.
    pub fn abandoned(&mut self, host: IpAddr, now: Moment) {
        if !self.is_needed {
            return;
        }
        if self.hosts.len() >= HOSTS_MAX {
            self.forget(now);
        }
        let (count, last) = self.hosts.entry(host).or_insert((0, now));
        if now.saturating_sub(*last) >= FORGOTTEN_AFTER {
            *count = 0;
        }
        (*count, *last) = (count.saturating_add(1), now);
    }

    /// Makes room: whatever is old enough goes, and if that is too little, the older half.
    fn forget(&mut self, now: Moment) {
        self.hosts.retain(|_, (_, last)| now.saturating_sub(*last) < FORGOTTEN_AFTER);
        if self.hosts.len() >= HOSTS_MAX {
            let mut times: Vec<Moment> = self.hosts.values().map(|(_, last)| *last).collect();
            let middle = times.len() / 2;
            let (_, &mut middle, _) = times.select_nth_unstable(middle);
            self.hosts.retain(|_, (_, last)| *last > middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn the_fortieth_is_the_last_one_until_ten_minutes_have_passed() {
        let mut courtesy = Courtesy::new(1_000);
        let at = Duration::from_secs;
        for second in 0..40 {
            assert!(!courtesy.is_due(host(1), at(second)));
            courtesy.abandoned(host(1), at(second));
        }
        assert!(courtesy.is_due(host(1), at(40)) && !courtesy.is_due(host(2), at(40)));
        assert!(courtesy.is_due(host(1), at(638)) && !courtesy.is_due(host(1), at(639)));
        courtesy.abandoned(host(1), at(700));
        assert!(!courtesy.is_due(host(1), at(701)));
    }

    #[test]
    fn nothing_is_remembered_where_no_host_can_come_that_far() {
        let mut courtesy = Courtesy::new(40);
        for _ in 0..100 {
            courtesy.abandoned(host(1), Duration::ZERO);
        }
        assert!(!courtesy.is_due(host(1), Duration::ZERO));
        assert_eq!(courtesy.hosts.len(), 0);
    }

    #[test]
    fn memory_is_bounded_and_the_latest_are_kept() {
        let mut courtesy = Courtesy::new(1_000);
        for number in 0..HOSTS_MAX as u32 + 10 {
            courtesy.abandoned(host(number), Duration::from_millis(number.into()));
        }
        assert!(courtesy.hosts.len() < HOSTS_MAX);
        assert!(courtesy.hosts.contains_key(&host(HOSTS_MAX as u32 + 9)));
        assert!(!courtesy.hosts.contains_key(&host(0)));
    }
}
