//! What a sweep will do, decided and checked before anything is sent.

use std::fmt::Write as _;
use std::time::Duration;

use super::address::{Family, Target};
use super::fingerprint::Sha256Fingerprint;
use super::order::{self, Order};
use super::ports::PortSet;
use super::ranges::AddressSet;
use super::scan::Shard;
use super::scope::{Refusal, Scope, V6_TARGETS_MAX};

use super::targets::TargetList;
use super::text::grouped;
use super::tls::Limits;

/// A checked plan: every target it yields lies inside its scope.
#[derive(Debug)]
pub struct Plan {
    /// The permission.
    pub scope: Scope,
    /// The ports to probe: the scope's, or fewer.
    pub ports: PortSet,
    /// What of the scope to visit, if not all.
    pub targets: Option<TargetList>,
    /// The order of the sweep's shard.
    pub order: Order,
    /// The seed of the order.
    pub seed: u64,
    /// The part of the plan to run.
    pub shard: Shard,
    /// How fast, how many, how long.
    pub tempo: Tempo,
}

/// How fast, how many at once, and how long to wait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tempo {
    /// Connections per second; `None` is unlimited.
    pub rate: Option<f64>,
    /// Connections per second towards one /24 or /48; `None` is unlimited.
    pub rate_per_prefix: Option<f64>,
    /// Connections open at once.
    pub concurrency: usize,
    /// Event loops that share them.
    pub threads: usize,
    /// The longest time from the SYN to the accepted connection.
    pub connect_timeout: Duration,
    /// Bounds on what follows.
    pub limits: Limits,
}

impl Default for Tempo {
    /// 1,000 connections at once in one loop, 5 s to connect; rates are the scope's to say.
    fn default() -> Self {
        Self {
            rate: None,
            rate_per_prefix: None,
            concurrency: 1_000,
            threads: 1,
            connect_timeout: Duration::from_secs(5),
            limits: Limits::default(),
        }
    }
}

impl Plan {
    /// A plan for `shard` of the part of `scope` that `ports` and `targets` leave.
    ///
    /// # Errors
    /// [`Refusal`] for ports or rates beyond the scope's, and for more targets than can be walked.
    pub fn new(
        scope: Scope,
        ports: PortSet,
        targets: Option<TargetList>,
        (seed, shard): (u64, Shard),
        tempo: Tempo,
    ) -> Result<Self, Refusal> {
        within(&scope, &ports, &tempo)?;
        let base = base(&scope, targets.as_ref());
        can_be_walked(&scope, &base, &ports)?;
        let order = Order::new(base, ports.clone(), seed, shard)
            .map_err(|error| Refusal::Beyond(format!("scope '{}' holds {error}", scope.name)))?;
        Ok(Self { scope, ports, targets, order, seed, shard, tempo })
    }

    /// Whether `target`, which the order yields, is to be visited or skipped.
    pub fn admits(&self, target: Target) -> bool {
        self.scope.allowed.contains(target.address)
            && self.targets.as_ref().is_none_or(|list| list.names(target))
    }

    /// How many targets the whole plan has, all shards together.
    pub fn target_count(&self) -> u128 {
        match &self.targets {
            Some(list) => list.len(&self.scope, &self.ports),
            None => self.scope.allowed.len().saturating_mul(self.ports.len() as u128),
        }
    }

    /// How many addresses the whole plan has.
    pub fn address_count(&self) -> u128 {
        let listed = self.targets.as_ref().map(|list| list.addresses.len() - list.excluded);
        listed.unwrap_or(self.scope.allowed.len())
    }

    /// What identifies the plan: the same positions for the same seed and shard.
    ///
    /// Seed and shard are no part of it: they choose an order and a part of one plan. Exclusions are no
    /// part of it either: they move no position, so that a token outlives an opt-out.
    pub fn hash(&self) -> Sha256Fingerprint {
        let base = base(&self.scope, self.targets.as_ref());
        let mut text = format!("certsweep plan\norder {}\n", order::VERSION);
        for range in base.ranges() {
            let _ = writeln!(text, "{:?} {:x} {:x}", range.family, range.first, range.last);
        }
        let targets = self.targets.as_ref().map_or("all".to_owned(), |list| list.hash.to_string());
        let _ = writeln!(text, "ports {:?}\ntargets {targets}", self.ports.as_slice());
        Sha256Fingerprint::of(text.as_bytes())
    }

    /// The least time that the rates allow, if there are any: what the run's rate takes for a shard's even
    /// share, and what a prefix's rate takes for the fullest prefix.
    pub fn duration_at_rate(&self) -> Option<Duration> {
        let here = self.target_count() as f64 / f64::from(self.shard.count);
        let base = base(&self.scope, self.targets.as_ref()).intersection(&self.scope.allowed);
        let fullest = base.fullest_prefix() as f64 * self.ports.len() as f64;
        let whole_run = self.tempo.rate.map(|rate| here / rate);
        let one_prefix = self.tempo.rate_per_prefix.map(|rate| fullest.min(here) / rate);
        let seconds = [whole_run, one_prefix].into_iter().flatten().reduce(f64::max)?;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// The addresses that positions are counted over: what an exclusion removes keeps its position.
fn base(scope: &Scope, targets: Option<&TargetList>) -> AddressSet {
    targets.map_or_else(|| scope.included.clone(), |list| list.addresses.clone())
}

/// Whether `base` is not more than a sweep may walk.
fn can_be_walked(scope: &Scope, base: &AddressSet, ports: &PortSet) -> Result<(), Refusal> {
    let targets = base.len_of(Family::V6).saturating_mul(ports.len() as u128);
    if targets <= V6_TARGETS_MAX {
        return Ok(());
    }
    let count = if targets > 1 << 64 { "more than 2^64".to_owned() } else { grouped(targets) };
    Err(Refusal::Beyond(format!(
        "scope '{}' leaves {count} IPv6 targets, more than 2^40: name the addresses with --targets",
        scope.name
    )))
}

fn within(scope: &Scope, ports: &PortSet, tempo: &Tempo) -> Result<(), Refusal> {
    if let Some(port) = ports.as_slice().iter().find(|port| !scope.ports.contains(**port)) {
        let message =
            format!("port {port} is outside scope '{}', which permits {}", scope.name, scope.ports);
        return Err(Refusal::Beyond(message));
    }
    for (what, asked, permitted) in [
        ("rate", tempo.rate, scope.rate),
        ("rate per prefix", tempo.rate_per_prefix, scope.rate_per_prefix),
    ] {
        if let Some(permitted) = permitted
            && asked.is_none_or(|asked| asked > permitted)
        {
            let asked = asked.map_or("unlimited".to_owned(), |rate| rate.to_string());
            let message = format!(
                "{what} {asked} is beyond the {permitted} that scope '{}' permits",
                scope.name
            );
            return Err(Refusal::Beyond(message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::scope;

    fn plan(extra: &str, tempo: Tempo, ports: &str) -> Result<Plan, Refusal> {
        let text =
            format!("name = \"lo\"\ninclude = [\"127.0.0.0/23\"]\nports = [443, 992]\n{extra}");
        let scope = scope::read("lo.toml", &text).unwrap();
        let ports = PortSet::read(ports.split(' ')).unwrap();
        Plan::new(scope, ports, None, (1, Shard::WHOLE), tempo)
    }

    #[test]
    fn ports_and_rates_stay_within_the_scope() {
        let message = |result: Result<Plan, Refusal>| result.unwrap_err().to_string();
        assert_eq!(
            message(plan("", Tempo::default(), "443 444")),
            "port 444 is outside scope 'lo', which permits 443, 992"
        );
        let fast = Tempo { rate: Some(200.0), ..Tempo::default() };
        assert_eq!(
            message(plan("rate = 100\n", fast, "443")),
            "rate 200 is beyond the 100 that scope 'lo' permits"
        );
        assert!(message(plan("rate = 100\n", Tempo::default(), "443")).contains("unlimited"));
        let slow = Tempo { rate: Some(100.0), ..Tempo::default() };
        let plan = plan("rate = 100\n", slow, "443").unwrap();
        assert_eq!(plan.duration_at_rate(), Some(Duration::from_millis(5_120)));
    }

    #[test]
    fn no_more_ipv6_is_walked_than_can_be_with_a_list_or_without() {
        let plan = |net: &str, ports: &str, list: bool| {
            let text = "name = \"x\"\noperator = \"x\"\ncontact = \"x\"\nauthorised_by = \"x\"\n\
                        valid_until = 2026-12-31\ninclude = [\"2001:db8::/32\"]\nports = [443, 992]\n";
            let net_alone = text.replace("2001:db8::/32", net);
            let text = if list { text } else { &net_alone };
            let scope = scope::read("x.toml", text).unwrap();
            let range = crate::domain::ranges::Range::from(net.parse::<ipnet::IpNet>().unwrap());
            let entry = crate::domain::targets::Entry { range, port: None, at: (1, 1) };
            let list = list.then(|| TargetList::within(&scope, "l", &[entry]).unwrap());
            let ports = PortSet::read(ports.split(' ')).unwrap();
            Plan::new(scope, ports, list, (1, Shard::WHOLE), Tempo::default()).err()
        };
        for list in [true, false] {
            assert_eq!(plan("2001:db8::/88", "443", list), None);
            let over = plan("2001:db8::/88", "443 992", list).unwrap().to_string();
            assert!(over.contains("2,199,023,255,552 IPv6 targets, more than 2^40"), "{over}");
            assert!(plan("2001:db8::/48", "443", list).unwrap().to_string().contains("--targets"));
        }
    }

    #[test]
    fn the_slowest_of_both_rates_tells_the_least_duration() {
        let tempo = Tempo { rate: Some(100.0), rate_per_prefix: Some(5.0), ..Tempo::default() };
        let both = plan("", tempo, "443 992").unwrap();
        assert_eq!(both.duration_at_rate(), Some(Duration::from_millis(102_400)));
        let free = plan("", Tempo::default(), "443").unwrap();
        assert_eq!(free.duration_at_rate(), None);
    }

    #[test]
    fn exclusions_move_no_position() {
        let without = plan("", Tempo::default(), "443 992").unwrap();
        let with = plan("exclude = [\"127.0.0.128/25\"]\n", Tempo::default(), "443 992").unwrap();
        assert_eq!((without.target_count(), with.target_count()), (1024, 768));
        assert_eq!(without.order.len(), with.order.len());
        let mut skipped = 0;
        for position in 0..without.order.len() {
            let target = without.order.target(position).unwrap();
            assert_eq!(with.order.target(position), Some(target));
            skipped += u32::from(!with.admits(target));
        }
        assert_eq!(skipped, 256);
    }

    #[test]
    fn the_hash_is_of_what_is_swept_and_not_of_how() {
        let hash = |extra, tempo, ports| plan(extra, tempo, ports).unwrap().hash();
        let base = hash("", Tempo::default(), "443 992");
        let slow = Tempo { rate: Some(1.0), concurrency: 1, ..Tempo::default() };
        assert_eq!(base, hash("", slow, "992 443"));
        assert_ne!(base, hash("", Tempo::default(), "443"));
        assert_eq!(base, hash("exclude = [\"127.0.0.1\"]\n", Tempo::default(), "443 992"));
    }
}
