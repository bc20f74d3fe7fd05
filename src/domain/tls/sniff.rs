//! What every client watches in the bytes that come: what the first ones are, how many there are, and the alerts
//! that pass in the clear.

use std::borrow::Cow;

use super::{End, Moment};
use crate::domain::outcome::{Alert, Outcome, Protocol};

/// The bytes of a connection on their way to a client.
#[derive(Debug)]
pub(super) struct Intake {
    bytes_max: usize,
    bytes_in: usize,
    /// Bytes that may yet turn out not to be TLS; `None` once they are.
    unclear: Option<Vec<u8>>,
    alerts: AlertWatch,
    first_byte: Option<Moment>,
}

/// What is to be done with bytes that came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken<'a> {
    /// Nothing yet.
    Nothing,
    /// Read them as TLS.
    Tls(Cow<'a, [u8]>),
    /// Read them as TLS; there are more of them than are taken.
    Last(Cow<'a, [u8]>),
    /// They end it.
    Over(Outcome),
}

impl Intake {
    /// Takes `bytes_max` bytes and no more.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            bytes_in: 0,
            unclear: Some(Vec::new()),
            alerts: AlertWatch::default(),
            first_byte: None,
        }
    }

    /// When the first byte came.
    pub(super) const fn first_byte(&self) -> Option<Moment> {
        self.first_byte
    }

    /// The last alert that passed in the clear.
    pub(super) const fn last_alert(&self) -> Option<Alert> {
        self.alerts.last()
    }

    /// Takes bytes that the server sent.
    pub(super) fn take<'a>(&mut self, now: Moment, bytes: &'a [u8]) -> Taken<'a> {
        if bytes.is_empty() {
            return Taken::Nothing;
        }
        self.first_byte.get_or_insert(now);
        let room = self.bytes_max - self.bytes_in;
        let is_too_much = bytes.len() > room;
        let bytes = &bytes[..bytes.len().min(room)];
        self.bytes_in += bytes.len();
        self.alerts.push(bytes);
        let bytes = match self.unclear.take() {
            None => Cow::Borrowed(bytes),
            Some(mut first) => {
                first.extend_from_slice(bytes);
                match beginning(&first) {
                    Beginning::Unclear if is_too_much => return Taken::Over(Outcome::TooLarge),
                    Beginning::Unclear => {
                        self.unclear = Some(first);
                        return Taken::Nothing;
                    }
                    Beginning::Tls => Cow::Owned(first),
                    Beginning::NotTls(protocol) => return Taken::Over(Outcome::NotTls(protocol)),
                }
            }
        };
        if is_too_much { Taken::Last(bytes) } else { Taken::Tls(bytes) }
    }

    /// What it means that the connection ended so, if nothing was concluded before.
    pub(super) fn ended(&self, end: End) -> Outcome {
        let answered = self.first_byte.is_some();
        let not_tls = self.not_tls().map(Outcome::NotTls);
        let alert = self.alerts.latest().map(Outcome::Alert);
        match end {
            End::Reset => not_tls.unwrap_or(Outcome::Reset),
            End::EndOfStream if !answered => Outcome::Closed,
            End::Deadline if !answered => Outcome::Silent,
            End::EndOfStream | End::Deadline => not_tls.or(alert).unwrap_or(Outcome::Stalled),
        }
    }

    /// What the few bytes are that came, if they cannot be TLS.
    fn not_tls(&self) -> Option<Protocol> {
        let unclear = self.unclear.as_ref().filter(|bytes| !bytes.is_empty())?;
        (!matches!(unclear[..], [20..=24])).then(|| Protocol::recognise(unclear))
    }
}

/// What an answer began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beginning {
    /// Too few bytes to say.
    Unclear,
    /// A TLS record header (RFC 8446, section 5.1).
    Tls,
    /// Something else.
    NotTls(Protocol),
}

/// Bytes after which an answer that is not TLS is named with what there is.
const ENOUGH: usize = 8;

/// What `first`, all bytes so far, is the beginning of.
fn beginning(first: &[u8]) -> Beginning {
    match first {
        [] => Beginning::Unclear,
        [20..=24] => Beginning::Unclear,
        [20..=24, 3, ..] => Beginning::Tls,
        _ if first.len() < ENOUGH => Beginning::Unclear,
        _ => Beginning::NotTls(Protocol::recognise(first)),
    }
}

/// Follows record headers to see alerts that are not encrypted.
#[derive(Debug, Default)]
struct AlertWatch {
    /// The first bytes of the record that is passing: header, level, description.
    head: [u8; 7],
    filled: usize,
    /// Bytes of the record that follow what `head` holds.
    left: usize,
    last: Option<Alert>,
    /// Whether nothing came after it.
    is_latest: bool,
}

impl AlertWatch {
    /// The last alert that passed in the clear.
    const fn last(&self) -> Option<Alert> {
        self.last
    }

    /// The alert that passed in the clear, if nothing came after it.
    fn latest(&self) -> Option<Alert> {
        self.last.filter(|_| self.is_latest)
    }

    /// Takes the next bytes of the stream.
    fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.is_latest = false;
            if self.left > 0 && self.filled >= self.wanted() {
                let skipped = self.left.min(bytes.len());
                self.left -= skipped;
                bytes = &bytes[skipped..];
            } else {
                self.head[self.filled] = bytes[0];
                self.filled += 1;
                bytes = &bytes[1..];
                if self.filled == 5 {
                    self.left = usize::from(u16::from_be_bytes([self.head[3], self.head[4]]));
                } else if self.filled > 5 {
                    self.left -= 1;
                }
            }
            self.end_record();
        }
    }

    const fn is_alert(&self) -> bool {
        self.head[0] == 21 && self.head[3] == 0 && self.head[4] == 2
    }

    /// How much of the passing record `head` takes: all of a plaintext alert, else the header.
    const fn wanted(&self) -> usize {
        if self.filled >= 5 && self.is_alert() { 7 } else { 5 }
    }

    fn end_record(&mut self) {
        if self.filled < self.wanted() || self.left > 0 {
            return;
        }
        self.is_latest = self.is_alert();
        if self.is_latest {
            self.last = Some(Alert { level: self.head[5], description: self.head[6] });
        }
        self.filled = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_told_apart() {
        assert_eq!(beginning(b""), Beginning::Unclear);
        assert_eq!(beginning(&[22]), Beginning::Unclear);
        assert_eq!(beginning(&[22, 3]), Beginning::Tls);
        assert_eq!(beginning(&[21, 3, 3, 0, 2, 2, 40]), Beginning::Tls);
        assert_eq!(beginning(b"SSH-2.0"), Beginning::Unclear);
        assert_eq!(beginning(b"SSH-2.0-x"), Beginning::NotTls(Protocol::Ssh));
        assert_eq!(beginning(&[22, 9, 0, 0, 0, 0, 0, 0]), Beginning::NotTls(Protocol::Unknown));
    }

    #[test]
    fn nothing_is_taken_beyond_the_limit() {
        let now = Moment::from_millis(5);
        let mut intake = Intake::new(6);
        assert_eq!(intake.take(now, &[22, 3, 3]), Taken::Tls(Cow::Owned(vec![22, 3, 3])));
        assert_eq!(intake.take(now, &[0, 4, 2]), Taken::Tls(Cow::Borrowed(&[0, 4, 2])));
        assert_eq!(intake.take(now, &[]), Taken::Nothing);
        assert_eq!(intake.take(now, &[9]), Taken::Last(Cow::Borrowed(&[])));
        // Too few to say what they are.
        let mut intake = Intake::new(4);
        assert_eq!(intake.take(now, b"SSH"), Taken::Nothing);
        assert_eq!(intake.take(now, b"-2.0"), Taken::Over(Outcome::TooLarge));
        assert_eq!(intake.first_byte(), Some(now));
    }

    #[test]
    fn alerts_are_seen_in_any_chunking_between_other_records() {
        let stream: Vec<u8> = [
            &[22, 3, 3, 0, 4, 21, 3, 3, 0][..],
            &[21, 3, 3, 0, 2, 1, 112],
            &[22, 3, 3, 0, 0],
            &[21, 3, 3, 0, 3, 9, 9, 9],
            &[23, 3, 3, 0, 1, 7],
            &[21, 3, 3, 0, 2, 2, 40],
        ]
        .concat();
        for size in 1..=stream.len() {
            let mut watch = AlertWatch::default();
            let mut seen = Vec::new();
            for chunk in stream.chunks(size) {
                watch.push(chunk);
                seen.extend(watch.last());
            }
            assert_eq!(seen.last(), Some(&Alert { level: 2, description: 40 }), "{size}");
            if size == 1 {
                assert_eq!(seen[0], Alert { level: 1, description: 112 });
            }
        }
    }
}
