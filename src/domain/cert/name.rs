//! Names as text (RFC 4514), whatever octets a stranger put into them.
//!
//! The text is Unicode as it came: control and bidirectional characters stay, and are escaped where they
//! reach a terminal. Nothing is lost: an octet that is no text is written `\xx` in hex, a backslash is
//! doubled, and a value that is no string is `#` and its DER in hex.

use std::fmt::Write as _;

use super::der::{Broken, Element, Elements, OBJECT_IDENTIFIER, SEQUENCE, SET, dotted};

/// The attribute of a common name, 2.5.4.3.
pub(super) const COMMON_NAME: &[u8] = &[0x55, 4, 3];

/// The short names of attributes: those of RFC 4514 (section 3) first, then the usual ones.
const KINDS: [(&[u8], &str); 22] = [
    (COMMON_NAME, "CN"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 9], "STREET"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], "DC"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1], "UID"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1], "emailAddress"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 2], "unstructuredName"),
    (&[0x55, 4, 4], "SN"),
    (&[0x55, 4, 5], "serialNumber"),
    (&[0x55, 4, 12], "title"),
    (&[0x55, 4, 15], "businessCategory"),
    (&[0x55, 4, 17], "postalCode"),
    (&[0x55, 4, 42], "GN"),
    (&[0x55, 4, 43], "initials"),
    (&[0x55, 4, 44], "generationQualifier"),
    (&[0x55, 4, 46], "dnQualifier"),
    (&[0x55, 4, 65], "pseudonym"),
    (&[0x55, 4, 97], "organizationIdentifier"),
];

/// An attribute of a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute<'a> {
    /// Its kind's identifier, content octets.
    pub(super) kind: &'a [u8],
    /// Its value.
    pub(super) value: Element<'a>,
    /// Whether it stands in one RDN with the attribute before.
    pub(super) joined: bool,
}

/// Shows `visit` the attributes of the Name `name` up to the first that cannot be read.
pub(super) fn attributes<'a>(
    name: Element<'a>,
    mut visit: impl FnMut(Attribute<'a>),
) -> Result<(), Broken> {
    for set in Elements(name.content) {
        let set = set?.inside(SET).ok_or(Broken)?;
        for (at, pair) in Elements(set).enumerate() {
            let kind = Element::read(pair?.inside(SEQUENCE).ok_or(Broken)?).ok_or(Broken)?;
            let value = Element::read(kind.rest).ok_or(Broken)?;
            let kind = kind.inside(OBJECT_IDENTIFIER).ok_or(Broken)?;
            visit(Attribute { kind, value, joined: at > 0 });
        }
    }
    Ok(())
}

/// `CN=..., O=...` in the order written, ` + ` within an RDN, and the first common name.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) text: String,
    pub(super) common_name: Option<String>,
    /// Whether there was more that could not be read.
    pub(super) broken: bool,
    /// Whether that is so, or a value is no text.
    pub(super) partial: bool,
}

impl Named {
    /// Writes out the Name `name`; where not even its first attribute can be read, its octets in hex.
    pub(super) fn of(name: Element<'_>) -> Self {
        let mut named = Self::default();
        named.broken = attributes(name, |attribute| named.add(attribute)).is_err();
        named.partial |= named.broken;
        if named.broken && named.text.is_empty() {
            named.text = hex(name.whole);
        }
        named
    }

    fn add(&mut self, attribute: Attribute<'_>) {
        if !self.text.is_empty() {
            self.text.push_str(if attribute.joined { " + " } else { ", " });
        }
        match KINDS.iter().find(|(kind, _)| *kind == attribute.kind) {
            Some((_, short)) => self.text.push_str(short),
            None => self.text.push_str(&dotted(attribute.kind)),
        }
        self.text.push('=');
        let string = string(attribute.value);
        match &string {
            Some(string) => push_escaped(&mut self.text, string),
            None => {
                self.partial = true;
                self.text.push_str(&hex(attribute.value.whole));
            }
        }
        if attribute.kind == COMMON_NAME && self.common_name.is_none() {
            self.common_name = Some(string.unwrap_or_else(|| hex(attribute.value.whole)));
        }
    }
}

fn hex(octets: &[u8]) -> String {
    format!("#{}", data_encoding::HEXLOWER.encode(octets))
}

/// Puts a backslash before what would be read as a part of the name around it (RFC 4514, section 2.4).
fn push_escaped(text: &mut String, value: &str) {
    let last = value.len().saturating_sub(1);
    for (at, character) in value.char_indices() {
        let at_edge = match character {
            ' ' => at == 0 || at == last,
            '#' => at == 0,
            _ => false,
        };
        if at_edge || matches!(character, ',' | '+' | '"' | ';' | '<' | '>') {
            text.push('\\');
        }
        text.push(character);
    }
}

/// The text of a string of any of ASN.1's kinds, or `None` if it is no string.
///
/// T61String is taken for Latin-1, which is what is written in it.
fn string(value: Element<'_>) -> Option<String> {
    match value.tag {
        // UTF8String, NumericString, PrintableString, VideotexString, IA5String, GraphicString,
        // VisibleString, GeneralString
        0x0c | 0x12 | 0x13 | 0x15 | 0x16 | 0x19 | 0x1a | 0x1b => Some(unicode(value.content)),
        0x14 => Some(wide::<1>(value.content)),
        0x1e => Some(utf16(value.content)),
        0x1c => Some(wide::<4>(value.content)),
        _ => None,
    }
}

/// UTF-8, its other octets as `\xx`.
pub(super) fn unicode(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        match chunk.valid().contains('\\') {
            true => text.push_str(&chunk.valid().replace('\\', "\\\\")),
            false => text.push_str(chunk.valid()),
        }
        push_octets(&mut text, chunk.invalid());
    }
    text
}

/// Characters of `N` octets each, the first octet the highest.
fn wide<const N: usize>(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len() / N);
    for chunk in octets.chunks(N) {
        let number = chunk.iter().fold(0, |sum, octet| sum << 8 | u32::from(*octet));
        match char::from_u32(number).filter(|_| chunk.len() == N) {
            Some(character) => push_character(&mut text, character),
            None => push_octets(&mut text, chunk),
        }
    }
    text
}

/// BMPString: UCS-2 by the standard, UTF-16 by use.
fn utf16(octets: &[u8]) -> String {
    let (pairs, odd) = octets.split_at(octets.len() & !1);
    let units = pairs.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let mut text = String::with_capacity(pairs.len() / 2);
    for character in char::decode_utf16(units) {
        match character {
            Ok(character) => push_character(&mut text, character),
            Err(lone) => push_octets(&mut text, &lone.unpaired_surrogate().to_be_bytes()),
        }
    }
    push_octets(&mut text, odd);
    text
}

fn push_character(text: &mut String, character: char) {
    if character == '\\' {
        text.push('\\');
    }
    text.push(character);
}

fn push_octets(text: &mut String, octets: &[u8]) {
    for octet in octets {
        // Writing to a string cannot fail.
        let _ = write!(text, "\\{octet:02x}");
    }
}
