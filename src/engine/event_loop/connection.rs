//! What happens on one connection, from the call to the last word.

use std::io;

use super::EventLoop;
use super::place::{Probe, Slot, Stage, visit};
use crate::domain::observation::Observation;
use crate::domain::outcome::Outcome;
use crate::domain::tls::own::Look;
use crate::domain::tls::{End, Moment, Verdict};
use crate::engine::dial::{Dialled, Socket, Wire};
use crate::engine::poll::News;
use crate::engine::sweep::Due;
use crate::engine::talk::Talk;

/// Looks at one answer before a client takes it over: each begins at the first byte again.
const LOOKS_MAX: u8 = 8;

impl EventLoop {
    /// Calls for the probe at `key`, with the socket that the place has or a new one.
    pub(super) fn dial(&mut self, key: u32, now: Moment) {
        match self.dialled(key) {
            Dialled::Connecting => self.wheel.set(key, now + self.patience.timeout()),
            Dialled::Connected => {
                if let Some(probe) = &mut self.slots[key as usize].probe {
                    probe.connected = Some(now);
                }
                self.connected(key, now);
            }
            Dialled::Ended(outcome) => self.conclude(key, Verdict::without_leaf(outcome), now),
            Dialled::Local(error) => self.put_back(key, error, now),
            Dialled::Refused(refusal) => {
                if let Some(due) = self.take(key, false) {
                    self.sweep.refused(due, refusal);
                }
            }
        }
    }

    fn dialled(&mut self, key: u32) -> Dialled {
        let Slot { socket, probe: Some(probe) } = &mut self.slots[key as usize] else {
            return Dialled::Local(io::ErrorKind::Other.into());
        };
        let target = probe.due.ticket.target;
        if socket.as_ref().is_none_or(|socket| !socket.fits(target.address)) {
            *socket = None;
            let opened = Socket::open(target.address);
            match opened.and_then(|socket| match self.poll.add(&socket, key) {
                Ok(()) => Ok(socket),
                Err(error) => Err(Dialled::Local(error)),
            }) {
                Ok(opened) => *socket = Some(opened),
                Err(dialled) => return dialled,
            }
        }
        match socket {
            Some(socket) => socket.dial(&self.plan.scope, target, probe.time),
            None => Dialled::Local(io::ErrorKind::Other.into()),
        }
    }

    pub(super) fn put(&mut self, key: u32, probe: Probe) {
        self.slots[key as usize].probe = Some(probe);
        self.open += 1;
    }

    /// Goes on with a probe that has news.
    pub(super) fn hear(&mut self, news: News) {
        let now = self.prober.clock.now();
        let slot = &mut self.slots[news.key as usize];
        let (Some(socket), Some(probe)) = (&mut slot.socket, &mut slot.probe) else { return };
        match &mut probe.stage {
            Stage::Connecting => {
                let dialled = if news.is_error { socket.news() } else { Dialled::Connected };
                self.answered(news.key, dialled, now);
                // Who speaks first may have spoken already, and is not told of again.
                if news.is_readable {
                    self.look(news, now);
                }
            }
            Stage::Glancing { .. } => self.look(news, now),
            Stage::Talking(talk) => match talk.go_on(socket, &mut self.buffer, now) {
                Some(verdict) => self.conclude(news.key, verdict, now),
                None => self.wheel.set(news.key, talk.deadline()),
            },
        }
    }

    /// Lets `talk` have the connection at `key`, and goes on with it.
    fn talk(&mut self, key: u32, mut talk: Talk, now: Moment) {
        let slot = &mut self.slots[key as usize];
        let (Some(socket), Some(probe)) = (&mut slot.socket, &mut slot.probe) else { return };
        match talk.go_on(socket, &mut self.buffer, now) {
            Some(verdict) => self.conclude(key, verdict, now),
            None => {
                self.wheel.set(key, talk.deadline());
                probe.stage = Stage::Talking(talk);
            }
        }
    }

    /// Looks at what has come on a connection that has no client.
    fn look(&mut self, news: News, now: Moment) {
        let slot = &mut self.slots[news.key as usize];
        let (Some(socket), Some(probe)) = (&mut slot.socket, &mut slot.probe) else { return };
        let Some(glance) = &self.prober.glance else { return };
        let Stage::Glancing { first_byte, looks } = &mut probe.stage else { return };
        let length = match socket.peek(&mut self.buffer) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            // The error is told once: nobody would hear of it again.
            Err(_) => return self.hand_over(news.key, Some(End::Reset), now),
        };
        if length > 0 {
            let first = *first_byte.get_or_insert(now);
            match glance.look(&self.buffer[..length], &mut self.scratch) {
                Look::Certificates { tls, chain } => {
                    let visit = visit(probe, &self.first);
                    let seen = visit.presented(tls, chain, [first, now], &mut self.recogniser);
                    return self.seen(news.key, false, seen, now);
                }
                Look::More if !news.is_end && *looks < LOOKS_MAX => {
                    *looks += 1;
                    return;
                }
                Look::More | Look::Unusual => {}
            }
        }
        self.hand_over(news.key, None, now);
    }

    /// Gives a connection that was looked at to a client, which reads it from the first byte on or learns of its `end`.
    fn hand_over(&mut self, key: u32, end: Option<End>, now: Moment) {
        let Some(probe) = &self.slots[key as usize].probe else { return };
        let Some(glance) = &self.prober.glance else { return };
        let Stage::Glancing { first_byte, .. } = probe.stage else { return };
        let client = glance.client(probe.connected.unwrap_or(probe.began));
        let mut talk = Talk::with_first_byte(client, first_byte);
        if let Some(end) = end {
            talk.end(end, now);
        }
        self.talk(key, talk, now);
    }

    /// A connection that was on its way stands, or does not.
    fn answered(&mut self, key: u32, dialled: Dialled, now: Moment) {
        if let Some(probe) = &mut self.slots[key as usize].probe {
            // What the network says of the way may take as long as it likes, and tells nothing of answers.
            if matches!(dialled, Dialled::Connected | Dialled::Ended(Outcome::Refused)) {
                self.patience.answered(now - probe.began);
            }
            let stands = matches!(dialled, Dialled::Connected | Dialled::Ended(Outcome::Reset));
            probe.connected = stands.then_some(now);
        }
        match dialled {
            Dialled::Ended(Outcome::Reset) => self.hear_last_words(key, now),
            Dialled::Connected => self.connected(key, now),
            Dialled::Ended(outcome) => self.conclude(key, Verdict::without_leaf(outcome), now),
            Dialled::Local(error) => self.put_back(key, error, now),
            Dialled::Connecting | Dialled::Refused(_) => {}
        }
    }

    /// The connection stood and was reset; what the server said before is still there.
    fn hear_last_words(&mut self, key: u32, now: Moment) {
        let Some(probe) = &self.slots[key as usize].probe else { return };
        let ask = probe.due.visiting.as_ref().map_or(&self.first.ask, |visiting| &visiting.ask);
        // Nothing is sent any more, so that nobody sees these numbers.
        let client = self.prober.offers.start(ask, now, [0; 112]);
        self.talk(key, Talk::with_unsent(client, &[], true), now);
    }

    /// Says the first words on a connection that stands.
    fn connected(&mut self, key: u32, now: Moment) {
        let slot = &mut self.slots[key as usize];
        let (Some(socket), Some(probe)) = (&mut slot.socket, &mut slot.probe) else { return };
        if let Some(glance) = &self.prober.glance
            && probe.due.visiting.is_none()
        {
            let hello = glance.hello();
            // The error is told once: nobody would hear of it again.
            let (sent, is_reset) = match socket.send(hello) {
                Ok(sent) => (sent, false),
                Err(error) => (0, error.kind() == io::ErrorKind::ConnectionReset),
            };
            if sent == hello.len() {
                self.wheel.set(key, now + self.plan.tempo.limits.handshake);
                probe.stage = Stage::Glancing { first_byte: None, looks: 0 };
            } else {
                let talk = Talk::with_unsent(glance.client(now), &hello[sent..], is_reset);
                self.talk(key, talk, now);
            }
            return;
        }
        let mut entropy = [0; 112];
        if let Err(error) = getrandom::fill(&mut entropy) {
            return self.put_back(key, io::Error::other(error), now);
        }
        let ask = probe.due.visiting.as_ref().map_or(&self.first.ask, |visiting| &visiting.ask);
        let talk = Talk::new(self.prober.offers.start(ask, now, entropy));
        self.talk(key, talk, now);
    }

    pub(super) fn give_up(&mut self, key: u32, now: Moment) {
        let slot = &mut self.slots[key as usize];
        let (Some(socket), Some(probe)) = (&mut slot.socket, &mut slot.probe) else { return };
        if matches!(probe.stage, Stage::Glancing { .. }) {
            self.hand_over(key, None, now);
            let slot = &mut self.slots[key as usize];
            return if slot.probe.is_some() {
                self.give_up(key, now)
            };
        }
        match &mut probe.stage {
            Stage::Connecting | Stage::Glancing { .. } => {
                // There may be news that nobody has looked at yet.
                let dialled = match socket.news() {
                    Dialled::Connected if !socket.is_connected() => {
                        Dialled::Ended(Outcome::ConnectTimeout)
                    }
                    dialled => dialled,
                };
                self.answered(key, dialled, now);
            }
            Stage::Talking(talk) => {
                if let Some(verdict) = talk.give_up(socket, &mut self.buffer, now) {
                    self.conclude(key, verdict, now);
                }
            }
        }
    }

    /// Takes what the connection of the probe at `key` has come to.
    fn conclude(&mut self, key: u32, verdict: Verdict, now: Moment) {
        let Some(probe) = &self.slots[key as usize].probe else { return };
        let finished = verdict.evidence.handshake_finished;
        let seen = visit(probe, &self.first).observation(verdict, &mut self.recogniser);
        self.seen(key, finished, seen, now);
    }

    /// Takes what the probe at `key` has seen, and frees its place.
    fn seen(&mut self, key: u32, finished: bool, seen: Observation, now: Moment) {
        if let Some(due) = self.take(key, finished) {
            self.sweep.seen(due, seen, now);
        }
    }

    /// This machine could not go on with the probe at `key`.
    fn put_back(&mut self, key: u32, error: io::Error, now: Moment) {
        if let Some(due) = self.take(key, false) {
            self.sweep.short(due, error, now);
        }
    }

    /// Takes the probe out of its place, and frees that.
    fn take(&mut self, key: u32, finished: bool) -> Option<Due> {
        let probe = self.slots[key as usize].probe.take()?;
        self.open -= 1;
        if finished {
            // What was said last is to arrive.
            if let Some(socket) = self.slots[key as usize].socket.take() {
                socket.close();
            }
        }
        self.release(key, false);
        Some(probe.due)
    }

    /// Ends the connection at `key` with a reset, and frees the place.
    pub(super) fn release(&mut self, key: u32, is_broken: bool) {
        self.wheel.clear(key);
        let slot = &mut self.slots[key as usize];
        let is_usable = slot.socket.as_mut().is_some_and(Socket::disconnect);
        if (!is_usable || is_broken)
            && let Some(socket) = slot.socket.take()
        {
            socket.reset();
        }
        self.free.of(slot.socket.as_ref()).push(key);
    }
}
