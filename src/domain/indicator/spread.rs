//! At how many hosts an indicator was seen: one that is everywhere is probably shared.
//!
//! A cloned machine image or a default certificate is served by many people. What is seen at more hosts or in
//! more prefixes than its set allows is flagged; the match stays what it is. Memory is bounded: of each
//! indicator no more addresses are kept than it takes to know.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::{Indicator, IndicatorSet, Tier};
use crate::domain::address::Prefix;

/// The greatest limit that a set may state.
pub(super) const HOSTS_MAX: usize = 65_536;

/// How many hosts and prefixes an indicator may be seen at before it is flagged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedLimits {
    /// Addresses.
    pub hosts: usize,
    /// Politeness prefixes: /24, or /48 for IPv6.
    pub prefixes: usize,
}

impl Default for SharedLimits {
    fn default() -> Self {
        Self { hosts: 64, prefixes: 16 }
    }
}

/// An indicator that was seen at more places than its set allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// The set's name.
    pub set: Arc<str>,
    /// The indicator.
    pub indicator: Indicator,
    /// Distinct addresses, counted no further than one above the limit.
    pub hosts: usize,
    /// Distinct prefixes, likewise.
    pub prefixes: usize,
    /// The limits that were passed, or one of them.
    pub limits: SharedLimits,
}

/// Counts where the indicators of a scan are seen.
#[derive(Clone, Debug, Default)]
pub struct Spread {
    limits: HashMap<Arc<str>, SharedLimits>,
    seen: HashMap<(Arc<str>, Indicator), Places>,
}

#[derive(Clone, Debug, Default)]
struct Places {
    hosts: HashSet<IpAddr>,
    prefixes: HashSet<Prefix>,
}

impl Spread {
    /// Nothing seen yet, under the limits of `sets`.
    pub fn new<'a>(sets: impl IntoIterator<Item = &'a IndicatorSet>) -> Self {
        let limits = sets.into_iter().map(|set| (set.name.as_str().into(), set.shared)).collect();
        Self { limits, seen: HashMap::new() }
    }

    /// Notes that `indicator` of `set` was seen at `address`.
    ///
    /// A template is shared by its nature and is not counted.
    pub fn add(&mut self, set: &Arc<str>, indicator: &Indicator, address: IpAddr) {
        if indicator.tier() == Tier::E {
            return;
        }
        let limits = self.limits.get(set).copied().unwrap_or_default();
        let places = self.seen.entry((Arc::clone(set), indicator.clone())).or_default();
        if places.hosts.len() <= limits.hosts {
            places.hosts.insert(address);
        }
        if places.prefixes.len() <= limits.prefixes {
            places.prefixes.insert(Prefix::of(address));
        }
    }

    /// What is probably shared, by set, tier and indicator.
    pub fn shared(&self) -> Vec<Shared> {
        let mut shared: Vec<Shared> = self
            .seen
            .iter()
            .map(|((set, indicator), places)| Shared {
                set: Arc::clone(set),
                indicator: indicator.clone(),
                hosts: places.hosts.len(),
                prefixes: places.prefixes.len(),
                limits: self.limits.get(set).copied().unwrap_or_default(),
            })
            .filter(|seen| seen.hosts > seen.limits.hosts || seen.prefixes > seen.limits.prefixes)
            .collect();
        shared.sort_by(|a, b| (&a.set, &a.indicator).cmp(&(&b.set, &b.indicator)));
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::indicator::Template;

    fn address(number: u32) -> IpAddr {
        IpAddr::from(std::net::Ipv4Addr::from_bits(number))
    }

    fn seen_at(indicator: &Indicator, addresses: impl Iterator<Item = u32>) -> Vec<(usize, usize)> {
        let (mut spread, set) = (Spread::default(), Arc::from("s"));
        for number in addresses {
            spread.add(&set, indicator, address(number));
            spread.add(&set, indicator, address(number));
        }
        spread.shared().iter().map(|shared| (shared.hosts, shared.prefixes)).collect()
    }

    #[test]
    fn one_host_or_prefix_more_than_allowed_is_shared() {
        let name = Indicator::Name("vpn.example".into());
        assert_eq!(seen_at(&name, 0..64), []);
        assert_eq!(seen_at(&name, 0..65), [(65, 1)]);
        assert_eq!(seen_at(&name, (0..16).map(|net| net << 8)), []);
        assert_eq!(seen_at(&name, (0..17).map(|net| net << 8)), [(17, 17)]);
    }

    #[test]
    fn no_more_is_kept_than_it_takes_to_know() {
        let name = Indicator::Name("vpn.example".into());
        assert_eq!(seen_at(&name, (0..100_000).map(|net| net << 8)), [(65, 17)]);
        let (mut spread, set) = (Spread::default(), Arc::from("s"));
        (0..100_000_u128).for_each(|net| {
            let v6 = std::net::Ipv6Addr::from_bits(net << 80);
            spread.add(&set, &name, v6.into());
        });
        let kept = &spread.seen[&(set, name)];
        assert_eq!((kept.hosts.len(), kept.prefixes.len()), (65, 17));
        assert!(kept.hosts.capacity() < 1_000, "{}", kept.hosts.capacity());
    }

    #[test]
    fn a_template_is_shared_by_nature_and_not_flagged() {
        assert_eq!(seen_at(&Indicator::Template(Template::SoftEther), 0..1_000), []);
    }

    #[test]
    fn a_set_states_its_own_limits_and_sets_do_not_add_up() {
        let text = "name = \"own\"\ntlp = \"clear\"\nshared_hosts = 1\nshared_prefixes = 9\n\
                    [[source]]\nid = \"r\"\ntitle = \"t\"\n\
                    [[host_name]]\nname = \"VPN.example\"\nsource = \"r\"\n";
        let own = crate::domain::indicator::read("own.toml", text).unwrap();
        let mut spread = Spread::new([&own]);
        let indicator = own.entries[0].indicator.clone();
        let (own, other) = (Arc::from("own"), Arc::from("other"));
        for number in 0..2 {
            spread.add(&own, &indicator, address(number));
            spread.add(&other, &indicator, address(number));
        }
        let limits = SharedLimits { hosts: 1, prefixes: 9 };
        assert_eq!(
            spread.shared(),
            [Shared { set: own, indicator, hosts: 2, prefixes: 1, limits }]
        );
    }
}
