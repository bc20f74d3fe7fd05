//! The bare loops: what connecting costs whoever does nothing else.
//!
//! One thread, one event queue, edge-triggered; no task, no timer and no allocation for a target. Targets are on
//! loopback.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, connect_unspec, socket_with};
use rustix::net::{ipproto, sockopt};

use super::servers::address;

/// Events taken at a time.
pub(super) const AT_ONCE: usize = 256;

/// After how long without any event a loop gives up.
pub(super) const STALLED: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

/// Targets at one port, so many of them at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Targets {
    pub(super) port: u16,
    pub(super) count: u32,
    pub(super) concurrency: usize,
}

impl Targets {
    /// The target with this number; `None` if there are not so many.
    pub(super) fn get(&self, number: u32) -> Option<SocketAddrV4> {
        let address: Ipv4Addr = address(number);
        (number < self.count).then(|| SocketAddrV4::new(address, self.port))
    }

    /// Sockets that are needed at once.
    fn places(&self) -> usize {
        self.concurrency.min(self.count as usize)
    }
}

/// What is expected of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Accepted,
    Refused,
}

/// Opens a socket for each target, connects and closes it. How many did as `expected`.
///
/// To end with a reset would leave no closed connections behind (TIME-WAIT), but takes a system call more: 3 % in eight
/// runs by turns.
///
/// # Errors
/// What the system says when it gives no socket.
pub(super) fn plain(targets: Targets, expected: Expected) -> io::Result<u64> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let mut places: Vec<Option<OwnedFd>> = (0..targets.places()).map(|_| None).collect();
    let mut free: Vec<usize> = (0..places.len()).collect();
    let mut events = Vec::with_capacity(AT_ONCE);
    let (mut next, mut well) = (0, 0);
    loop {
        while let Some(target) = targets.get(next)
            && let Some(place) = free.pop()
        {
            let socket = open()?;
            begin(&socket, target)?;
            let data = EventData::new_u64(place as u64);
            epoll::add(&epoll, &socket, data, EventFlags::OUT | EventFlags::ET)?;
            if let Some(free) = places.get_mut(place) {
                *free = Some(socket);
            }
            next += 1;
        }
        if free.len() == places.len() || !wait(&epoll, &mut events)? {
            return Ok(well);
        }
        for event in events.drain(..) {
            let place = event.data.u64() as usize;
            let Some(socket) = places.get_mut(place).and_then(Option::take) else { continue };
            let flags = event.flags;
            let told = if flags.contains(EventFlags::ERR) {
                is_refused(&socket).then_some(Expected::Refused)
            } else {
                Some(Expected::Accepted)
            };
            well += u64::from(told == Some(expected));
            drop(socket);
            free.push(place);
        }
    }
}

/// Connects the same sockets again and again. How many connections stood.
///
/// Connecting to no address takes a socket back to where it was (connect(2)), still registered: the peer gets a reset,
/// the port is free. What the event queue says of a place is read again at delivery, and new connections are begun only
/// after all events of a batch, so that none can be about the connection before.
///
/// # Errors
/// What the system says when it gives no socket, or takes none back.
pub(super) fn reuse(targets: Targets) -> io::Result<u64> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let mut places: Vec<(OwnedFd, bool)> = Vec::with_capacity(targets.places());
    let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
    for place in 0..targets.places() {
        let socket = open()?;
        epoll::add(&epoll, &socket, EventData::new_u64(place as u64), flags)?;
        places.push((socket, false));
    }
    let mut free: Vec<usize> = (0..places.len()).collect();
    let mut events = Vec::with_capacity(AT_ONCE);
    let (mut next, mut well) = (0, 0);
    loop {
        while let Some(target) = targets.get(next)
            && let Some(place) = free.pop()
        {
            if let Some((socket, is_open)) = places.get_mut(place) {
                begin(socket, target)?;
                *is_open = true;
            }
            next += 1;
        }
        if free.len() == places.len() || !wait(&epoll, &mut events)? {
            return Ok(well);
        }
        for event in events.drain(..) {
            let (place, flags) = (event.data.u64() as usize, event.flags);
            let Some((socket, is_open)) = places.get_mut(place).filter(|(_, open)| *open) else {
                continue;
            };
            well += u64::from(!flags.intersects(EventFlags::ERR | EventFlags::HUP));
            connect_unspec(&*socket)?;
            *is_open = false;
            free.push(place);
        }
    }
}

/// A socket that does not block.
pub(super) fn open() -> io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(socket_with(AddressFamily::INET, SocketType::STREAM, flags, Some(ipproto::TCP))?)
}

/// Begins to connect.
pub(super) fn begin(socket: &OwnedFd, target: SocketAddrV4) -> io::Result<()> {
    match connect(socket, &target) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Waits for events. Whether any came.
pub(super) fn wait(epoll: &OwnedFd, events: &mut Vec<Event>) -> io::Result<bool> {
    loop {
        match epoll::wait(epoll, spare_capacity(events), Some(&STALLED)) {
            Ok(_) => return Ok(!events.is_empty()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_refused(socket: &OwnedFd) -> bool {
    matches!(sockopt::socket_error(socket), Ok(Err(Errno::CONNREFUSED)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{Field, FieldServer};

    #[tokio::test]
    async fn every_target_is_connected_to_once() {
        let field = Field::start(FieldServer::Accept, 0).unwrap();
        for (count, concurrency) in [(1, 1), (300, 7), (20, 500)] {
            let targets = Targets { port: field.port(), count, concurrency };
            assert_eq!(plain(targets, Expected::Accepted).unwrap(), u64::from(count));
            assert_eq!(plain(targets, Expected::Refused).unwrap(), 0);
            assert_eq!(reuse(targets).unwrap(), u64::from(count));
        }
    }

    #[tokio::test]
    async fn refusals_are_counted_as_such() {
        let field = Field::start(FieldServer::Accept, 0).unwrap();
        let port = field.port();
        drop(field);
        let targets = Targets { port, count: 50, concurrency: 8 };
        assert_eq!(plain(targets, Expected::Refused).unwrap(), 50);
        assert_eq!(plain(targets, Expected::Accepted).unwrap(), 0);
    }
}
