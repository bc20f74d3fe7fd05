//! What is measured, and what each figure is compared with.

use clap::ValueEnum;

use super::servers::Server;
use super::sweep::Wanted;
use crate::cli::args::Handshake;

/// One thing that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(in crate::cli) enum Case {
    /// Bare loop: a socket for each target, connect, close
    FloorPlain,
    /// Bare loop: the same sockets again and again
    FloorReuse,
    /// Servers that pick TLS 1.2, as by default
    #[value(name = "auto_tls12")]
    AutoTls12,
    /// Servers that pick TLS 1.3, as by default
    #[value(name = "auto_tls13")]
    AutoTls13,
    /// The same over TLS 1.2 without confirmations
    #[value(name = "leaf_tls12")]
    LeafTls12,
    /// The same over TLS 1.3 without confirmations
    #[value(name = "leaf_tls13")]
    LeafTls13,
    /// As auto_tls12, with another leaf at each target
    #[value(name = "auto_tls12_own_leaf")]
    AutoTls12OwnLeaf,
    /// TLS 1.2, one target in a thousand matches and is confirmed (base: leaf_tls12)
    AutoMatches,
    /// With ledger and JSON Lines, one leaf for all (base: auto_tls12)
    StoredOneLeaf,
    /// With ledger and JSON Lines, another leaf at each target (base: auto_tls12_own_leaf)
    StoredOwnLeaf,
    /// Bare loop: whole handshakes of TLS 1.3 with rustls
    FloorRustls,
    /// Handshakes that are completed, TLS 1.3 (base: floor_rustls)
    #[value(name = "full_tls13")]
    FullTls13,
    /// Bare loop: a socket for each target, all refused
    FloorRefused,
    /// Targets without a server (base: floor_refused)
    Refused,
    /// Servers that never answer, up to 15,000 at once: the memory of a probe; run once
    Silent,
    /// 100 connections a second for up to 10 s: the rate and what it costs; run once
    Paced,
    /// 20,000 connections a second for up to 1 s; run once
    PacedFast,
    /// From the start of the program to its first connection
    Startup,
}

/// How a case is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Work {
    Plain,
    Reuse,
    Refusals,
    Rustls,
    Sweep(Kind),
    Stored(Kind),
    Startup,
}

/// A sweep of so many of a kind of server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Kind {
    pub(super) server: Server,
    pub(super) handshake: Handshake,
    pub(super) wanted: Wanted,
    /// Connections per second.
    pub(super) rate: Option<f64>,
    /// Targets at most.
    pub(super) targets_max: u32,
    /// Whether all targets are to be open at once.
    pub(super) at_once: bool,
}

const fn sweep(server: Server, handshake: Handshake, wanted: Wanted) -> Kind {
    let targets_max = u32::MAX;
    Kind { server, handshake, wanted, rate: None, targets_max, at_once: false }
}

const fn paced(rate: f64, targets_max: u32) -> Kind {
    let rate = Some(rate);
    Kind { rate, targets_max, ..sweep(Server::Canned12, Handshake::Auto, Wanted::Leaf("1.2")) }
}

impl Case {
    pub(super) const fn work(self) -> Work {
        use Handshake::{Auto, Full, Leaf};
        use Server::{Canned12, Canned13, Hold, Matches, Nobody, OwnLeaf12, Tls13};
        let (tls12, tls13) = (Wanted::Leaf("1.2"), Wanted::Leaf("1.3"));
        match self {
            Self::FloorPlain => Work::Plain,
            Self::FloorReuse => Work::Reuse,
            Self::FloorRustls => Work::Rustls,
            Self::FloorRefused => Work::Refusals,
            Self::AutoTls12 => Work::Sweep(sweep(Canned12, Auto, tls12)),
            Self::AutoTls13 => Work::Sweep(sweep(Canned13, Auto, tls13)),
            Self::LeafTls12 => Work::Sweep(sweep(Canned12, Leaf, tls12)),
            Self::LeafTls13 => Work::Sweep(sweep(Canned13, Leaf, tls13)),
            Self::AutoTls12OwnLeaf => Work::Sweep(sweep(OwnLeaf12, Auto, tls12)),
            Self::AutoMatches => Work::Sweep(sweep(Matches, Auto, Wanted::Matches)),
            Self::StoredOneLeaf => Work::Stored(sweep(Canned12, Auto, tls12)),
            Self::StoredOwnLeaf => Work::Stored(sweep(OwnLeaf12, Auto, tls12)),
            Self::FullTls13 => Work::Sweep(sweep(Tls13, Full, Wanted::Finished)),
            Self::Refused => Work::Sweep(sweep(Nobody, Auto, Wanted::Refused)),
            Self::Silent => {
                let silent = sweep(Hold, Auto, Wanted::Silent);
                Work::Sweep(Kind { targets_max: 15_000, at_once: true, ..silent })
            }
            Self::Paced => Work::Sweep(paced(100.0, 1_000)),
            Self::PacedFast => Work::Sweep(paced(20_000.0, 20_000)),
            Self::Startup => Work::Startup,
        }
    }

    /// What it is compared with besides the floors.
    pub(super) const fn base(self) -> Option<Self> {
        match self {
            Self::AutoMatches => Some(Self::LeafTls12),
            Self::StoredOneLeaf => Some(Self::AutoTls12),
            Self::StoredOwnLeaf => Some(Self::AutoTls12OwnLeaf),
            Self::FullTls13 => Some(Self::FloorRustls),
            Self::Refused => Some(Self::FloorRefused),
            _ => None,
        }
    }

    /// Whether it is run once, before all others: it takes seconds, or must meet memory that nothing has used yet.
    pub(super) const fn is_once(self) -> bool {
        matches!(self, Self::Silent | Self::Paced | Self::PacedFast)
    }

    pub(super) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// `wanted`, or all if that is none, with the floors and all that they are compared with, in order.
    pub(super) fn chosen(wanted: &[Self]) -> Vec<Self> {
        let is_wanted = |case: Self| wanted.is_empty() || wanted.contains(&case);
        let all = Self::value_variants().iter().copied();
        let bases: Vec<Self> = all.clone().filter(|case| is_wanted(*case)).collect();
        let bases: Vec<Self> = bases.into_iter().filter_map(Self::base).collect();
        let floors = [Self::FloorPlain, Self::FloorReuse];
        all.filter(|case| is_wanted(*case) || bases.contains(case) || floors.contains(case))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_case_is_compared_with_comes_along() {
        assert_eq!(Case::chosen(&[]), Case::value_variants());
        let names = |wanted: &[Case]| -> Vec<String> {
            Case::chosen(wanted).into_iter().map(Case::name).collect()
        };
        assert_eq!(
            names(&[Case::FullTls13, Case::StoredOneLeaf]),
            [
                "floor_plain",
                "floor_reuse",
                "auto_tls12",
                "stored_one_leaf",
                "floor_rustls",
                "full_tls13"
            ]
        );
        assert_eq!(names(&[Case::Startup]), ["floor_plain", "floor_reuse", "startup"]);
    }

    #[test]
    fn no_base_has_a_base() {
        let bases = Case::value_variants().iter().filter_map(|case| case.base());
        assert!(bases.clone().count() == 5 && bases.clone().all(|base| base.base().is_none()));
    }
}
