//! What is said of each of very many indicators, in sixteen bytes and its label.

use std::collections::HashMap;
use std::sync::Arc;

/// Marks the end of a label that is not there.
const NO_LABEL: u64 = 1 << 63;

/// Marks what came with a certificate.
const OF_CERTIFICATE: u32 = 1 << 31;

/// Labels and origins of indicators, by number.
#[derive(Debug, Default)]
pub(super) struct Provenance {
    /// All labels in a row.
    labels: String,
    /// Where the label of each ends, or would, with [`NO_LABEL`].
    ends: Vec<u64>,
    /// The place of each in `origins`, with [`OF_CERTIFICATE`].
    origin: Vec<u32>,
    origins: Vec<Origin>,
}

/// The set and the source of an indicator.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// The set's name.
    pub(super) set: Arc<str>,
    /// The source's id within the set.
    pub(super) source: Arc<str>,
}

impl Provenance {
    /// Room for `count` indicators whose labels have `bytes` bytes together.
    pub(super) fn with_capacity(count: usize, bytes: usize) -> Self {
        let mut provenance = Self::default();
        provenance.labels.reserve_exact(bytes);
        provenance.ends.reserve_exact(count);
        provenance.origin.reserve_exact(count);
        provenance
    }

    /// Adds what is said of an indicator of `set`, and gives its number. `sources` has the places of the set's
    /// sources that have come up; a set begins with none.
    pub(super) fn push<'a>(
        &mut self,
        set: &Arc<str>,
        sources: &mut HashMap<&'a str, u32>,
        (source, label): (&'a str, Option<&str>),
        of_certificate: bool,
    ) -> u32 {
        let origin = *sources.entry(source).or_insert_with(|| {
            self.origins.push(Origin { set: Arc::clone(set), source: source.into() });
            (self.origins.len() - 1) as u32
        });
        self.labels.push_str(label.unwrap_or_default());
        let end = self.labels.len() as u64;
        self.ends.push(if label.is_some() { end } else { end | NO_LABEL });
        self.origin.push(if of_certificate { origin | OF_CERTIFICATE } else { origin });
        (self.ends.len() - 1) as u32
    }

    /// Where indicator `number` comes from, and whether it came with a certificate.
    pub(super) fn origin(&self, number: u32) -> Option<(&Origin, bool)> {
        let origin = self.origin.get(number as usize)?;
        let of_certificate = origin & OF_CERTIFICATE != 0;
        Some((self.origins.get((origin & !OF_CERTIFICATE) as usize)?, of_certificate))
    }

    /// The label of indicator `number`, if it has one.
    pub(super) fn label(&self, number: u32) -> Option<&str> {
        let end = self.ends.get(number as usize).copied().filter(|end| end & NO_LABEL == 0)?;
        let before = (number as usize).checked_sub(1).and_then(|before| self.ends.get(before));
        let start = before.map_or(0, |before| before & !NO_LABEL);
        self.labels.get(start as usize..end as usize)
    }

    /// The memory that it takes, in bytes, without the names of sets and sources.
    pub(super) const fn bytes(&self) -> usize {
        self.labels.capacity()
            + self.ends.capacity() * size_of::<u64>()
            + self.origin.capacity() * size_of::<u32>()
            + self.origins.capacity() * size_of::<Origin>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_origins_come_back() {
        let (mut all, mut sources) = (Provenance::with_capacity(4, 6), HashMap::new());
        let set: Arc<str> = "s".into();
        let said = [("a", Some("one")), ("b", None), ("a", Some("")), ("b", Some("two"))];
        for (at, (source, label)) in said.into_iter().enumerate() {
            let of_certificate = at % 2 == 1;
            let number = all.push(&set, &mut sources, (source, label), of_certificate);
            assert_eq!(number as usize, at);
        }
        for (at, (source, label)) in said.into_iter().enumerate() {
            let (origin, of_certificate) = all.origin(at as u32).unwrap();
            assert_eq!((&*origin.set, &*origin.source), ("s", source));
            assert_eq!((all.label(at as u32), of_certificate), (label, at % 2 == 1));
        }
        assert!(all.origin(4).is_none() && all.label(4).is_none());
        assert_eq!(all.origins.len(), 2);
    }
}
