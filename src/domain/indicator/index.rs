//! Looking a leaf up among the indicators of many sets.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::digests::Digests;
use super::provenance::Provenance;
use super::{Indicator, IndicatorSet, Match, Reported, Rule, Template};
use crate::domain::cert::Leaf;
use crate::domain::fingerprint::{Fingerprint, Sha1Fingerprint, Sha256Fingerprint};

/// The indicators of several sets, by what they match.
///
/// Hashes and keys may be a million: what is said of them stands apart, by their number.
#[derive(Debug, Default)]
pub struct Index {
    sha1: Digests<20>,
    sha256: Digests<32>,
    keys: Digests<32>,
    provenance: Provenance,
    names: HashMap<Arc<str>, Vec<Match>>,
    profiles: Vec<(Rule, Match)>,
    softether: Vec<Match>,
    addresses: HashMap<IpAddr, Vec<Reported>>,
}

/// Digests as they come, and their numbers.
#[derive(Default)]
struct Unsorted {
    sha1: Vec<([u8; 20], u32)>,
    sha256: Vec<([u8; 32], u32)>,
    keys: Vec<([u8; 32], u32)>,
}

impl Unsorted {
    /// Room for exactly what `sets` hold.
    fn with_room_for(sets: &[&IndicatorSet]) -> Self {
        let certificates = || sets.iter().flat_map(|set| &set.certificates);
        let of_sha1 = |hash: &Fingerprint| matches!(hash, Fingerprint::Sha1(_));
        let sha1 = certificates().filter(|one| of_sha1(&one.fingerprint)).count();
        let keys = certificates().filter(|one| one.spki_sha256.is_some()).count();
        Self {
            sha1: Vec::with_capacity(sha1),
            sha256: Vec::with_capacity(certificates().count() - sha1),
            keys: Vec::with_capacity(keys),
        }
    }

    fn add(&mut self, hash: Fingerprint, number: u32) {
        match hash {
            Fingerprint::Sha1(hash) => self.sha1.push((hash.0, number)),
            Fingerprint::Sha256(hash) => self.sha256.push((hash.0, number)),
        }
    }
}

impl Index {
    /// Indexes `sets`; an indicator in several sets gives a match for each.
    pub fn new<'a>(sets: impl IntoIterator<Item = &'a IndicatorSet>) -> Self {
        let sets: Vec<&IndicatorSet> = sets.into_iter().collect();
        let certificates = || sets.iter().flat_map(|set| &set.certificates);
        let labels = certificates().filter_map(|one| one.label.as_ref()).map(String::len).sum();
        let provenance = Provenance::with_capacity(certificates().count(), labels);
        let (mut index, mut hashes) =
            (Self { provenance, ..Self::default() }, Unsorted::with_room_for(&sets));
        for set in sets {
            index.add(set, &mut hashes);
        }
        index.sha1 = Digests::new(hashes.sha1);
        index.sha256 = Digests::new(hashes.sha256);
        index.keys = Digests::new(hashes.keys);
        index
    }

    fn add(&mut self, set: &IndicatorSet, hashes: &mut Unsorted) {
        let (name, mut sources): (Arc<str>, _) = (set.name.as_str().into(), HashMap::new());
        for certificate in &set.certificates {
            let said = (certificate.source.as_str(), certificate.label.as_deref());
            let number = self.provenance.push(&name, &mut sources, said, true);
            hashes.add(certificate.fingerprint, number);
            hashes.keys.extend(certificate.spki_sha256.map(|key| (key.0, number)));
        }
        let profiles = set.profiles.iter().map(|profile| (&profile.entry, Some(&profile.rule)));
        for (entry, rule) in set.entries.iter().map(|entry| (entry, None)).chain(profiles) {
            let (source, label) = (entry.source.as_str(), entry.label.as_deref());
            let mut push = || self.provenance.push(&name, &mut sources, (source, label), false);
            let found = || Match {
                set: Arc::clone(&name),
                tier: entry.indicator.tier(),
                indicator: entry.indicator.clone(),
                label: label.map(Arc::from),
                source: source.into(),
            };
            match &entry.indicator {
                Indicator::Leaf(hash) => hashes.add(*hash, push()),
                Indicator::Key(hash) => hashes.keys.push((hash.0, push())),
                Indicator::Name(name) => {
                    self.names.entry(Arc::clone(name)).or_default().push(found());
                }
                Indicator::Profile(_) => {
                    self.profiles.extend(rule.map(|rule| (rule.clone(), found())));
                }
                Indicator::Template(Template::SoftEther) => self.softether.push(found()),
            }
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

    /// The memory that hashes, keys and what is said of them take, in bytes.
    pub const fn bytes(&self) -> usize {
        self.sha1.bytes() + self.sha256.bytes() + self.keys.bytes() + self.provenance.bytes()
    }

    /// Every indicator that `leaf` matches, the closest tier first, the exact leaf by SHA-1 first.
    pub fn matches(&self, leaf: &Leaf) -> Vec<Match> {
        let mut found = Vec::new();
        let by_sha1 = Indicator::Leaf(Fingerprint::Sha1(leaf.sha1));
        let exact = self.sha1.numbers(&leaf.sha1.0);
        found.extend(exact.filter_map(|number| self.found(number, &by_sha1)));
        let by_sha256 = Indicator::Leaf(Fingerprint::Sha256(leaf.sha256));
        let exact = self.sha256.numbers(&leaf.sha256.0);
        found.extend(exact.filter_map(|number| self.found(number, &by_sha256)));
        if let Some(key) = leaf.spki_sha256 {
            self.match_key(key, &mut found);
        }
        if leaf.description.softether_default {
            self.match_names(leaf, &mut found);
        }
        let holds = |(rule, _): &&(Rule, Match)| rule.holds(&leaf.description) == Some(true);
        found.extend(self.profiles.iter().filter(holds).map(|(_, profile)| profile.clone()));
        if leaf.description.softether_default {
            found.extend_from_slice(&self.softether);
        }
        found
    }

    /// Every indicator that a certificate of which only these hashes are known matches: the leaf's own, and that of
    /// its key. Names and structure need the leaf.
    pub fn matches_hashes(
        &self,
        sha1: Option<Sha1Fingerprint>,
        sha256: Option<Sha256Fingerprint>,
        spki_sha256: Option<Sha256Fingerprint>,
    ) -> Vec<Match> {
        let mut found = Vec::new();
        if let Some(hash) = sha1 {
            let indicator = Indicator::Leaf(Fingerprint::Sha1(hash));
            let exact = self.sha1.numbers(&hash.0);
            found.extend(exact.filter_map(|number| self.found(number, &indicator)));
        }
        if let Some(hash) = sha256 {
            let indicator = Indicator::Leaf(Fingerprint::Sha256(hash));
            let exact = self.sha256.numbers(&hash.0);
            found.extend(exact.filter_map(|number| self.found(number, &indicator)));
        }
        if let Some(key) = spki_sha256 {
            self.match_key(key, &mut found);
        }
        found
    }

    /// The match of indicator `number`, which is `indicator`.
    fn found(&self, number: u32, indicator: &Indicator) -> Option<Match> {
        let (origin, _) = self.provenance.origin(number)?;
        Some(Match {
            set: Arc::clone(&origin.set),
            tier: indicator.tier(),
            indicator: indicator.clone(),
            label: self.provenance.label(number).map(Arc::from),
            source: Arc::clone(&origin.source),
        })
    }

    /// A key that came with a certificate matches where the set does not name the very leaf.
    fn match_key(&self, key: Sha256Fingerprint, found: &mut Vec<Match>) {
        if self.keys.is_empty() {
            return;
        }
        let exact: Vec<Arc<str>> = found.iter().map(|exact| Arc::clone(&exact.set)).collect();
        let indicator = Indicator::Key(key);
        for number in self.keys.numbers(&key.0) {
            let Some((origin, of_certificate)) = self.provenance.origin(number) else { continue };
            if of_certificate && exact.contains(&origin.set) {
                continue;
            }
            let again = |other: &Match| (&other.set, &other.indicator) == (&origin.set, &indicator);
            // Two certificates of a set may have one key.
            if !found.iter().any(again) {
                found.extend(self.found(number, &indicator));
            }
        }
    }

    /// A name may stand in the subject and among the alternative names.
    fn match_names(&self, leaf: &Leaf, found: &mut Vec<Match>) {
        if self.names.is_empty() {
            return;
        }
        let described = &leaf.description;
        let mut shown: Vec<String> = described
            .common_name
            .iter()
            .chain(&described.names)
            .map(|name| name.to_ascii_lowercase())
            .collect();
        shown.sort_unstable();
        shown.dedup();
        let known = shown.iter().filter_map(|name| self.names.get(name.as_str()));
        found.extend(known.flatten().cloned());
    }

    /// Every report that names `address`.
    pub fn reported(&self, address: IpAddr) -> Vec<Reported> {
        self.addresses.get(&address).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::indicator::{Certificate, read};

    fn softether() -> Leaf {
        let pem = include_str!("../cert/softether-default.pem");
        Leaf::new(x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap().1.contents)
    }

    fn set(name: &str, tail: &str) -> IndicatorSet {
        let head = format!("name = \"{name}\"\ntlp = \"clear\"\n");
        let source = "[[source]]\nid = \"r\"\ntitle = \"t\"\n";
        read("s.toml", &format!("{head}{source}{tail}")).unwrap()
    }

    fn found(sets: &[IndicatorSet], leaf: &Leaf) -> Vec<String> {
        let matches = Index::new(sets).matches(leaf);
        let spelt =
            |found: &Match| format!("{} {} {}", found.set, found.tier.letter(), found.indicator);
        matches.iter().map(spelt).collect()
    }

    /// Everything there is to match in `leaf`, the least close first.
    fn every_kind(leaf: &Leaf) -> String {
        format!(
            "[[template]]\ntemplate = \"softether\"\nsource = \"r\"\n\
             [[profile]]\nid = \"p\"\nsource = \"r\"\nrule = {{ serial = \"00\" }}\n\
             [[host_name]]\nname = \"VM\"\nsource = \"r\"\n\
             [[public_key]]\nspki_sha256 = \"{}\"\nsource = \"r\"\n\
             [[certificate]]\nsha256 = \"{}\"\nsource = \"r\"\n\
             [[certificate]]\nsha1 = \"{}\"\nsource = \"r\"\n",
            leaf.spki_sha256.unwrap(),
            leaf.sha256,
            leaf.sha1
        )
    }

    #[test]
    fn matches_come_by_tier_the_closest_first() {
        let leaf = softether();
        assert_eq!(
            found(&[set("s", &every_kind(&leaf))], &leaf),
            [
                format!("s A sha1:{}", leaf.sha1),
                format!("s A sha256:{}", leaf.sha256),
                format!("s B spki_sha256:{}", leaf.spki_sha256.unwrap()),
                "s C name:vm".to_owned(),
                "s D profile:p".to_owned(),
                "s E template:softether".to_owned(),
            ]
        );
    }

    #[test]
    fn exact_in_one_set_and_a_guess_in_another_are_two_matches() {
        let leaf = softether();
        let exact =
            set("exact", &format!("[[certificate]]\nsha1 = \"{}\"\nsource = \"r\"\n", leaf.sha1));
        let guess =
            set("guess", "[[profile]]\nid = \"p\"\nsource = \"r\"\nrule.self_signed = true\n");
        let expected = [format!("exact A sha1:{}", leaf.sha1), "guess D profile:p".to_owned()];
        assert_eq!(found(&[guess, exact], &leaf), expected);
    }

    #[test]
    fn a_key_that_came_with_a_certificate_matches_other_leaves_only() {
        let leaf = softether();
        let spki = leaf.spki_sha256.unwrap();
        // The same key in another certificate: bytes after it make it another leaf.
        let other = Leaf::new([leaf.der.as_slice(), &[0]].concat());
        assert_eq!(other.spki_sha256, Some(spki));
        let entry = |sha1: &dyn std::fmt::Display| {
            format!(
                "[[certificate]]\nsha1 = \"{sha1}\"\nspki_sha256 = \"{spki}\"\nsource = \"r\"\n"
            )
        };
        let strange = "7992c0a816246b287d991c4ecf68f2d32e4bca18";
        let sets = [set("s", &(entry(&leaf.sha1) + &entry(&strange)))];
        assert_eq!(found(&sets, &leaf), [format!("s A sha1:{}", leaf.sha1)]);
        assert_eq!(found(&sets, &other), [format!("s B spki_sha256:{spki}")]);
    }

    #[test]
    fn a_name_or_template_needs_the_structure() {
        let leaf = softether();
        let mut plain = leaf.clone();
        plain.description.softether_default = false;
        let sets = [set("s", &every_kind(&leaf))];
        let tiers: String =
            Index::new(&sets).matches(&plain).iter().map(|m| m.tier.letter()).collect();
        assert_eq!(tiers, "AABD");
    }

    #[test]
    fn a_name_in_subject_and_alternative_names_is_one_match() {
        let mut leaf = softether();
        leaf.description.names = vec!["vm".to_owned(), "Other.Example".to_owned()];
        let text = "[[host_name]]\nname = \"vm\"\nsource = \"r\"\n\
                    [[host_name]]\nname = \"other.example\"\nsource = \"r\"\n";
        assert_eq!(found(&[set("s", text)], &leaf), ["s C name:other.example", "s C name:vm"]);
    }

    #[test]
    fn a_leaf_that_cannot_be_read_matches_by_its_hash_alone() {
        let junk = Leaf::new(b"no certificate".to_vec());
        let text = format!(
            "[[certificate]]\nsha1 = \"{}\"\nsource = \"r\"\n\
             [[profile]]\nid = \"p\"\nsource = \"r\"\nrule.not.subject_contains = \"x\"\n",
            junk.sha1
        );
        assert_eq!(found(&[set("s", &text)], &junk), [format!("s A sha1:{}", junk.sha1)]);
    }

    #[test]
    fn a_million_hashes_with_labels_take_no_more_than_64_mebibytes() {
        let hash = |number: u32| Sha1Fingerprint::of(&number.to_be_bytes());
        let certificate = |number: u32| Certificate {
            fingerprint: Fingerprint::Sha1(hash(number)),
            spki_sha256: None,
            label: Some(format!("host{number:07}.example.net")),
            source: format!("report-{}", number % 100),
            note: None,
        };
        let mut set = set("s", "[[template]]\ntemplate = \"softether\"\nsource = \"r\"\n");
        set.certificates = (0..1_000_000).map(certificate).collect();
        let index = Index::new([&set]);
        assert!(index.bytes() <= 64 << 20, "{}", index.bytes());
        let mut leaf = softether();
        for number in [0, 1, 500_000, 999_999, 1_000_000] {
            leaf.sha1 = hash(number);
            let found = index.matches(&leaf);
            assert_eq!(found.len(), 1 + usize::from(number < 1_000_000));
            for found in found.iter().filter(|found| found.tier.is_certain()) {
                let expected =
                    (format!("host{number:07}.example.net"), format!("report-{}", number % 100));
                assert_eq!(
                    (found.label.as_deref(), &*found.source),
                    (Some(&*expected.0), &*expected.1)
                );
                assert_eq!(
                    (&*found.set, found.indicator.to_string()),
                    ("s", format!("sha1:{}", leaf.sha1))
                );
            }
        }
    }
}
