//! Where a probe stands while it is open.

use std::net::IpAddr;

use crate::domain::address::Family;
use crate::domain::ladder::Visiting;
use crate::domain::time::Timestamp;
use crate::domain::tls::Moment;
use crate::domain::visit::Visit;
use crate::engine::dial::Socket;
use crate::engine::sweep::Due;
use crate::engine::talk::Talk;

/// A place for a probe, and the socket that it leaves to the next one.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) socket: Option<Socket>,
    pub(super) probe: Option<Probe>,
}

/// A connection that is open, or about to be.
pub(super) struct Probe {
    pub(super) due: Due,
    pub(super) time: Timestamp,
    pub(super) began: Moment,
    pub(super) connected: Option<Moment>,
    pub(super) stage: Stage,
}

pub(super) enum Stage {
    Connecting,
    /// The one ClientHello was sent; what comes is looked at where the kernel holds it.
    Glancing {
        first_byte: Option<Moment>,
        looks: u8,
    },
    Talking(Talk),
}

/// Places without a probe.
#[derive(Default)]
pub(super) struct Free {
    v4: Vec<u32>,
    v6: Vec<u32>,
    /// Those without a socket as well.
    bare: Vec<u32>,
}

impl Free {
    /// The list that a place with this socket belongs to.
    pub(super) fn of(&mut self, socket: Option<&Socket>) -> &mut Vec<u32> {
        match socket.map(Socket::family) {
            None => &mut self.bare,
            Some(Family::V4) => &mut self.v4,
            Some(Family::V6) => &mut self.v6,
        }
    }

    /// A place for a connection to `address`, one with a fitting socket if there is one.
    pub(super) fn take(&mut self, address: IpAddr) -> Option<u32> {
        let (fitting, other) = match Family::of(address) {
            Family::V4 => (&mut self.v4, &mut self.v6),
            Family::V6 => (&mut self.v6, &mut self.v4),
        };
        fitting.pop().or_else(|| self.bare.pop()).or_else(|| other.pop())
    }
}

/// The attempt of `probe`; `first` is a visit before its first one.
pub(super) fn visit<'a>(probe: &'a Probe, first: &'a Visiting) -> Visit<'a> {
    Visit {
        time: probe.time,
        target: probe.due.ticket.target,
        began: probe.began,
        connected: probe.connected,
        ask: probe.due.visiting.as_ref().map_or(&first.ask, |visiting| &visiting.ask),
    }
}
