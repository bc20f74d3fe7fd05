//! Looking a leaf up among the indicators of many sets.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::{Indicator, IndicatorSet, Listed, Match, Reported, Rule, Template};
use crate::domain::cert::Leaf;
use crate::domain::fingerprint::{Fingerprint, Sha256Fingerprint};

/// The indicators of several sets, by what they match.
#[derive(Debug, Default)]
pub struct Index {
    leaves: HashMap<Fingerprint, Vec<Match>>,
    keys: HashMap<Sha256Fingerprint, Vec<KeyMatch>>,
    names: HashMap<Arc<str>, Vec<Match>>,
    profiles: Vec<(Rule, Match)>,
    softether: Vec<Match>,
    addresses: HashMap<IpAddr, Vec<Reported>>,
}

/// A key, and the leaf that brought it into the set, if one did.
#[derive(Debug)]
struct KeyMatch {
    found: Match,
    of_certificate: bool,
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
        for listed in set.indicators() {
            self.add_listed(&name, &listed);
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

    fn add_listed(&mut self, set: &Arc<str>, listed: &Listed<'_>) {
        let found = Match {
            set: Arc::clone(set),
            tier: listed.indicator.tier(),
            indicator: listed.indicator.clone(),
            label: listed.label.map(Arc::from),
            source: listed.source.into(),
        };
        match &listed.indicator {
            Indicator::Leaf(hash) => self.leaves.entry(*hash).or_default().push(found),
            Indicator::Key(hash) => {
                let of_certificate = listed.of_certificate;
                self.keys.entry(*hash).or_default().push(KeyMatch { found, of_certificate });
            }
            Indicator::Name(name) => self.names.entry(Arc::clone(name)).or_default().push(found),
            Indicator::Profile(_) => {
                self.profiles.extend(listed.rule.map(|rule| (rule.clone(), found)));
            }
            Indicator::Template(Template::SoftEther) => self.softether.push(found),
        }
    }

    /// Every indicator that `leaf` matches, the closest tier first, the exact leaf by SHA-1 first.
    pub fn matches(&self, leaf: &Leaf) -> Vec<Match> {
        let hashes = [Fingerprint::Sha1(leaf.sha1), Fingerprint::Sha256(leaf.sha256)];
        let exact = hashes.iter().filter_map(|hash| self.leaves.get(hash));
        let mut found: Vec<Match> = exact.flatten().cloned().collect();
        self.match_key(leaf, &mut found);
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

    /// A key that came with a certificate matches where the set does not name the very leaf.
    fn match_key(&self, leaf: &Leaf, found: &mut Vec<Match>) {
        if self.keys.is_empty() {
            return;
        }
        let Some(known) = leaf.spki_sha256.and_then(|hash| self.keys.get(&hash)) else { return };
        let exact: Vec<Arc<str>> = found.iter().map(|exact| Arc::clone(&exact.set)).collect();
        for key in known.iter().filter(|key| !key.of_certificate || !exact.contains(&key.found.set))
        {
            let again = |other: &Match| {
                (&other.set, &other.indicator) == (&key.found.set, &key.found.indicator)
            };
            // Two certificates of a set may have one key.
            if !found.iter().any(again) {
                found.push(key.found.clone());
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
    use crate::domain::indicator::read;

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
}
