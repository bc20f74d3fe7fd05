//! What was seen at one address over time: visits that saw the same, one after the other, are one stretch.

use super::{Certificate, Matched};
use crate::domain::fingerprint::Sha256Fingerprint;
use crate::domain::time::Timestamp;

/// A visit as a ledger remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visited {
    /// When it began.
    pub time: Timestamp,
    /// The port.
    pub port: u16,
    /// The server name sent (SNI), if any.
    pub server_name: Option<String>,
    /// Where the scan looked from.
    pub vantage: String,
    /// The scan's id.
    pub scan: String,
    /// Under which permission: the scope's name, and SHA-256 of its text.
    pub scope: (String, Sha256Fingerprint),
    /// How it ended, a word of the closed list.
    pub outcome: String,
    /// What the word leaves out.
    pub detail: Option<String>,
    /// The leaf, if one was seen.
    pub certificate: Option<Certificate>,
    /// Version and cipher suite, where the server chose them.
    pub tls: (Option<String>, Option<String>),
    /// Whether the server proved that it holds the key.
    pub key_proven: Option<bool>,
    /// Whether the handshake was finished.
    pub handshake_finished: bool,
    /// What the leaf matches, the closest first.
    pub matches: Vec<Matched>,
}

impl Visited {
    /// What tells one visit from another, times and scans aside.
    fn shows_the_same_as(&self, other: &Self) -> bool {
        let of = |visit: &Self| {
            (
                visit.port,
                visit.server_name.clone(),
                visit.vantage.clone(),
                visit.outcome.clone(),
                visit.detail.clone(),
                visit.certificate.as_ref().and_then(|leaf| leaf.sha256),
                visit.key_proven,
            )
        };
        of(self) == of(other)
    }

    /// The strongest word that holds of what was proven.
    pub fn evidence(&self) -> &'static str {
        match (&self.certificate, self.key_proven, self.handshake_finished) {
            (None, ..) => "none",
            (_, Some(true), _) => "key proven",
            (_, Some(false), _) => "NOT proven",
            (_, None, true) => "finished",
            (_, None, false) => "presented",
        }
    }
}

/// Visits that saw the same, with none between them that saw something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The first of them.
    pub first: Visited,
    /// When the last of them began.
    pub last: Timestamp,
    /// How many there are.
    pub visits: u64,
    /// The scan of the last of them.
    pub last_scan: String,
}

/// The stretches of `visits`, by port, server name and vantage, each in order of time.
pub fn stretches(mut visits: Vec<Visited>) -> Vec<Stretch> {
    visits.sort_by(|a, b| {
        let key = |visit: &Visited| (visit.port, visit.server_name.clone(), visit.vantage.clone());
        key(a).cmp(&key(b)).then(a.time.cmp(&b.time)).then(a.scan.cmp(&b.scan))
    });
    let mut stretches: Vec<Stretch> = Vec::new();
    for visit in visits {
        match stretches.last_mut() {
            Some(stretch) if stretch.first.shows_the_same_as(&visit) => {
                stretch.last = visit.time;
                stretch.visits += 1;
                stretch.last_scan = visit.scan;
            }
            _ => stretches.push(Stretch {
                last: visit.time,
                visits: 1,
                last_scan: visit.scan.clone(),
                first: visit,
            }),
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(port: u16, second: i64, outcome: &str, leaf: Option<u8>) -> Visited {
        Visited {
            time: Timestamp::from_seconds(second),
            port,
            server_name: None,
            vantage: "default".to_owned(),
            scan: format!("scan-{second}"),
            scope: ("s".to_owned(), Sha256Fingerprint([0; 32])),
            outcome: outcome.to_owned(),
            detail: None,
            certificate: leaf.map(|leaf| Certificate {
                sha256: Some(Sha256Fingerprint([leaf; 32])),
                ..Certificate::default()
            }),
            tls: (None, None),
            key_proven: None,
            handshake_finished: false,
            matches: Vec::new(),
        }
    }

    #[test]
    fn what_stays_the_same_is_one_stretch_and_ports_are_apart() {
        let visits = vec![
            visit(992, 1, "certificate", Some(1)),
            visit(443, 4, "certificate", Some(1)),
            visit(443, 1, "certificate", Some(1)),
            visit(443, 2, "certificate", Some(1)),
            visit(443, 3, "refused", None),
            visit(443, 5, "certificate", Some(2)),
        ];
        let told: Vec<_> = stretches(visits)
            .into_iter()
            .map(|stretch| {
                let first = stretch.first.time.micros() / 1_000_000;
                let last = stretch.last.micros() / 1_000_000;
                (stretch.first.port, first, last, stretch.visits, stretch.last_scan)
            })
            .collect();
        let expected =
            [(443, 1, 2, 2), (443, 3, 3, 1), (443, 4, 4, 1), (443, 5, 5, 1), (992, 1, 1, 1)];
        let expected = expected
            .map(|(port, first, last, visits)| (port, first, last, visits, format!("scan-{last}")));
        assert_eq!(told, expected);
    }
}
