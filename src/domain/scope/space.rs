//! Address space that includes do not reach: special-purpose, never-probed, excluded.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::domain::address::Family;
use crate::domain::ranges::{AddressSet, Range};

const SPECIAL: &str = include_str!("../../../targets/ranges/special-purpose.txt");
const NEVER: &str = include_str!("../../../targets/ranges/never.txt");

/// A range that was taken out of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// The prefix, as written down.
    pub net: IpNet,
    /// Why.
    pub reason: Reason,
}

/// Why a range was taken out of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The scope excludes it.
    Excluded,
    /// Special-purpose space that no include prefix lies wholly inside; with its name and RFC.
    Special(String),
    /// Never probed; with its name and RFC.
    Never(String),
}

impl Exclusion {
    /// Whether `address` lies in the range.
    pub fn holds(&self, address: IpAddr) -> bool {
        self.net.contains(&address)
    }
}

/// `192.0.2.13/32 is excluded by the scope`.
impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::Excluded => write!(f, "{} is excluded by the scope", self.net),
            Reason::Special(name) => write!(f, "{} is special-purpose space: {name}", self.net),
            Reason::Never(name) => write!(f, "{} is never probed: {name}", self.net),
        }
    }
}

/// What `includes` leave when `excludes`, special-purpose and never-probed space are taken away, and
/// everything that was taken away from them.
pub(super) fn allowed(includes: &[IpNet], excludes: &[IpNet]) -> (AddressSet, Vec<Exclusion>) {
    let special = listed(SPECIAL, Reason::Special);
    let never = listed(NEVER, Reason::Never);
    let special_set = set(special.iter().map(|exclusion| exclusion.net));
    let named_inside = includes.iter().filter(|net| lies_inside(net, &special_set));
    let named_inside = set(named_inside.copied());
    let included = set(includes.iter().copied());

    let excluded =
        excludes.iter().map(|net| Exclusion { net: *net, reason: Reason::Excluded }).collect();
    let exclusions: Vec<Exclusion> = [excluded, never, special]
        .concat()
        .into_iter()
        .filter(|exclusion| {
            let range = Range::from(exclusion.net);
            included.overlaps(&range)
                && (!matches!(exclusion.reason, Reason::Special(_))
                    || !included
                        .intersection(&set([exclusion.net]))
                        .difference(&named_inside)
                        .is_empty())
        })
        .collect();
    let gone =
        exclusions.iter().filter(|exclusion| !matches!(exclusion.reason, Reason::Special(_)));
    let ordinary = included.difference(&special_set);
    let reached = union(&ordinary, &named_inside);
    (reached.difference(&set(gone.map(|exclusion| exclusion.net))), exclusions)
}

/// Whether `range` is loopback: 127.0.0.0/8 or ::1.
pub(super) fn is_loopback(range: &Range) -> bool {
    let loopback = match range.family {
        Family::V4 => Range { family: Family::V4, first: 127 << 24, last: (128 << 24) - 1 },
        Family::V6 => Range { family: Family::V6, first: 1, last: 1 },
    };
    loopback.covers(range)
}

fn lies_inside(net: &IpNet, special: &AddressSet) -> bool {
    let range = Range::from(*net);
    special.ranges().iter().any(|special| special.covers(&range))
}

fn set(nets: impl IntoIterator<Item = IpNet>) -> AddressSet {
    nets.into_iter().map(Range::from).collect()
}

fn union(a: &AddressSet, b: &AddressSet) -> AddressSet {
    a.ranges().iter().chain(b.ranges()).copied().collect()
}

/// The prefixes of a shipped list; a test holds every line of it to the form.
fn listed(list: &str, reason: fn(String) -> Reason) -> Vec<Exclusion> {
    let lines = list.lines().filter_map(|line| line.split_once('#'));
    lines
        .filter_map(|(net, name)| {
            let net = net.trim().parse().ok()?;
            Some(Exclusion { net, reason: reason(name.trim().to_owned()) })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_lists_is_a_prefix_with_a_name_and_an_rfc() {
        for list in [SPECIAL, NEVER] {
            for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
                let (net, name) = line.split_once('#').unwrap();
                let net: IpNet = net.trim().parse().unwrap();
                assert_eq!(net, net.trunc(), "{line}");
                assert!(name.contains("RFC "), "{line}");
            }
        }
    }

    fn allowed_of(includes: &[&str], excludes: &[&str]) -> (AddressSet, Vec<String>) {
        let nets = |texts: &[&str]| -> Vec<IpNet> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let (allowed, exclusions) = allowed(&nets(includes), &nets(excludes));
        (allowed, exclusions.iter().map(Exclusion::to_string).collect())
    }

    #[test]
    fn special_space_is_reached_only_by_a_prefix_wholly_inside_it() {
        let (allowed, exclusions) = allowed_of(&["8.0.0.0/5", "10.1.0.0/16"], &[]);
        assert!(!allowed.contains("10.2.0.1".parse().unwrap()));
        assert!(allowed.contains("10.1.0.1".parse().unwrap()));
        assert!(allowed.contains("11.0.0.1".parse().unwrap()));
        assert_eq!(exclusions, ["10.0.0.0/8 is special-purpose space: private use, RFC 1918"]);
        let (allowed, exclusions) = allowed_of(&["192.0.2.0/24"], &[]);
        assert_eq!((allowed.len(), exclusions.len()), (256, 0));
    }

    #[test]
    fn never_means_never_and_ipv4_has_no_second_name() {
        for net in [
            "224.0.0.0/24",
            "::ffff:127.0.0.0/104",
            "0.0.0.0/32",
            "::7f00:1/128",
            "ff02::1/128",
            "::ffff:0:7f00:1/128",
            "64:ff9b::/96",
            "64:ff9b:1::/96",
            "2001::/64",
            "2002:7f00:1::/48",
        ] {
            let (allowed, exclusions) = allowed_of(&[net], &[]);
            assert!(allowed.is_empty(), "{net}");
            assert!(exclusions[0].contains("is never probed"), "{net}");
        }
        let (allowed, _) = allowed_of(&["::1/128"], &[]);
        assert_eq!(allowed.len(), 1);
    }

    #[test]
    fn exclusions_are_taken_from_named_special_space_too() {
        let (allowed, exclusions) =
            allowed_of(&["127.0.0.0/24"], &["127.0.0.128/25", "8.8.8.8/32"]);
        assert_eq!(allowed.len(), 128);
        assert_eq!(exclusions, ["127.0.0.128/25 is excluded by the scope"]);
    }
}
