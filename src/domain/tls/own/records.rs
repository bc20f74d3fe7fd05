//! Cutting the stream into records (RFC 8446, section 5.1), and writing them.

/// Payload of an encrypted record at most (RFC 5246, section 6.2.3: 2^14 + 2048; TLS 1.3 has less).
const FRAGMENT_MAX: usize = (1 << 14) + 2048;

/// Payload of a record that we write at most (RFC 8446, section 5.1).
const PLAINTEXT_MAX: usize = 1 << 14;

/// Why a server's bytes cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// They break the rules.
    Malformed,
    /// They say that more will come than is taken.
    TooLarge,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// What it carries: 20 change_cipher_spec, 21 alert, 22 handshake, 23 application data.
    pub(super) kind: u8,
    /// The five bytes before its content.
    pub(super) header: [u8; 5],
    /// Its content.
    pub(super) fragment: Vec<u8>,
}

/// `content` in a record of its own, or in as many as it takes.
pub(super) fn record(kind: u8, version: u16, content: &[u8]) -> Vec<u8> {
    let mut records = Vec::with_capacity(content.len() + 5);
    for fragment in content.chunks(PLAINTEXT_MAX) {
        records.push(kind);
        records.extend(version.to_be_bytes());
        records.extend((fragment.len() as u16).to_be_bytes());
        records.extend(fragment);
    }
    records
}

/// Bytes that have come, and the records in them.
#[derive(Debug, Default)]
pub(super) struct Records {
    bytes: Vec<u8>,
    /// Bytes before this one have been handed out.
    taken: usize,
}

impl Records {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..std::mem::take(&mut self.taken));
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole record, if it is there.
    pub(super) fn next(&mut self) -> Result<Option<Record>, Trouble> {
        let Some((cut, _)) = cut(&self.bytes[self.taken..])? else { return Ok(None) };
        let record =
            Record { kind: cut.kind(), header: *cut.header, fragment: cut.fragment.to_vec() };
        self.taken += 5 + record.fragment.len();
        Ok(Some(record))
    }
}

/// One record where it stands among the bytes that have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut<'a> {
    pub(super) header: &'a [u8; 5],
    pub(super) fragment: &'a [u8],
}

impl Cut<'_> {
    pub(super) const fn kind(&self) -> u8 {
        self.header[0]
    }
}

/// The record that `bytes` begin with and what follows it, once it is whole.
pub(super) fn cut(bytes: &[u8]) -> Result<Option<(Cut<'_>, &[u8])>, Trouble> {
    let Some((header, content)) = bytes.split_first_chunk::<5>() else {
        return plausible(bytes).then_some(None).ok_or(Trouble::Malformed);
    };
    let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
    if !plausible(header) || length > FRAGMENT_MAX {
        return Err(Trouble::Malformed);
    }
    let whole = content.split_at_checked(length);
    Ok(whole.map(|(fragment, rest)| (Cut { header, fragment }, rest)))
}

/// Whether these can be the first bytes of a record.
fn plausible(bytes: &[u8]) -> bool {
    bytes.first().is_none_or(|kind| (20..=23).contains(kind))
        && bytes.get(1).is_none_or(|major| *major == 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(stream: &[u8], chunk: usize) -> Result<Vec<(u8, Vec<u8>)>, Trouble> {
        let (mut records, mut found) = (Records::default(), Vec::new());
        for piece in stream.chunks(chunk) {
            records.push(piece);
            while let Some(record) = records.next()? {
                found.push((record.kind, record.fragment));
            }
        }
        Ok(found)
    }

    #[test]
    fn any_chunking_gives_the_same_records() {
        let stream =
            [&[22, 3, 1, 0, 2, 7, 8][..], &[21, 3, 3, 0, 0], &[23, 3, 3, 0, 1, 9]].concat();
        for chunk in 1..=stream.len() {
            let expected = vec![(22, vec![7, 8]), (21, vec![]), (23, vec![9])];
            assert_eq!(all(&stream, chunk), Ok(expected), "{chunk}");
        }
    }

    #[test]
    fn what_is_no_record_is_said_at_its_first_byte() {
        for bad in [&[24, 3][..], &[0], &[22, 2], &[22, 3, 3, 255, 255]] {
            assert_eq!(all(bad, 1), Err(Trouble::Malformed), "{bad:?}");
        }
        assert_eq!(all(&[22, 3, 3], 1), Ok(vec![]));
    }
}
