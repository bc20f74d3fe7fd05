//! One thread that serves any number of connections, for servers so cheap that a task for each would cost more than
//! they do.
//!
//! It accepts, and answers from what is made already; connections that want more are handed over. Nothing is kept
//! of a connection but its socket: bytes that are no whole ClientHello yet stay in the kernel's queue.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::net::{RecvFlags, SendFlags, Shutdown, SocketFlags, accept_with, recv, send};

use super::conversation::PATIENCE;

/// Events taken at a time.
const AT_ONCE: usize = 256;

/// The longest wait for an event: how late a connection may be ended, and accepting tried again after an error.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

/// Connections that wait for their end, besides those of [`Serve::hand_over`].
const CONNECTIONS: usize = 16_384;

/// The longest record of a ClientHello that is answered (RFC 8446, section 5.1), header included.
const RECORD_MAX: usize = 5 + (1 << 14);

const LISTENER: u64 = u64::MAX;
const STOP: u64 = u64::MAX - 1;

/// What a server says.
pub(super) enum Answer<'a> {
    /// These bytes, and then it waits for the client to close.
    Bytes(&'a [u8]),
    /// The end of its stream.
    End,
    /// Nothing.
    Silence,
}

/// What the servers do.
pub(super) trait Serve: Send + 'static {
    /// Takes a connection that is not answered here; gives back what is.
    fn hand_over(&mut self, address: Ipv4Addr, connection: OwnedFd) -> Option<OwnedFd>;

    /// What the server at `address` answers to the ClientHello that the record `hello` holds.
    fn answer(&mut self, address: Ipv4Addr, hello: &[u8]) -> Answer<'_>;
}

/// The thread; it and its connections end when this is dropped.
#[derive(Debug)]
pub(super) struct EventLoop {
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl EventLoop {
    /// Serves what `listener` accepts, on a thread of its own. The listener does not block.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn start(listener: OwnedFd, serve: impl Serve) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        epoll::add(&epoll, &stop, EventData::new_u64(STOP), EventFlags::IN)?;
        let edge = EventFlags::IN | EventFlags::ET;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), edge)?;
        let mut turns = Turns {
            epoll,
            listener,
            serve,
            is_pending: true,
            open: Vec::new(),
            free: Vec::new(),
            ages: VecDeque::new(),
            serial: 0,
            buffer: vec![0; RECORD_MAX],
        };
        let thread = thread::Builder::new().name("lab".to_owned()).spawn(move || turns.run())?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        let _ = rustix::io::write(&self.stop, &1_u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A connection that waits for a hello or for its end.
struct Open {
    connection: OwnedFd,
    address: Ipv4Addr,
    is_answered: bool,
    /// Tells it from another one that had its place before.
    serial: u64,
}

struct Turns<S> {
    epoll: OwnedFd,
    listener: OwnedFd,
    serve: S,
    /// Whether there may be connections to accept.
    is_pending: bool,
    /// By the number that the event queue has for each.
    open: Vec<Option<Open>>,
    free: Vec<usize>,
    /// Places and serials, the oldest first.
    ages: VecDeque<(Instant, usize, u64)>,
    serial: u64,
    buffer: Vec<u8>,
}

impl<S: Serve> Turns<S> {
    fn run(&mut self) {
        let mut events: Vec<Event> = Vec::with_capacity(AT_ONCE);
        loop {
            // With nothing to end and nothing to try again, only an event can bring work.
            let is_idle = self.count() == 0 && !self.is_pending;
            let timeout = (!is_idle).then_some(&TICK);
            match epoll::wait(&self.epoll, spare_capacity(&mut events), timeout) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
            for event in events.drain(..) {
                let data = event.data;
                match data.u64() {
                    STOP => return,
                    LISTENER => self.is_pending = true,
                    place => self.turn(place as usize),
                }
            }
            self.expire(Instant::now());
            self.accept();
        }
    }

    /// Accepts until there is nothing more to accept, or no place for it.
    fn accept(&mut self) {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        while self.is_pending && self.count() < CONNECTIONS {
            match accept_with(&self.listener, flags) {
                Ok(connection) => self.welcome(connection),
                Err(rustix::io::Errno::AGAIN) => self.is_pending = false,
                // For want of descriptors mostly: again at the next tick.
                Err(_) => return,
            }
        }
    }

    /// Finds a place for a connection to loopback, unless it is taken over; all others are dropped.
    fn welcome(&mut self, connection: OwnedFd) {
        let Some(address) = loopback_address(&connection) else { return };
        let Some(connection) = self.serve.hand_over(address, connection) else { return };
        let place = self.free.pop().unwrap_or(self.open.len());
        let flags = EventFlags::IN | EventFlags::RDHUP | EventFlags::ET;
        if self.open.len() == place {
            self.open.push(None);
        }
        if epoll::add(&self.epoll, &connection, EventData::new_u64(place as u64), flags).is_err() {
            self.free.push(place);
            return;
        }
        self.serial += 1;
        if let Some(free) = self.open.get_mut(place) {
            *free = Some(Open { connection, address, is_answered: false, serial: self.serial });
        }
        self.ages.push_back((Instant::now(), place, self.serial));
    }

    /// Something came over the connection at `place`.
    fn turn(&mut self, place: usize) {
        let Some(Some(open)) = self.open.get_mut(place) else { return };
        let is_open = match open.is_answered {
            true => forget(&open.connection, &mut self.buffer),
            false => answer(open, &mut self.serve, &mut self.buffer),
        };
        if !is_open {
            self.close(place);
        }
    }

    fn close(&mut self, place: usize) {
        if self.open.get_mut(place).is_some_and(|open| open.take().is_some()) {
            self.free.push(place);
        }
    }

    /// Ends what is too old, and forgets the ages of what has ended.
    fn expire(&mut self, now: Instant) {
        while let Some((since, place, serial)) = self.ages.front().copied() {
            if self.lives(place, serial) {
                if now.saturating_duration_since(since) < PATIENCE {
                    return;
                }
                self.close(place);
            }
            self.ages.pop_front();
        }
        // One that stays may have many behind it that are gone.
        if self.ages.len() > 2 * CONNECTIONS {
            let mut ages = std::mem::take(&mut self.ages);
            ages.retain(|(_, place, serial)| self.lives(*place, *serial));
            self.ages = ages;
        }
    }

    /// Connections that are open.
    fn count(&self) -> usize {
        self.open.len().saturating_sub(self.free.len())
    }

    fn lives(&self, place: usize, serial: u64) -> bool {
        self.open.get(place).and_then(Option::as_ref).is_some_and(|open| open.serial == serial)
    }
}

/// Answers a hello once it is whole. Whether the connection stays open.
fn answer(open: &mut Open, serve: &mut impl Serve, buffer: &mut [u8]) -> bool {
    let length = match recv(&open.connection, &mut *buffer, RecvFlags::PEEK) {
        Ok((_, length)) => length,
        Err(error) => return error == rustix::io::Errno::AGAIN,
    };
    let [kind, _, _, high, low, ..] = buffer[..length] else { return length > 0 };
    let whole = 5 + usize::from(u16::from_be_bytes([high, low]));
    let Some(hello) = buffer.get(..whole).filter(|_| kind == 22) else { return false };
    if length < whole {
        return true;
    }
    open.is_answered = true;
    let is_sent = match serve.answer(open.address, hello) {
        Answer::Bytes(bytes) => {
            send(&open.connection, bytes, SendFlags::NOSIGNAL) == Ok(bytes.len())
        }
        Answer::End => rustix::net::shutdown(&open.connection, Shutdown::Write).is_ok(),
        Answer::Silence => true,
    };
    is_sent && forget(&open.connection, buffer)
}

/// Reads and forgets what has come. Whether more may come.
fn forget(connection: &OwnedFd, buffer: &mut [u8]) -> bool {
    loop {
        match recv(connection, &mut *buffer, RecvFlags::empty()) {
            Ok((_, 0)) => return false,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return error == rustix::io::Errno::AGAIN,
        }
    }
}

/// Our end of `connection`, if it is in 127.0.0.0/8.
fn loopback_address(connection: impl AsFd) -> Option<Ipv4Addr> {
    let address = SocketAddr::try_from(rustix::net::getsockname(connection).ok()?).ok()?;
    match address.ip() {
        IpAddr::V4(address) => address.is_loopback().then_some(address),
        IpAddr::V6(_) => None,
    }
}
