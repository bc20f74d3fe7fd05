//! What was typed, as a question to the ledger.

use ipnet::IpNet;

use crate::cli::args::{SearchArgs, SeenBy, TierName};
use crate::cli::exit::Failure;
use crate::domain::indicator::Tier;
use crate::domain::ports::PortSet;
use crate::domain::query::{self, By, HashPrefix, Pattern, Query};
use crate::domain::ranges::Range;
use crate::domain::time::Timestamp;
use crate::domain::when::{self, Edge};

/// What `args` ask at `now`.
pub(super) fn query(args: &SearchArgs, now: Timestamp) -> Result<Query, Failure> {
    let moment = |text: &Option<String>, edge| {
        text.as_deref().map(|text| when::moment(text, edge, now)).transpose()
    };
    let usage = |flag: &'static str| move |why: String| Failure::usage(format!("{flag}: {why}"));
    let mut query = Query {
        ports: args.port.as_deref().map(ports).transpose()?,
        name: args.name.as_deref().map(Pattern::new),
        issuer: args.issuer.as_deref().map(Pattern::new),
        serial: args.serial.as_deref().map(query::serial).transpose().map_err(usage("--serial"))?,
        set: args.set.clone(),
        tiers: args.tier.iter().copied().map(tier).collect(),
        seen: (
            moment(&args.since, Edge::Begin).map_err(usage("--since"))?,
            moment(&args.until, Edge::End).map_err(usage("--until"))?,
        ),
        by: match args.by {
            SeenBy::All => By::All,
            SeenBy::Scans => By::Scans,
            SeenBy::Imports => By::Imports,
        },
        ..Query::default()
    };
    for text in &args.what {
        match range(text) {
            Some(range) => query.ranges.push(range?),
            None => query.hashes.push(text.parse().map_err(|why| {
                Failure::usage(format!(
                    "{why}; a search is for hashes, addresses and prefixes, names go with --name"
                ))
            })?),
        }
    }
    match query.seen {
        (Some(from), Some(until)) if from > until => {
            Err(Failure::usage(format!("--since {from} is later than --until {until}")))
        }
        _ => Ok(query),
    }
}

/// The certificate to pivot from.
pub(super) fn pivot(args: &SearchArgs) -> Result<Option<HashPrefix>, Failure> {
    let hash = args.pivot.as_deref().map(str::parse).transpose();
    hash.map_err(|why| Failure::usage(format!("--pivot: {why}")))
}

/// The addresses that `text` spells, if it spells any; a prefix must have no bits set behind its length.
fn range(text: &str) -> Option<Result<Range, Failure>> {
    if let Ok(address) = text.parse() {
        return Some(Ok(Range::single(address)));
    }
    let net: IpNet = text.parse().ok()?;
    Some(if net.addr() == net.network() {
        Ok(net.into())
    } else {
        let right = net.trunc();
        Err(Failure::usage(format!("{text} has bits set behind its length; {right} is the prefix")))
    })
}

fn ports(items: &[String]) -> Result<PortSet, Failure> {
    PortSet::read(items.iter().map(String::as_str))
        .map_err(|error| Failure::usage(format!("--port: {error}")))
}

const fn tier(name: TierName) -> Tier {
    match name {
        TierName::A => Tier::A,
        TierName::B => Tier::B,
        TierName::C => Tier::C,
        TierName::D => Tier::D,
        TierName::E => Tier::E,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::{Cli, Command};

    fn asked(line: &str) -> Result<Query, String> {
        let Command::Search(args) = Cli::try_parse_from(line.split(' ')).unwrap().command else {
            panic!("not a search")
        };
        let now = Timestamp::from_utc(2026, [11, 24, 12, 0, 0]).unwrap();
        query(&args, now).map_err(|failure| failure.message)
    }

    #[test]
    fn each_word_is_what_it_looks_like() {
        let query = asked(
            "certsweep search 7992c0a8 192.0.2.1 2001:db8::/32 --tier a,B --port 443 --since 7d",
        )
        .unwrap();
        assert_eq!(query.hashes, ["7992c0a8".parse().unwrap()]);
        assert_eq!(
            query.ranges,
            [
                Range::single("192.0.2.1".parse().unwrap()),
                "2001:db8::/32".parse::<IpNet>().unwrap().into()
            ]
        );
        assert_eq!(query.tiers, [Tier::A, Tier::B]);
        assert_eq!(query.ports, Some(PortSet::from_iter([443])));
        assert_eq!(query.seen, (Timestamp::from_utc(2026, [11, 17, 12, 0, 0]), None));
    }

    #[test]
    fn what_cannot_be_asked_is_refused_in_one_line() {
        for (line, message) in [
            (
                "certsweep search vpn.example",
                "'vpn.example' is no hash: 'v' is no hex digit; a search is for hashes, addresses and \
                 prefixes, names go with --name",
            ),
            (
                "certsweep search 192.0.2.1/24",
                "192.0.2.1/24 has bits set behind its length; 192.0.2.0/24 is the prefix",
            ),
            (
                "certsweep search --since 2026-11-02 --until 2026-11-01",
                "--since 2026-11-02T00:00:00.000Z is later than --until 2026-11-01T23:59:59.999Z",
            ),
            (
                "certsweep search --serial xyz",
                "--serial: 'xyz' is no serial number: expected hex octets such as 0a:1b",
            ),
        ] {
            assert_eq!(asked(line).unwrap_err(), message, "{line}");
        }
    }
}
