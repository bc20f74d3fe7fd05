//! One element of DER at a time, and of the BER that some servers show in its place (X.690, section 8).
//!
//! A bounded cursor and no library: whoever reads knows which element comes next. Lengths may be
//! written in any way, indefinite ones too, nested up to [`DEPTH_MAX`]; tags are of one octet, as all
//! tags in a certificate are. What is read borrows from the input, so that no length takes memory.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// How deep elements of indefinite length may be nested: a certificate needs fewer than ten levels.
const DEPTH_MAX: usize = 16;

/// Tag, length and value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    /// The identifier octet.
    pub(super) tag: u8,
    /// The element with its tag and length.
    pub(super) whole: &'a [u8],
    /// The value.
    pub(super) content: &'a [u8],
    /// What follows the element.
    pub(super) rest: &'a [u8],
}

/// An element cannot be read, or is not of the kind that belongs there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

impl<'a> Element<'a> {
    /// The element at the start of `bytes`.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        Self::nested(bytes, DEPTH_MAX)
    }

    /// As [`Self::read`], but an element that is longer than what is there ends with it: then `true`.
    pub(super) fn read_cut(bytes: &'a [u8]) -> Option<(Self, bool)> {
        let whole = Self::read(bytes).map(|element| (element, false));
        whole.or_else(|| {
            let (tag, _, content) = header(bytes)?;
            Some((Self { tag, whole: bytes, content, rest: &[] }, true))
        })
    }

    fn nested(bytes: &'a [u8], depth: usize) -> Option<Self> {
        let (tag, length, body) = header(bytes)?;
        let (content, rest) = match length {
            Some(length) => body.split_at_checked(length)?,
            None => up_to_end(body, depth.checked_sub(1)?)?,
        };
        Some(Self { tag, whole: &bytes[..bytes.len() - rest.len()], content, rest })
    }

    /// The value, if the element has that tag.
    pub(super) fn inside(&self, tag: u8) -> Option<&'a [u8]> {
        (self.tag == tag).then_some(self.content)
    }
}

/// The tag, the length unless it is indefinite, and what follows both.
fn header(bytes: &[u8]) -> Option<(u8, Option<usize>, &[u8])> {
    const LONG_TAG: u8 = 0x1f;
    let (&tag, after_tag) = bytes.split_first()?;
    let (&first, body) = after_tag.split_first()?;
    if tag & LONG_TAG == LONG_TAG {
        return None;
    }
    match first {
        0..0x80 => Some((tag, Some(usize::from(first)), body)),
        0x80 => Some((tag, None, body)),
        _ => {
            let (octets, body) = body.split_at_checked(usize::from(first & 0x7f))?;
            let longer = |sum: usize, &octet: &u8| sum.checked_mul(256)?.checked_add(octet.into());
            Some((tag, Some(octets.iter().try_fold(0, longer)?), body))
        }
    }
}

/// The elements before the two zeros that end an indefinite length, and what follows those.
fn up_to_end(body: &[u8], depth: usize) -> Option<(&[u8], &[u8])> {
    let mut left = body;
    loop {
        if let Some(rest) = left.strip_prefix(&[0, 0]) {
            return Some((&body[..body.len() - left.len()], rest));
        }
        left = Element::nested(left, depth)?.rest;
    }
}

/// The elements of a value, one after another; the first that cannot be read is the last.
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let element = Element::read(self.0).ok_or(Broken);
        self.0 = element.map_or(&[], |element| element.rest);
        Some(element)
    }
}

/// How many bits a positive INTEGER's value has: none for zero.
pub(in crate::domain) fn bits(integer: &[u8]) -> Option<usize> {
    let first = integer.iter().position(|octet| *octet != 0)?;
    let (octets, zeros) = (integer.len() - first, integer[first].leading_zeros() as usize);
    Some(octets * 8 - zeros)
}

/// An object identifier's value with dots; as `#` and hex where it is none.
pub(super) fn dotted(identifier: &[u8]) -> String {
    written(identifier)
        .unwrap_or_else(|| format!("#{}", data_encoding::HEXLOWER.encode(identifier)))
}

fn written(identifier: &[u8]) -> Option<String> {
    use std::fmt::Write as _;
    let (mut text, mut arc, mut ended) = (String::new(), 0_u64, false);
    for octet in identifier {
        arc = arc.checked_mul(128)? + u64::from(octet & 0x7f);
        ended = octet & 0x80 == 0;
        if !ended {
            continue;
        }
        // The first two arcs share the first number: 40 times the one plus the other.
        let top = (arc / 40).min(2);
        match text.as_str() {
            "" => write!(text, "{top}.{}", arc - 40 * top).ok()?,
            _ => write!(text, ".{arc}").ok()?,
        }
        arc = 0;
    }
    ended.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_however_they_are_written() {
        for bytes in [
            &[4, 2, 7, 8, 9][..],
            &[4, 0x81, 2, 7, 8, 9],
            &[4, 0x85, 0, 0, 0, 0, 2, 7, 8, 9],
            &[0x24, 0x80, 7, 0, 0, 0, 9],
        ] {
            let element = Element::read(bytes).unwrap();
            assert_eq!((element.content.len(), element.rest), (2, &[9][..]), "{bytes:?}");
            assert_eq!(element.whole.len(), bytes.len() - 1);
        }
        let huge = [&[4, 0x89][..], &[0xff; 9], &[0; 32]].concat();
        for bytes in [&[][..], &[4], &[4, 1], &[4, 0x82, 1], &[0x1f, 1, 0], &huge] {
            assert!(Element::read(bytes).is_none(), "{bytes:?}");
        }
    }

    #[test]
    fn indefinite_lengths_end_at_their_own_zeros_and_are_not_nested_for_ever() {
        let nested = |depth: usize| [[0x30, 0x80].repeat(depth), vec![0; 2 * depth]].concat();
        assert_eq!(Element::read(&nested(DEPTH_MAX)).unwrap().content.len(), 4 * DEPTH_MAX - 4);
        assert!(Element::read(&nested(DEPTH_MAX + 1)).is_none());
        assert!(Element::read(&nested(100_000)).is_none());
        let (cut, short) = Element::read_cut(&[0x30, 0x80, 2, 1, 5]).unwrap();
        assert_eq!((cut.content, short), (&[2, 1, 5][..], true));
    }

    #[test]
    fn identifiers_are_written_with_dots_where_they_are_some() {
        assert_eq!(dotted(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]), "1.2.840.113549");
        assert_eq!(dotted(&[0x55, 4, 3]), "2.5.4.3");
        assert_eq!(dotted(&[0x88, 0x37]), "2.999");
        assert_eq!(dotted(&[]), "#");
        assert_eq!(dotted(&[0x2a, 0x86]), "#2a86");
        assert_eq!(dotted(&[0xff; 12]), format!("#{}", "ff".repeat(12)));
    }

    #[test]
    fn integers_are_measured_in_bits() {
        assert_eq!(bits(&[5]), Some(3));
        assert_eq!(bits(&[0, 0x80, 1]), Some(16));
        assert_eq!(bits(&[0]), None);
        assert_eq!(bits(&[]), None);
    }
}
