//! What is asserted of any text as an indicator set file, for fuzzing and for the replay of its corpus.

use super::{Index, read};
use crate::domain::cert::Leaf;
use crate::domain::fingerprint::{Fingerprint, Sha256Fingerprint};

const FILE: &str = "fuzz.toml";

/// Reads as much of `input` as is text as an indicator set.
pub fn indicators(input: &[u8]) {
    let text = match std::str::from_utf8(input) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&input[..error.valid_up_to()]).unwrap_or_default(),
    };
    let read_again = read(FILE, text);
    let set = match read(FILE, text) {
        Ok(set) => set,
        Err(complaint) => {
            assert_eq!(complaint.file, FILE);
            let lines = text.matches('\n').count() + 1;
            assert!(
                complaint.at.is_none_or(|(line, column)| (1..=lines).contains(&line) && column > 0)
            );
            assert!(!complaint.message.is_empty());
            assert_eq!(read_again, Err(complaint), "the same text gives the same complaint");
            return;
        }
    };
    assert_eq!(set.hash, Sha256Fingerprint::of(text.as_bytes()));
    let is_declared = |id: &str| set.sources.iter().any(|source| source.id == id);
    assert!(set.indicators().all(|listed| is_declared(listed.source)));
    assert!(set.addresses.iter().all(|address| is_declared(&address.source)));
    let fingerprints: Vec<Fingerprint> =
        set.certificates.iter().map(|certificate| certificate.fingerprint).collect();
    for (at, fingerprint) in fingerprints.iter().enumerate() {
        assert!(!fingerprints[..at].contains(fingerprint), "{fingerprint} twice");
    }
    assert!(set.indicators().count() + set.addresses.len() > 0);
    assert!(set.server_names().count() <= set.entries.len() + set.certificates.len());
    assert!(!set.contents().is_empty());
    let index = Index::new([&set]);
    for address in &set.addresses {
        assert!(!index.reported(address.address).is_empty());
    }
    // Whatever the rules are, they can be asked about a leaf that nothing can read.
    let leaf = Leaf::new(input.to_vec());
    assert_eq!(index.matches(&leaf), index.matches(&leaf));
    assert_eq!(read_again, Ok(set));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::corpus::replay;

    const SHIPPED: [&str; 2] = [
        include_str!("../../../targets/indicators/flax-typhoon.toml"),
        include_str!("../../../targets/indicators/storm-0558.toml"),
    ];

    #[test]
    fn corpus_of_indicators() {
        replay("indicators", indicators);
    }

    /// The sets that are shipped, whole and without one line each.
    #[test]
    fn shipped_sets_are_survived_without_any_line() {
        for text in SHIPPED {
            assert!(read(FILE, text).is_ok());
            let lines: Vec<&str> = text.lines().collect();
            for without in 0..=lines.len() {
                let kept = lines.iter().enumerate().filter(|(at, _)| *at != without);
                let kept: Vec<&str> = kept.map(|(_, line)| *line).collect();
                indicators(kept.join("\n").as_bytes());
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_end_it() {
        indicators(b"name = \"s\"\ntlp = \"clear\"\n\xff\xfe");
        indicators(&[0xff]);
        indicators(b"");
    }
}
