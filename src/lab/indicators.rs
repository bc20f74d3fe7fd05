//! The lab's own indicator set.

use std::fmt::Write;

use super::certificates::CertificateKind;
use crate::domain::cert::Leaf;

const HEAD: &str = r#"name = "demo"
tlp  = "clear"

[[source]]
id = "demo-2026-11-24"
title = "Certificates of the loopback range, made for this run and found nowhere else"
publisher = "certsweep"
published = 2026-11-24
"#;

/// The text of an indicator set that names `leaves`.
pub(super) fn set<'a>(leaves: impl IntoIterator<Item = (CertificateKind, &'a Leaf)>) -> String {
    let mut text = HEAD.to_owned();
    for (kind, leaf) in leaves {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n[[certificate]]\nsha1 = \"{}\"\nlabel = \"{}\"\nsource = \"demo-2026-11-24\"\n",
            leaf.sha1,
            kind.common_name()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_is_toml_that_names_every_leaf() {
        let leaves = [Leaf::new(b"one".to_vec()), Leaf::new(b"two".to_vec())];
        let kinds = [CertificateKind::IndicatorOne, CertificateKind::IndicatorTwo];
        let table: toml::Table = set(kinds.into_iter().zip(&leaves)).parse().unwrap();
        assert_eq!(table["name"].as_str(), Some("demo"));
        let certificates = table["certificate"].as_array().unwrap();
        assert_eq!(certificates.len(), 2);
        for ((kind, leaf), certificate) in kinds.iter().zip(&leaves).zip(certificates) {
            assert_eq!(certificate["sha1"].as_str(), Some(leaf.sha1.to_string().as_str()));
            assert_eq!(certificate["label"].as_str(), Some(kind.common_name()));
            assert_eq!(certificate["source"], table["source"][0]["id"]);
        }
    }
}
