//! DER: a file that is one certificate.

use std::io::{self, Read};
use std::sync::Arc;

use super::facts::length;
use super::lines::LINE_MAX;
use super::{Found, Wrong};
use crate::domain::cert::Leaf;
use crate::domain::collected::{Collected, Known};

/// Whether `head`, the first octets of a file, begins a SEQUENCE of more than 127 octets; no text begins so.
pub(super) fn begins(head: &[u8]) -> bool {
    matches!(head, [0x30, 0x81..=0x84, ..])
}

/// The certificate that all of `input` is. Where the file `is_surely` one, it need not be readable.
pub(super) fn read(input: impl Read, is_surely: bool) -> io::Result<Result<Found, Wrong>> {
    let mut der = Vec::new();
    input.take(LINE_MAX as u64 + 1).read_to_end(&mut der)?;
    Ok(certificate(der, is_surely))
}

fn certificate(der: Vec<u8>, is_surely: bool) -> Result<Found, Wrong> {
    let wrong = |message: String| Err(Wrong::of("", message));
    if der.len() > LINE_MAX {
        return wrong("no certificate: longer than 16 MiB".to_owned());
    }
    match length(&der) {
        None => return wrong("no certificate in DER form: it begins with no SEQUENCE".to_owned()),
        Some(whole) if whole != der.len() as u64 => {
            let there = der.len();
            return wrong(format!("no certificate: {there} octets, where its header says {whole}"));
        }
        Some(_) => {}
    }
    let leaf = Leaf::new(der);
    // Keys, requests and lists of revoked certificates are SEQUENCEs too.
    if leaf.spki_sha256.is_none() && !is_surely {
        return wrong("DER, but no certificate: it has no public key in its place".to_owned());
    }
    let known = Known::Leaf(Arc::new(leaf));
    Ok(Found { entries: vec![Collected::alone(known)], ..Found::default() })
}
