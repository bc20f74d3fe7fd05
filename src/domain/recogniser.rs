//! Leaves that were described before, with what they match: the same certificate stands on many hosts, and is read once.

use std::collections::HashMap;
use std::sync::Arc;

use super::cert::Leaf;
use super::fingerprint::Sha256Fingerprint;
use super::indicator::{Index, Match};

/// Leaves that are remembered at most.
const LEAVES_MAX: usize = 4_096;

/// Bytes that they take at most, about: their DER and what was read of it.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// Knows leaves again by their SHA-256, within bounds.
#[derive(Debug)]
pub struct Recogniser {
    index: Arc<Index>,
    known: HashMap<Sha256Fingerprint, Recognised>,
    bytes: usize,
    /// Of leaves and of bytes.
    most: (usize, usize),
}

/// A leaf and what it matches.
#[derive(Clone, Debug)]
pub struct Recognised {
    /// The leaf; everybody who saw it has the same one.
    pub leaf: Arc<Leaf>,
    /// The indicators that it matches.
    pub matches: Vec<Match>,
}

impl Recogniser {
    /// One that knows no leaf yet, and looks up in `index` those that it comes to know.
    pub fn new(index: Arc<Index>) -> Self {
        Self { index, known: HashMap::new(), bytes: 0, most: (LEAVES_MAX, BYTES_MAX) }
    }

    /// What leaves are looked up in.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The leaf with these bytes: described and matched, unless it is known.
    ///
    /// Once there are too many, all are forgotten: those that are met often are soon known again, and nobody can make
    /// it dear to find out which these are.
    pub fn recognise(&mut self, der: &[u8]) -> Recognised {
        let sha256 = Sha256Fingerprint::of(der);
        if let Some(known) = self.known.get(&sha256) {
            return known.clone();
        }
        let leaf = Leaf::with_sha256(der.to_vec(), sha256);
        let recognised = Recognised { matches: self.index.matches(&leaf), leaf: Arc::new(leaf) };
        let bytes = size(&recognised.leaf);
        if self.known.len() >= self.most.0 || self.bytes + bytes > self.most.1 {
            self.known.clear();
            self.bytes = 0;
        }
        self.bytes += bytes;
        self.known.insert(sha256, recognised.clone());
        recognised
    }
}

/// About how many bytes `leaf` takes. What it matches is shared with the index.
fn size(leaf: &Leaf) -> usize {
    let said = &leaf.description;
    let texts = [&said.subject, &said.issuer, &said.common_name, &said.serial, &said.parse_error];
    let texts: usize = texts.into_iter().flatten().chain(&said.names).map(String::len).sum();
    size_of::<Leaf>() + leaf.der.len() + texts + said.names.len() * size_of::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_is_described_once_and_by_its_bytes() {
        let mut recogniser = Recogniser::new(Arc::default());
        let [first, again, other] = [b"one", b"one", b"two"].map(|der| recogniser.recognise(der));
        assert!(Arc::ptr_eq(&first.leaf, &again.leaf));
        assert_eq!(*first.leaf, Leaf::new(b"one".to_vec()));
        assert_eq!(*other.leaf, Leaf::new(b"two".to_vec()));
        assert_eq!(recogniser.known.len(), 2);
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_for() {
        // They differ where nothing is read, so that all are of one size.
        let leaf = |number: u8| [&[7; 899][..], &[number]].concat();
        let leaves: Vec<Vec<u8>> = (0..100).map(leaf).collect();
        let each = size(&Leaf::new(leaves[0].clone()));
        assert!(each > 900);
        for most in [(7, usize::MAX), (usize::MAX, 7 * each)] {
            let mut recogniser = Recogniser { most, ..Recogniser::new(Arc::default()) };
            for leaf in &leaves {
                assert_eq!(recogniser.recognise(leaf).leaf.der, *leaf);
                assert!(recogniser.known.len() <= 7 && recogniser.bytes <= 7 * each);
                let known = recogniser.known.values().map(|known| size(&known.leaf));
                assert_eq!(recogniser.bytes, known.sum::<usize>());
            }
            assert_eq!(recogniser.known.len(), 100 % 7);
        }
    }

    /// What is longer than all room is told all the same, and then forgotten by the next.
    #[test]
    fn a_giant_is_told() {
        let mut recogniser = Recogniser { most: (9, 1), ..Recogniser::new(Arc::default()) };
        for number in 0..3 {
            assert_eq!(recogniser.recognise(&[number; 5000]).leaf.der, [number; 5000]);
            assert_eq!(recogniser.known.len(), 1);
        }
    }
}
