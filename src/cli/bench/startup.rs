//! How long it takes from the start of the program to its first connection.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::sample::{Sample, resident_kib};

/// How long a program may take until it connects.
const LATE: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

/// Starts `certsweep probe` on a listener of our own, and ends it at the first connection.
///
/// # Errors
/// What the system says; `TimedOut` if nothing connects.
pub(super) fn measure() -> io::Result<Sample> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let endpoint = listener.local_addr()?.to_string();
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["probe", &endpoint])
        .env_remove("CERTSWEEP_SCOPE")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let begun = Instant::now();
    let mut child = command.spawn()?;
    let connected = poll(&mut [PollFd::new(&listener, PollFlags::IN)], Some(&LATE));
    let wall = begun.elapsed();
    child.kill()?;
    child.wait()?;
    if connected? == 0 {
        return Err(io::Error::new(io::ErrorKind::TimedOut, "the program did not connect"));
    }
    Ok(Sample {
        targets: 1,
        concurrency: 1,
        wall,
        ended_well: 1,
        rss_kib: resident_kib(),
        startup_ms: Some(millis(wall)),
        ..Sample::default()
    })
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
