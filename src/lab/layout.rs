//! Which server stands where in a [`Range`](super::Range): data, and no more.
//!
//! | hosts | 443 | 992 | 1194 | 5555 |
//! |---|---|---|---|---|
//! | 0–31 | `Tls13P256` | `Tls13P256` | `Tls13P256` | `Tls13P256` |
//! | 17 | `IndicatorOne` | `IndicatorOne` | `IndicatorOne` | `IndicatorOne` |
//! | 32–47 | `Tls13Rsa` | `Refused` | `Refused` | `Tls13Rsa` |
//! | 48–63 | `Tls12P256` | `Tls12P256` | `Refused` | `Refused` |
//! | 64–79 | `Tls12Rsa` | `Tls12Rsa` | `Refused` | `Refused` |
//! | 77 | `IndicatorOne` | `Refused` | `Refused` | `Refused` |
//! | 80–95 | `Ed25519` | `Refused` | `Refused` | `Refused` |
//! | 96–111 | `SoftetherDefault` | `SoftetherDefault` | `SoftetherDefault` | `SoftetherDefault` |
//! | 100 | `IndicatorTwo` | `IndicatorTwo` | `IndicatorTwo` | `IndicatorTwo` |
//! | 112–119 | `Http` | `Ssh` | `Smtp` | `Refused` |
//! | 120–127 | `AlertHandshakeFailure` | `AlertProtocolVersion` | `CloseAtOnce` | `ResetAfterHello` |
//! | 128–135 | `Truncate` | `Garbage` | `Endless` | `Refused` |
//! | 140 | `Impostor` | `Refused` | `Refused` | `Refused` |
//! | 141 | `Refused` | `Refused` | `Refused` | `Impostor` |
//! | 150 | `Silent` | `Refused` | `Refused` | `Refused` |
//! | 151 | `Refused` | `Refused` | `Refused` | `Silent` |
//! | 160 | `Stall` | `Refused` | `Refused` | `Refused` |
//! | 161 | `Refused` | `Stall` | `Refused` | `Refused` |
//! | 142 | `Impostor12` | `Relay` | `Refused` | `Refused` |
//! | 162–199 | [`scripts`] in their order, four on each host, but for those that are slow | | | |
//! | 200 | `Tls13P256` | `Tls13P256` | `Tls13P256` | `IndicatorOne` |
//! | 201–232 | the slow ones of [`scripts`], one on each host | `Refused` | `Refused` | `Refused` |
//! | 233 | `Refused` | `IndicatorTwo` | `Refused` | `Refused` |
//! | all others | `Refused` | `Refused` | `Refused` | `Refused` |
//!
//! A row for one host goes before a row for several. `Silent`, `Stall` and the slow scripts are few because
//! each costs a sweep its whole deadline.

use super::behaviour::Behaviour::{
    self, AlertHandshakeFailure, AlertProtocolVersion, CloseAtOnce, Ed25519, Endless, Garbage,
    Hostile, Http, Impostor, Impostor12, IndicatorOne, IndicatorTwo, Refused, Relay,
    ResetAfterHello, Silent, Smtp, SoftetherDefault, Ssh, Stall, Tls12P256, Tls12Rsa, Tls13P256,
    Tls13Rsa, Truncate,
};
use super::hostile::scripts;

/// How many hosts a range has.
pub const HOSTS: usize = 256;

/// What stands at the last octet `host` and the port of that index among the range's four; there
/// is nothing but `Refused` at any further index.
pub fn behaviour(host: u8, port_index: usize) -> Behaviour {
    row(host).get(port_index).copied().unwrap_or(Refused)
}

/// The last octet of the host that a relay passes everything on to, at the first port.
pub(super) const OWNER: u8 = 17;

fn row(host: u8) -> [Behaviour; 4] {
    match host {
        162..=199 => {
            let quick = scripts().filter(|script| !script.is_slow());
            let first = usize::from(host - 162) * 4;
            [0, 1, 2, 3].map(|index| quick.clone().nth(first + index).map_or(Refused, Hostile))
        }
        201..=232 => {
            let mut slow = scripts().filter(|script| script.is_slow());
            [slow.nth(usize::from(host - 201)).map_or(Refused, Hostile), Refused, Refused, Refused]
        }
        _ => plain(host),
    }
}

const fn plain(host: u8) -> [Behaviour; 4] {
    match host {
        17 => [IndicatorOne; 4],
        77 => [IndicatorOne, Refused, Refused, Refused],
        100 => [IndicatorTwo; 4],
        140 => [Impostor, Refused, Refused, Refused],
        141 => [Refused, Refused, Refused, Impostor],
        142 => [Impostor12, Relay, Refused, Refused],
        150 => [Silent, Refused, Refused, Refused],
        151 => [Refused, Refused, Refused, Silent],
        160 => [Stall, Refused, Refused, Refused],
        161 => [Refused, Stall, Refused, Refused],
        200 => [Tls13P256, Tls13P256, Tls13P256, IndicatorOne],
        233 => [Refused, IndicatorTwo, Refused, Refused],
        0..=31 => [Tls13P256; 4],
        32..=47 => [Tls13Rsa, Refused, Refused, Tls13Rsa],
        48..=63 => [Tls12P256, Tls12P256, Refused, Refused],
        64..=79 => [Tls12Rsa, Tls12Rsa, Refused, Refused],
        80..=95 => [Ed25519, Refused, Refused, Refused],
        96..=111 => [SoftetherDefault; 4],
        112..=119 => [Http, Ssh, Smtp, Refused],
        120..=127 => [AlertHandshakeFailure, AlertProtocolVersion, CloseAtOnce, ResetAfterHello],
        128..=135 => [Truncate, Garbage, Endless, Refused],
        _ => [Refused; 4],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn counts() -> BTreeMap<Behaviour, usize> {
        let mut counts = BTreeMap::new();
        for host in 0..=255 {
            for port_index in 0..4 {
                *counts.entry(behaviour(host, port_index)).or_default() += 1;
            }
        }
        counts
    }

    #[test]
    fn every_behaviour_has_its_place() {
        let counts = counts();
        assert_eq!(counts.values().sum::<usize>(), 4 * HOSTS);
        for behaviour in Behaviour::all() {
            assert!(counts.contains_key(&behaviour), "{behaviour:?}");
        }
    }

    #[test]
    fn the_numbers_that_the_manual_gives_are_pinned() {
        let counts = counts();
        let count = |behaviour| counts.get(&behaviour).copied().unwrap_or_default();
        assert_eq!((count(IndicatorOne), count(IndicatorTwo), count(Impostor)), (6, 5, 2));
        assert_eq!((count(Impostor12), count(Relay)), (1, 1));
        assert_eq!((count(Silent), count(Stall)), (2, 2));
        assert_eq!(count(Refused), 628 - scripts().count());
        assert_eq!(behaviour(OWNER, 0), IndicatorOne);
    }

    #[test]
    fn hosts_that_cost_a_deadline_cost_no_more_than_one() {
        for host in 0..=255 {
            let is_slow = |at: &Behaviour| match at {
                Silent | Stall => true,
                Hostile(script) => script.is_slow(),
                _ => false,
            };
            assert!(row(host).iter().filter(|at| is_slow(at)).count() <= 1, "{host}");
        }
    }

    #[test]
    fn there_are_four_ports() {
        assert_eq!(behaviour(17, 3), IndicatorOne);
        assert_eq!(behaviour(17, 4), Refused);
    }
}
