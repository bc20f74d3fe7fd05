//! PEM (RFC 7468): any number of certificates, with any other text between them.

use std::sync::Arc;

use super::facts::base64;
use super::lines::LINE_MAX;
use super::{Found, Placed, Wrong};
use crate::domain::cert::Leaf;
use crate::domain::collected::{Collected, Known};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

/// Labels of blocks that are a certificate and nothing else (RFC 7468, section 5; the second is an old one).
const CERTIFICATE: [&str; 2] = ["CERTIFICATE", "X509 CERTIFICATE"];

/// OpenSSL's: a certificate and something after it, of which the hash would be another.
const TRUSTED: &str = "TRUSTED CERTIFICATE";

/// Takes lines, gives certificates.
#[derive(Debug, Default)]
pub(super) struct Reader {
    block: Option<Block>,
}

/// A block that has begun.
#[derive(Debug)]
struct Block {
    label: String,
    line: usize,
    base64: String,
}

/// Whether a line begins a block.
pub(super) fn begins(line: &str) -> bool {
    label(line, BEGIN).is_some()
}

fn label<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    line.trim().strip_prefix(mark)?.strip_suffix("-----")
}

impl Reader {
    /// Takes line `number`. A complaint may be about an earlier one.
    pub(super) fn line(&mut self, number: usize, line: &str) -> Result<Found, Placed> {
        if let Some(label) = label(line, BEGIN) {
            let begun = Block { label: label.to_owned(), line: number, base64: String::new() };
            return self.block.replace(begun).map_or(Ok(Found::default()), |block| block.unended());
        }
        if let Some(ended) = label(line, END) {
            return match self.block.take() {
                Some(block) if block.label == ended => block.certificate(),
                Some(block) => block.unended(),
                None => Ok(Found::default()),
            };
        }
        let Some(block) = &mut self.block else { return Ok(Found::default()) };
        if block.is_certificate() {
            block.base64.push_str(line.trim());
            if block.base64.len() > LINE_MAX {
                let wrong = Wrong::of("", "the block that begins here is longer than 16 MiB");
                let line = block.line;
                self.block = None;
                return Err(Placed { line, wrong });
            }
        }
        Ok(Found::default())
    }

    /// There are no more lines.
    pub(super) fn end(&mut self) -> Result<Found, Placed> {
        self.block.take().map_or(Ok(Found::default()), |block| block.unended())
    }
}

impl Block {
    fn is_certificate(&self) -> bool {
        CERTIFICATE.contains(&self.label.as_str())
    }

    /// Keys, requests and the like are nobody's business here, broken or not.
    fn unended(&self) -> Result<Found, Placed> {
        if !self.is_certificate() {
            return Ok(Found::default());
        }
        let wrong = Wrong::of("", "the block that begins here has no END of its own");
        Err(Placed { line: self.line, wrong })
    }

    fn certificate(&self) -> Result<Found, Placed> {
        let placed = |wrong| Placed { line: self.line, wrong };
        if self.label == TRUSTED {
            let message = "a TRUSTED CERTIFICATE holds more than the certificate; convert it with \
                           openssl x509";
            return Err(placed(Wrong::of("", message)));
        }
        if !self.is_certificate() {
            return Ok(Found::default());
        }
        let der = base64(&self.base64).map_err(|wrong| placed(Wrong::of("", wrong.message)))?;
        let known = Known::Leaf(Arc::new(Leaf::new(der)));
        let entries = vec![Collected::alone(known)];
        Ok(Found { entries, line: Some(self.line), ..Found::default() })
    }
}

/// The octets of the first certificate in `text`, which is PEM within another format.
pub(super) fn first(text: &str) -> Result<Vec<u8>, Wrong> {
    let mut reader = Reader::default();
    for line in text.lines() {
        let found = reader.line(1, line).map_err(|placed| placed.wrong)?;
        let known = found.entries.into_iter().next().map(|entry| entry.certificate);
        if let Some(Known::Leaf(leaf)) = known {
            return Ok(leaf.der.clone());
        }
    }
    Err(Wrong::of(text.lines().next().unwrap_or_default(), "no certificate in PEM form"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{said, seen};
    use crate::domain::fingerprint::Sha1Fingerprint;

    #[test]
    fn certificates_are_taken_out_of_any_text() {
        let text = "Certificate:\n    Data:\u{e9}\n-----BEGIN CERTIFICATE-----\nYWJj\r\n-----END CERTIFICATE-----\n\
                    -----BEGIN PRIVATE KEY-----\n???\n-----END PRIVATE KEY-----\n# a comment\n\
                    -----BEGIN CERTIFICATE-----\nYW\nJj\nZA==\n-----END CERTIFICATE-----\n";
        assert_eq!(
            seen(text),
            [
                format!("3 pem - - - - {}", Sha1Fingerprint::of(b"abc")),
                format!("10 pem - - - - {}", Sha1Fingerprint::of(b"abcd")),
            ]
        );
    }

    #[test]
    fn broken_blocks_are_placed_where_they_begin() {
        let text = "-----BEGIN CERTIFICATE-----\nYWJj\n-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n\
                    -----BEGIN TRUSTED CERTIFICATE-----\nYWJj\n-----END TRUSTED CERTIFICATE-----\n\
                    -----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nYWJj";
        assert_eq!(
            said(text),
            [
                "f:1:1: the block that begins here has no END of its own",
                "f:3:1: the certificate is no base64: invalid symbol at 0 of its characters",
                "f:6:1: a TRUSTED CERTIFICATE holds more than the certificate; convert it with openssl x509",
                "f:9:1: a certificate without a single octet",
                "f:11:1: the block that begins here has no END of its own",
            ]
        );
        assert_eq!(seen(text), [""; 0]);
    }
}
