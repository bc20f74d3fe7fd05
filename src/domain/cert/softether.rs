//! The structure of the certificate that a SoftEther VPN server makes for itself.
//!
//! Read from SoftEther's sources (`SiGenerateDefaultCertEx`, `NewRootX509`, `GetDaysUntil2038Ex`) and from
//! certificates: subject and issuer are `CN, O, OU, C` in this order with the host's name three times
//! and `US`, the serial number is one zero octet, the key RSA with 2,048 bits. Since 4.06 (2014) it is
//! X.509 version 3 with three extensions; before, version 1 without any.
//!
//! The structure says what software made a certificate and nothing about whose it is.

use super::algorithm::RSA;
use super::der::Element;
use super::moment::moment;
use super::name::{Attribute, COMMON_NAME, attributes};
use super::spki::PublicKey;
use super::walk::Fields;

/// Which of the two structures that SoftEther has written over the years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// X.509 version 3, since 4.06 (2014).
    V3,
    /// X.509 version 1, before.
    V1,
}

impl Variant {
    /// `v3` or `v1`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::V3 => "v3",
            Self::V1 => "v1",
        }
    }
}

/// Which parts of the default certificate's structure a certificate has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template {
    /// The serial number is one zero octet.
    pub serial_zero: bool,
    /// Subject and issuer are the same octets.
    pub self_signed: bool,
    /// The subject is `CN=x, O=x, OU=x, C=US`, one attribute to an RDN, in this order.
    pub names_alike: bool,
    /// It ends as many whole days after its start as SoftEther counts; see [`Variant`].
    pub validity: bool,
    /// The extensions are SoftEther's three, octet for octet; in version 1 there are none.
    pub extensions: bool,
    /// The key is RSA with 2,048 bits.
    pub key_rsa_2048: bool,
    /// The structure that its version number belongs to.
    pub variant: Option<Variant>,
}

impl Template {
    /// Compares `der`. Total: bytes that are no certificate have no part.
    pub fn read(der: &[u8]) -> Self {
        let fields = Fields::of(der);
        Self::of(&fields, fields.spki.and_then(PublicKey::within).as_ref())
    }

    pub(super) fn of(fields: &Fields<'_>, key: Option<&PublicKey<'_>>) -> Self {
        let variant = match fields.version {
            Some([2]) => Some(Variant::V3),
            None | Some([0]) => Some(Variant::V1),
            _ => None,
        };
        let names = fields.subject.zip(fields.issuer);
        Self {
            serial_zero: fields.serial == Some(&[0]),
            self_signed: names.is_some_and(|(subject, issuer)| subject.whole == issuer.whole),
            names_alike: fields.subject.is_some_and(are_alike),
            validity: fields.validity.is_some_and(|(start, end)| is_counted(start, end, variant)),
            extensions: match variant {
                Some(Variant::V1) => fields.extensions.is_none(),
                _ => fields.extensions.is_some_and(|it| are_default(it.content)),
            },
            key_rsa_2048: key
                .is_some_and(|key| key.algorithm == RSA && key.rsa_bits() == Some(2048)),
            variant,
        }
    }

    /// The parts by name, each with whether the certificate has it.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, bool)> {
        [
            ("serial_zero", self.serial_zero),
            ("self_signed", self.self_signed),
            ("names_alike", self.names_alike),
            ("validity", self.validity),
            ("extensions", self.extensions),
            ("key_rsa_2048", self.key_rsa_2048),
        ]
        .into_iter()
    }

    /// Whether all parts hold, in one of the two variants.
    pub fn is_default(&self) -> bool {
        self.variant.is_some() && self.parts().all(|(_, held)| held)
    }

    /// Whether enough holds for the others to be worth telling: the name and the serial number.
    pub(super) const fn is_likely(&self) -> bool {
        self.serial_zero && self.names_alike
    }
}

/// The extensions before the last: basicConstraints, critical, a CA with no limit on the path; keyUsage
/// with digitalSignature, nonRepudiation, keyEncipherment, dataEncipherment, keyCertSign and cRLSign.
const CONSTRAINTS_AND_USAGE: [u8; 30] = [
    0x30,
    15,
    6,
    3,
    0x55,
    0x1d,
    0x13,
    1,
    1,
    0xff,
    4,
    5,
    0x30,
    3,
    1,
    1,
    0xff, //
    0x30,
    11,
    6,
    3,
    0x55,
    0x1d,
    0x0f,
    4,
    4,
    3,
    2,
    1,
    0b1111_0110,
];

/// The last extension up to its list: extKeyUsage.
const EXTENDED_USAGE: [u8; 11] = [0x30, 99, 6, 3, 0x55, 0x1d, 0x25, 4, 92, 0x30, 90];

/// A purpose of that list but for its last number: 1.3.6.1.5.5.7.3.
const PURPOSE: [u8; 9] = [6, 8, 0x2b, 6, 1, 5, 5, 7, 3];

/// Whether `extensions` are SoftEther's: order, criticality and values. The purposes are numbers 1 to 9.
fn are_default(extensions: &[u8]) -> bool {
    let purposes = extensions
        .strip_prefix(&CONSTRAINTS_AND_USAGE)
        .and_then(|rest| rest.strip_prefix(&EXTENDED_USAGE));
    purposes.is_some_and(|purposes| {
        let mut last = 1..=9;
        purposes.chunks(PURPOSE.len() + 1).all(|purpose| {
            purpose
                .strip_prefix(&PURPOSE)
                .is_some_and(|rest| last.next().is_some_and(|it| *rest == [it]))
        }) && last.next().is_none()
    })
}

/// Whether the name is `CN=x, O=x, OU=x, C=US`.
fn are_alike(subject: Element<'_>) -> bool {
    const KINDS: [&[u8]; 4] = [COMMON_NAME, &[0x55, 4, 10], &[0x55, 4, 11], &[0x55, 4, 6]];
    let (mut count, mut held, mut host) = (0, true, None);
    let read = attributes(subject, |Attribute { kind, value, joined }| {
        let expected = if count == 3 { b"US" } else { *host.get_or_insert(value.content) };
        held &= !joined && KINDS.get(count) == Some(&kind) && value.content == expected;
        count += 1;
    });
    read.is_ok() && held && count == KINDS.len()
}

/// Whether SoftEther, started at `start`, makes a certificate that ends at `end`.
///
/// It counts the whole days up to a midnight and adds them to the start: up to 2038-01-01, so that the
/// certificate ends on 2037-12-31 at its start's time of day; from 2030 on up to 2049-12-30, which
/// ends it on 2049-12-29. Builds that wrote version 1 counted up to 2038 only, and at least 3,650 days.
/// The clock that is counted from is finer than the start written, so that a start at midnight may
/// end at either midnight.
fn is_counted(start: Element<'_>, end: Element<'_>, variant: Option<Variant>) -> bool {
    const DAY: i64 = 86_400_000_000;
    const YEAR_2030: i64 = 21_915 * DAY;
    const YEAR_2038: i64 = 24_837 * DAY;
    const LAST_OF_2049: i64 = 29_218 * DAY; // 2049-12-30
    let (Some(start), Some(end)) = (moment(start), moment(end)) else { return false };
    let (start, end) = (start.micros(), end.micros());
    let lasts = end - start;
    if variant == Some(Variant::V1) && YEAR_2038 - start < 3_650 * DAY {
        return lasts == 3_650 * DAY;
    }
    let late = variant != Some(Variant::V1) && start >= YEAR_2030;
    let midnight = if late { LAST_OF_2049 } else { YEAR_2038 };
    lasts >= 0 && lasts % DAY == 0 && (0..=DAY).contains(&(midnight - end))
}
