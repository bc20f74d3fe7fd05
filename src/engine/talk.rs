//! Carrying bytes between a connection and a client, as far as it goes without waiting.

use std::io::ErrorKind;

use super::dial::Wire;
use crate::domain::tls::{Client, End, Moment, Verdict};

/// A client on a connection that stands.
pub(super) struct Talk {
    client: Box<dyn Client>,
    /// What is to be sent and did not go yet.
    out: Vec<u8>,
    has_ended: bool,
    /// Whether the connection was reset, as an error said that is not said again.
    is_reset: bool,
    /// When the first byte came, if that was before anybody read it.
    heard_first: Option<Moment>,
}

impl Talk {
    pub(super) const fn new(client: Box<dyn Client>) -> Self {
        Self { client, out: Vec::new(), has_ended: false, is_reset: false, heard_first: None }
    }

    /// The same where `rest` of the client's first words did not go yet, maybe because the connection `is_reset`.
    pub(super) fn with_unsent(client: Box<dyn Client>, rest: &[u8], is_reset: bool) -> Self {
        Self { out: rest.to_vec(), is_reset, ..Self::new(client) }
    }

    /// The same where the first byte came at `moment` and was left where it is.
    pub(super) fn with_first_byte(client: Box<dyn Client>, moment: Option<Moment>) -> Self {
        Self { heard_first: moment, ..Self::new(client) }
    }

    /// Sends and receives what goes at once, through `buffer`; the verdict, if there is one now.
    ///
    /// A failed write does not end the exchange: what the server sent before it closed, an alert mostly, is
    /// still there to be read.
    pub(super) fn go_on(
        &mut self,
        wire: &mut impl Wire,
        buffer: &mut [u8],
        now: Moment,
    ) -> Option<Verdict> {
        loop {
            self.send(wire);
            if let Some(verdict) = self.client.verdict() {
                return Some(verdict);
            }
            let end = match wire.recv(buffer) {
                Ok(0) if self.is_reset => End::Reset,
                Ok(0) => End::EndOfStream,
                Ok(length) => {
                    self.hear(&buffer[..length], now);
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => End::Reset,
            };
            self.end(end, now);
        }
    }

    /// The deadline has passed: what has come is read, and then it is over.
    pub(super) fn give_up(
        &mut self,
        wire: &mut impl Wire,
        buffer: &mut [u8],
        now: Moment,
    ) -> Option<Verdict> {
        self.go_on(wire, buffer, now).or_else(|| {
            self.end(End::Deadline, now);
            self.send(wire);
            self.client.verdict()
        })
    }

    /// When to give up.
    pub(super) fn deadline(&self) -> Moment {
        self.client.deadline()
    }

    fn hear(&mut self, bytes: &[u8], now: Moment) {
        // No client is told of nothing: to some that would be the end.
        match (self.heard_first.take(), bytes.split_at_checked(1)) {
            (Some(moment), Some((first, rest))) if !rest.is_empty() => {
                self.client.handle_bytes(moment, first);
                self.client.handle_bytes(now, rest);
            }
            (moment, _) => self.client.handle_bytes(moment.unwrap_or(now), bytes),
        }
    }

    /// Takes the end of the connection.
    pub(super) fn end(&mut self, end: End, now: Moment) {
        self.has_ended = true;
        self.client.handle_end(now, end);
    }

    fn send(&mut self, wire: &mut impl Wire) {
        while self.client.poll_transmit(&mut self.out) {}
        if self.has_ended {
            self.out.clear();
        }
        while !self.out.is_empty() {
            match wire.send(&self.out) {
                Ok(sent) => drop(self.out.drain(..sent)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_reset |= error.kind() == ErrorKind::ConnectionReset;
                    self.out.clear();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io;
    use std::time::Duration;

    use super::*;
    use crate::domain::outcome::{Alert, Outcome, Protocol};
    use crate::domain::tls::{Limits, Offer, RustlsOffer};

    /// What comes, piece by piece; and whether anything can be sent.
    struct Script {
        pieces: VecDeque<Vec<u8>>,
        is_closed: bool,
        sent: Vec<u8>,
    }

    impl Script {
        fn new(pieces: &[&[u8]], is_closed: bool) -> Self {
            let pieces = pieces.iter().map(|piece| piece.to_vec()).collect();
            Self { pieces, is_closed, sent: Vec::new() }
        }
    }

    impl Wire for Script {
        fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.is_closed {
                return Err(ErrorKind::BrokenPipe.into());
            }
            // A narrow way: ten bytes at a time, and full after every hundred.
            let room = (100 - self.sent.len() % 101).min(10).min(bytes.len());
            self.sent.extend(&bytes[..room]);
            if room == 0 {
                self.sent.push(0);
                return Err(ErrorKind::WouldBlock.into());
            }
            Ok(room)
        }

        fn recv(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match self.pieces.pop_front() {
                Some(piece) => {
                    into[..piece.len()].copy_from_slice(&piece);
                    Ok(piece.len())
                }
                None if self.is_closed => Ok(0),
                None => Err(ErrorKind::WouldBlock.into()),
            }
        }
    }

    fn talk() -> Talk {
        let limits = Limits { handshake: Duration::from_secs(5), ..Limits::default() };
        Talk::new(RustlsOffer::new(limits).unwrap().start(Duration::ZERO, [0; 112]))
    }

    #[test]
    fn a_silent_server_is_given_up_at_the_deadline() {
        let (mut talk, mut wire) = (talk(), Script::new(&[], false));
        let mut buffer = [0; 64];
        assert_eq!(talk.go_on(&mut wire, &mut buffer, Duration::ZERO), None);
        assert_eq!(talk.deadline(), Duration::from_secs(5));
        let verdict = talk.give_up(&mut wire, &mut buffer, Duration::from_secs(5)).unwrap();
        assert_eq!(verdict.outcome, Outcome::Silent);
    }

    #[test]
    fn one_byte_a_second_does_not_move_the_deadline() {
        let (mut talk, mut wire) = (talk(), Script::new(&[&[22]], false));
        let mut buffer = [0; 64];
        for second in 0..2 {
            assert_eq!(talk.go_on(&mut wire, &mut buffer, Duration::from_secs(second)), None);
            assert_eq!(talk.deadline(), Duration::from_secs(5));
            wire.pieces.push_back(vec![22]);
        }
        // 22, 22 is no TLS version, but these bytes are too few to name what it is instead.
        let verdict = talk.give_up(&mut wire, &mut buffer, Duration::from_secs(5)).unwrap();
        assert_eq!(verdict.outcome, Outcome::NotTls(Protocol::Unknown));
        assert_eq!(verdict.first_byte, Some(Duration::ZERO));
    }

    #[test]
    fn what_came_before_the_deadline_is_read_however_late_it_is_looked_at() {
        let alert: &[u8] = &[21, 3, 3, 0, 2, 2, 70];
        let (mut talk, mut wire) = (talk(), Script::new(&[alert], false));
        let verdict = talk.give_up(&mut wire, &mut [0; 64], Duration::from_secs(9)).unwrap();
        assert_eq!(verdict.outcome, Outcome::Alert(Alert { level: 2, description: 70 }));
    }

    #[test]
    fn an_alert_is_read_even_if_the_hello_could_not_be_written() {
        let (mut talk, mut wire) = (talk(), Script::new(&[&[21, 3, 3, 0, 2, 2, 70]], true));
        let verdict = talk.go_on(&mut wire, &mut [0; 64], Duration::ZERO).unwrap();
        assert_eq!(verdict.outcome, Outcome::Alert(Alert { level: 2, description: 70 }));
    }

    #[test]
    fn what_was_looked_at_before_it_was_read_keeps_its_time() {
        let client = RustlsOffer::new(Limits::default()).unwrap().start(Duration::ZERO, [0; 112]);
        let [first, now] = [1, 4].map(Duration::from_secs);
        let mut talk = Talk::with_first_byte(client, Some(first));
        let mut wire = Script::new(&[&[21, 3, 3, 0, 2, 2, 70]], false);
        let verdict = talk.go_on(&mut wire, &mut [0; 64], now).unwrap();
        assert_eq!(verdict.outcome, Outcome::Alert(Alert { level: 2, description: 70 }));
        assert_eq!(verdict.first_byte, Some(first));
    }

    /// The kernel tells the error once; what follows looks like an end.
    #[test]
    fn a_reset_that_the_first_words_met_is_a_reset_and_what_came_before_is_heard() {
        for (pieces, outcome) in [
            (&[][..], Outcome::Reset),
            (&[&b"SSH-2.0-x\r\n"[..]][..], Outcome::NotTls(Protocol::Ssh)),
        ] {
            let client =
                RustlsOffer::new(Limits::default()).unwrap().start(Duration::ZERO, [0; 112]);
            let mut talk = Talk::with_unsent(client, &[], true);
            let mut wire = Script::new(pieces, true);
            let verdict = talk.go_on(&mut wire, &mut [0; 64], Duration::ZERO).unwrap();
            assert_eq!(verdict.outcome, outcome);
        }
    }

    #[test]
    fn a_hello_that_does_not_fit_at_once_goes_piece_by_piece() {
        let (mut talk, mut wire) = (talk(), Script::new(&[], false));
        for _ in 0..10 {
            assert_eq!(talk.go_on(&mut wire, &mut [0; 64], Duration::ZERO), None);
        }
        let mut hello = Vec::new();
        let mut whole =
            RustlsOffer::new(Limits::default()).unwrap().start(Duration::ZERO, [0; 112]);
        whole.poll_transmit(&mut hello);
        let sent = wire.sent.len() - wire.sent.len() / 101;
        assert_eq!((sent, talk.out.len()), (hello.len(), 0));
    }
}
