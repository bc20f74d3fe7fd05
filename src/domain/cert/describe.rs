//! What a certificate says of itself, in words.

use super::algorithm::{key_name, signature_name};
use super::der::{Broken, Element, Elements, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE};
use super::moment::moment;
use super::name::{Named, unicode};
use super::softether::Template;
use super::spki::PublicKey;
use super::walk::{Fields, Troubles};
use crate::domain::time::Timestamp;

/// A leaf's own account of itself. Nothing here is proven, and all of it is chosen by the server.
///
/// Text is Unicode as it came, control characters included. Octets that are no text are written
/// `\xx` in hex, and a backslash `\\`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// The subject as RFC 4514 writes it, `CN=…, O=…`, but in the order of the certificate.
    pub subject: Option<String>,
    /// The issuer, likewise.
    pub issuer: Option<String>,
    /// The subject's first common name.
    pub common_name: Option<String>,
    /// DNS names and addresses of the subject alternative name extension.
    pub names: Vec<String>,
    /// The serial number's content octets, in hex.
    pub serial: Option<String>,
    /// Start of validity.
    pub not_before: Option<Timestamp>,
    /// End of validity.
    pub not_after: Option<Timestamp>,
    /// `RSA-2048`, `DSA-1024`, `P-256`, `Ed25519`, or the algorithm's identifier.
    pub key: Option<String>,
    /// The signature algorithm's usual name, or its identifier.
    pub signature_algorithm: Option<String>,
    /// Whether subject and issuer are the same name.
    pub self_signed: Option<bool>,
    /// Whether a part of the subject could not be read, or is no text.
    pub is_subject_partial: bool,
    /// Whether a part of the issuer could not be read, or is no text.
    pub is_issuer_partial: bool,
    /// Whether it has the structure of SoftEther's default certificate.
    pub softether_default: bool,
    /// Which parts of that structure it has, where name and serial number are among them.
    pub softether: Option<Template>,
    /// Why fields are missing or incomplete.
    pub parse_error: Option<String>,
}

impl Description {
    /// Describes `der`. Total: whatever the bytes are, there is a description.
    pub fn read(der: &[u8]) -> Self {
        let fields = Fields::of(der);
        let key = fields.spki.and_then(PublicKey::within);
        Self::of(fields, key.as_ref())
    }

    pub(super) fn of(mut fields: Fields<'_>, key: Option<&PublicKey<'_>>) -> Self {
        let mut troubles = std::mem::take(&mut fields.troubles);
        let template = Template::of(&fields, key);
        let softether = Some(template).filter(Template::is_likely);
        let subject = fields.subject.map(|name| named(name, "subject", &mut troubles));
        let issuer = fields.issuer.map(|name| named(name, "issuer", &mut troubles));
        let (not_before, not_after) = fields.validity.unzip();
        let mut time = |time: Option<Element<'_>>, name| {
            let moment = time.and_then(moment);
            if time.is_some() && moment.is_none() {
                troubles.say(format!("{name}: no such time"));
            }
            moment
        };
        let (not_before, not_after) =
            (time(not_before, "not_before"), time(not_after, "not_after"));
        if key.is_none() && fields.spki.is_some() {
            troubles.say("key: unreadable");
        }
        let names = fields.extensions.map(|it| alternative_names(it, &mut troubles));
        let names_of_subject = fields.subject.zip(fields.issuer);
        Self {
            common_name: subject.as_ref().and_then(|name| name.common_name.clone()),
            is_subject_partial: subject.as_ref().is_some_and(|name| name.partial),
            is_issuer_partial: issuer.as_ref().is_some_and(|name| name.partial),
            subject: subject.map(|name| name.text),
            issuer: issuer.map(|name| name.text),
            names: names.unwrap_or_default(),
            serial: fields.serial.map(|octets| data_encoding::HEXLOWER.encode(octets)),
            not_before,
            not_after,
            key: key.map(key_name),
            signature_algorithm: fields.signature_algorithm.map(signature_name),
            self_signed: names_of_subject.map(|(subject, issuer)| subject.whole == issuer.whole),
            softether_default: template.is_default(),
            softether,
            parse_error: troubles.told(),
        }
    }
}

fn named(name: Element<'_>, field: &str, troubles: &mut Troubles) -> Named {
    let named = Named::of(name);
    if named.broken {
        troubles.say(format!("{field}: an attribute is unreadable"));
    }
    named
}

/// The names of all subjectAltName extensions; there should be one.
fn alternative_names(extensions: Element<'_>, troubles: &mut Troubles) -> Vec<String> {
    const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
    let mut names = Vec::new();
    for extension in Elements(extensions.content) {
        let Ok((kind, value)) = extension.and_then(opened) else {
            troubles.say("extensions: unreadable");
            break;
        };
        if kind == SUBJECT_ALT_NAME
            && let Err(reason) = add_names(value, &mut names)
        {
            troubles.say(format!("names: {reason}"));
            break;
        }
    }
    names
}

/// An extension's identifier and value; whether it is critical stands between them.
fn opened(extension: Element<'_>) -> Result<(&[u8], &[u8]), Broken> {
    let kind = Element::read(extension.inside(SEQUENCE).ok_or(Broken)?).ok_or(Broken)?;
    let last = Elements(kind.rest).last().ok_or(Broken)??;
    Ok((kind.inside(OBJECT_IDENTIFIER).ok_or(Broken)?, last.inside(OCTET_STRING).ok_or(Broken)?))
}

/// Adds dNSName and iPAddress of GeneralNames (RFC 5280, section 4.2.1.6).
fn add_names(value: &[u8], names: &mut Vec<String>) -> Result<(), &'static str> {
    const DNS_NAME: u8 = 0x82;
    const IP_ADDRESS: u8 = 0x87;
    let list = Element::read(value).and_then(|list| list.inside(SEQUENCE)).ok_or("no list")?;
    let mut complete = Ok(());
    for name in Elements(list) {
        let name = name.map_err(|Broken| "one is unreadable, and all after it")?;
        match name.tag {
            DNS_NAME => names.push(unicode(name.content)),
            IP_ADDRESS => match address(name.content) {
                Some(address) => names.push(address),
                None => complete = Err("an address has neither 4 nor 16 octets"),
            },
            _ => {}
        }
    }
    complete
}

fn address(octets: &[u8]) -> Option<String> {
    if let Ok(v4) = <[u8; 4]>::try_from(octets) {
        return Some(std::net::Ipv4Addr::from(v4).to_string());
    }
    <[u8; 16]>::try_from(octets).ok().map(|v6| std::net::Ipv6Addr::from(v6).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The default certificate that SoftEther 5.01.9674 made for itself, its key thrown away.
    const SOFTETHER: &str = include_str!("softether-default.pem");

    fn softether_der() -> Vec<u8> {
        x509_parser::pem::parse_x509_pem(SOFTETHER.as_bytes()).unwrap().1.contents
    }

    #[test]
    fn a_softether_default_certificate_is_described_in_full() {
        let description = Description::read(&softether_der());
        assert_eq!(description.subject.as_deref(), Some("CN=vm, O=vm, OU=vm, C=US"));
        assert_eq!(description.issuer, description.subject);
        assert_eq!(description.common_name.as_deref(), Some("vm"));
        assert_eq!(description.serial.as_deref(), Some("00"));
        assert_eq!(description.key.as_deref(), Some("RSA-2048"));
        assert_eq!(description.signature_algorithm.as_deref(), Some("sha256WithRSAEncryption"));
        assert_eq!(description.self_signed, Some(true));
        let not_after = description.not_after.map(|moment| moment.to_string());
        assert_eq!(not_after.as_deref(), Some("2037-12-31T02:18:24.000Z"));
        assert!(description.softether_default);
        assert_eq!(description.parse_error, None);
    }

    #[test]
    fn trailing_bytes_are_said_and_the_rest_is_still_described() {
        let description = Description::read(&[softether_der(), vec![0, 0]].concat());
        assert_eq!(description.parse_error.as_deref(), Some("2 bytes after the certificate"));
        assert_eq!(description.common_name.as_deref(), Some("vm"));
    }

    #[test]
    fn bytes_that_are_no_certificate_have_a_reason_and_nothing_else() {
        for bytes in [&b""[..], b"not a certificate", &softether_der()[..1]] {
            let description = Description::read(bytes);
            assert!(description.parse_error.is_some());
            assert_eq!(Description { parse_error: None, ..description }, Description::default());
        }
    }

    #[test]
    fn what_stands_before_a_cut_is_described() {
        let description = Description::read(&softether_der()[..400]);
        assert_eq!(description.common_name.as_deref(), Some("vm"));
        assert_eq!(description.key, None);
        assert!(!description.softether_default);
        assert_eq!(
            description.parse_error.as_deref(),
            Some("the certificate is cut short; key: unreadable, and all after it")
        );
    }
}
