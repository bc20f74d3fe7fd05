//! A certificate's fields, found one after another (RFC 5280, section 4.1).
//!
//! Only the nesting is walked here and nothing interpreted. Where an element cannot be read, those
//! before it are kept and the reason is said: a field of the wrong kind is passed over, and a
//! certificate that is longer than its bytes ends with them.

use super::der::{Element, INTEGER, OBJECT_IDENTIFIER, SEQUENCE};

const EXPLICIT_VERSION: u8 = 0xa0;
const EXPLICIT_EXTENSIONS: u8 = 0xa3;

/// What the walk found, as slices of the certificate.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    /// The version's number as written (2 means version 3); none where it is left out for version 1.
    pub(super) version: Option<&'a [u8]>,
    /// The serial number's content octets.
    pub(super) serial: Option<&'a [u8]>,
    /// The Name of the issuer.
    pub(super) issuer: Option<Element<'a>>,
    /// The two times of the validity, each of which may be anything.
    pub(super) validity: Option<(Element<'a>, Element<'a>)>,
    /// The Name of the subject.
    pub(super) subject: Option<Element<'a>>,
    /// The SubjectPublicKeyInfo.
    pub(super) spki: Option<Element<'a>>,
    /// The Extensions.
    pub(super) extensions: Option<Element<'a>>,
    /// The signature algorithm's identifier, content octets.
    pub(super) signature_algorithm: Option<&'a [u8]>,
    /// Why fields are missing.
    pub(super) troubles: Troubles,
}

/// Reasons for which parts of a description are missing, in the order of their finding.
#[derive(Debug, Default)]
pub(super) struct Troubles(Vec<String>);

impl Troubles {
    pub(super) fn say(&mut self, trouble: impl Into<String>) {
        self.0.push(trouble.into());
    }

    /// All of them in one line, if there is one.
    pub(super) fn told(self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join("; "))
    }
}

impl<'a> Fields<'a> {
    /// Walks `der`. Total: whatever the bytes are, there is a result.
    pub(super) fn of(der: &'a [u8]) -> Self {
        let mut fields = Self::default();
        let Some((certificate, cut)) = Element::read_cut(der).filter(|(it, _)| it.tag == SEQUENCE)
        else {
            fields.troubles.say("no certificate: it does not begin with a sequence");
            return fields;
        };
        if !certificate.rest.is_empty() {
            fields.troubles.say(format!("{} bytes after the certificate", certificate.rest.len()));
        }
        let signed = Element::read_cut(certificate.content).filter(|(it, _)| it.tag == SEQUENCE);
        let Some((signed, signed_cut)) = signed else {
            fields.troubles.say("no certificate: no sequence in its sequence");
            return fields;
        };
        if cut || signed_cut {
            fields.troubles.say("the certificate is cut short");
        }
        fields.walk(signed.content);
        // The outer algorithm is what the signature was made with; the inner one should equal it.
        let outer = Element::read(signed.rest).and_then(|algorithm| identifier(&algorithm));
        fields.signature_algorithm = outer.or(fields.signature_algorithm);
        if fields.signature_algorithm.is_none() && !(cut || signed_cut) {
            fields.troubles.say("signature_algorithm: unreadable");
        }
        fields
    }

    fn walk(&mut self, signed: &'a [u8]) {
        let mut left = Left { bytes: signed, ended: false };
        let troubles = &mut self.troubles;
        if let Some(version) = left.optional(EXPLICIT_VERSION) {
            let number = Element::read(version.content).and_then(|number| number.inside(INTEGER));
            if number.is_none() {
                troubles.say("version: unreadable");
            }
            // What cannot be read was not left out.
            self.version = Some(number.unwrap_or_default());
        }
        self.serial = left.take("serial", INTEGER, troubles).map(|serial| serial.content);
        let algorithm = left.take("signature", SEQUENCE, troubles);
        self.signature_algorithm = algorithm.and_then(|algorithm| identifier(&algorithm));
        self.issuer = left.take("issuer", SEQUENCE, troubles);
        if let Some(validity) = left.take("validity", SEQUENCE, troubles) {
            self.validity = two(validity.content);
            if self.validity.is_none() {
                troubles.say("validity: not two times");
            }
        }
        self.subject = left.take("subject", SEQUENCE, troubles);
        self.spki = left.take("key", SEQUENCE, troubles);
        // issuerUniqueID and subjectUniqueID, which nobody writes.
        for unique in [0x81, 0xa1, 0x82, 0xa2] {
            left.optional(unique);
        }
        if let Some(explicit) = left.optional(EXPLICIT_EXTENSIONS) {
            self.extensions = Element::read(explicit.content).filter(|it| it.tag == SEQUENCE);
        }
        let unread = self.extensions.is_none() && !left.bytes.is_empty();
        if unread || self.extensions.is_some_and(|it| !it.rest.is_empty()) {
            troubles.say("extensions: unreadable");
        }
    }
}

/// What is left of the signed part.
struct Left<'a> {
    bytes: &'a [u8],
    /// Whether an element could not be read, which is said once.
    ended: bool,
}

impl<'a> Left<'a> {
    fn take(&mut self, name: &str, tag: u8, troubles: &mut Troubles) -> Option<Element<'a>> {
        let Some(element) = Element::read(self.bytes) else {
            if !self.ended {
                let what = if self.bytes.is_empty() { "missing" } else { "unreadable" };
                troubles.say(format!("{name}: {what}, and all after it"));
            }
            (self.bytes, self.ended) = (&[], true);
            return None;
        };
        self.bytes = element.rest;
        if element.tag != tag {
            troubles.say(format!("{name}: tag {:#04x} in place of {tag:#04x}", element.tag));
            return None;
        }
        Some(element)
    }

    /// The next element, if it has that tag.
    fn optional(&mut self, tag: u8) -> Option<Element<'a>> {
        let element = Element::read(self.bytes).filter(|element| element.tag == tag)?;
        self.bytes = element.rest;
        Some(element)
    }
}

fn two(content: &[u8]) -> Option<(Element<'_>, Element<'_>)> {
    let first = Element::read(content)?;
    Some((first, Element::read(first.rest)?))
}

/// The object identifier of an AlgorithmIdentifier, content octets.
fn identifier<'a>(algorithm: &Element<'a>) -> Option<&'a [u8]> {
    Element::read(algorithm.inside(SEQUENCE)?)?.inside(OBJECT_IDENTIFIER)
}
