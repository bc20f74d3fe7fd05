//! Waiting for sockets: epoll, and a bell to be woken by.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};
use rustix::io::Errno;

/// Sockets whose news are taken at once.
const AT_ONCE: usize = 256;

/// What the bell is called among the sockets.
const BELL: u64 = u64::MAX;

/// Says which sockets have news.
#[derive(Debug)]
pub(super) struct Poll {
    epoll: OwnedFd,
    bell: Arc<OwnedFd>,
    news: Vec<Option<News>>,
}

/// News of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct News {
    /// The key that it was added with.
    pub(super) key: u32,
    /// Whether there is something to be read, be it the end.
    pub(super) is_readable: bool,
    /// Whether the other side, or an error, has ended something.
    pub(super) is_end: bool,
    /// Whether it has an error to be asked for.
    pub(super) is_error: bool,
}

/// Wakes a [`Poll`] from another thread.
#[derive(Clone, Debug)]
pub(super) struct Bell(Arc<OwnedFd>);

impl Bell {
    pub(super) fn ring(&self) {
        // It can only fail if it has been rung 2^64 times.
        let _ = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }
}

impl Poll {
    pub(super) fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let bell = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        epoll::add(&epoll, &bell, epoll::EventData::new_u64(BELL), epoll::EventFlags::IN)?;
        Ok(Self { epoll, bell, news: Vec::with_capacity(AT_ONCE) })
    }

    pub(super) fn bell(&self) -> Bell {
        Bell(Arc::clone(&self.bell))
    }

    /// From now on tells of `socket` as `key`, until it is closed; each change once (edge-triggered).
    pub(super) fn add(&self, socket: impl AsFd, key: u32) -> io::Result<()> {
        use epoll::EventFlags as Flags;
        let flags = Flags::IN | Flags::OUT | Flags::RDHUP | Flags::ET;
        Ok(epoll::add(&self.epoll, socket, epoll::EventData::new_u64(key.into()), flags)?)
    }

    /// Waits for news, for `timeout` at most or for as long as it takes.
    ///
    /// The time is rounded up to whole milliseconds, so that nobody has to ask twice.
    pub(super) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = timeout.map(|timeout| {
            let millis = timeout.as_nanos().div_ceil(1_000_000).min(86_400_000) as i64;
            Timespec { tv_sec: millis / 1_000, tv_nsec: millis % 1_000 * 1_000_000 }
        });
        self.news.clear();
        let mut room = [const { MaybeUninit::uninit() }; AT_ONCE];
        match epoll::wait(&self.epoll, &mut room, timeout.as_ref()) {
            Ok((events, _)) => {
                let bell = &self.bell;
                self.news.extend(events.iter().map(|event| news(event, bell)));
                Ok(())
            }
            Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// How many have news.
    pub(super) const fn len(&self) -> usize {
        self.news.len()
    }

    /// The news numbered `at`; `None` for the bell.
    pub(super) fn news(&self, at: usize) -> Option<News> {
        self.news.get(at).copied().flatten()
    }
}

/// What `event` tells; `None` for the bell, which is silenced.
fn news(event: &epoll::Event, bell: &OwnedFd) -> Option<News> {
    use epoll::EventFlags as Flags;
    let (data, flags) = (event.data, event.flags);
    if data.u64() == BELL {
        let _ = rustix::io::read(bell, &mut [0_u8; 8]);
        return None;
    }
    Some(News {
        key: data.u64() as u32,
        is_readable: flags.intersects(Flags::IN | Flags::RDHUP),
        is_end: flags.intersects(Flags::RDHUP | Flags::HUP | Flags::ERR),
        is_error: flags.intersects(Flags::HUP | Flags::ERR),
    })
}
