//! Looking a leaf up among the indicators of many sets.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::{IndicatorSet, Match, Reported, Tier};
use crate::domain::cert::Leaf;
use crate::domain::fingerprint::Fingerprint;

/// The indicators of several sets, by what they match.
#[derive(Debug, Default)]
pub struct Index {
    certificates: HashMap<Fingerprint, Vec<Match>>,
    addresses: HashMap<IpAddr, Vec<Reported>>,
}

impl Index {
    /// Indexes `sets`; an indicator in several sets gives a match for each.
    pub fn new<'a>(sets: impl IntoIterator<Item = &'a IndicatorSet>) -> Self {
        let mut index = Self::default();
        for set in sets {
            index.add(set);
        }
        index
    }

    fn add(&mut self, set: &IndicatorSet) {
        let name: Arc<str> = set.name.as_str().into();
        for certificate in &set.certificates {
            self.certificates.entry(certificate.fingerprint).or_default().push(Match {
                set: Arc::clone(&name),
                tier: Tier::A,
                indicator: certificate.fingerprint,
                label: certificate.label.as_deref().map(Arc::from),
                source: certificate.source.as_str().into(),
            });
        }
        for address in &set.addresses {
            self.addresses.entry(address.address).or_default().push(Reported {
                set: Arc::clone(&name),
                source: address.source.as_str().into(),
                first_seen: address.first_seen,
                last_seen: address.last_seen,
            });
        }
    }

    /// Every indicator that `leaf` matches, by SHA-1 first.
    pub fn matches(&self, leaf: &Leaf) -> Vec<Match> {
        let hashes = [Fingerprint::Sha1(leaf.sha1), Fingerprint::Sha256(leaf.sha256)];
        let found = hashes.iter().filter_map(|hash| self.certificates.get(hash));
        found.flatten().cloned().collect()
    }

    /// Every report that names `address`.
    pub fn reported(&self, address: IpAddr) -> Vec<Reported> {
        self.addresses.get(&address).cloned().unwrap_or_default()
    }
}
