//! Alerts to a program: started without a shell, in an empty environment, for a bounded time.
//!
//! Nothing of the alert is in its arguments. The record is one line on its standard input; what it prints is
//! dropped, since nothing here needs it and it would have no end.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncWriteExt;
use tokio::process::Child;
use tokio::time::timeout;

use super::{Channel, Delivering, Patience, reason};
use crate::domain::alert::{Alert, Delivery, record};
use crate::domain::time::Timestamp;

/// What a program gets of our environment.
const KEPT: [&str; 2] = ["PATH", "LANG"];

/// Runs one program for each alert.
pub struct Command {
    words: Vec<String>,
    patience: Patience,
}

impl Command {
    /// Runs the program at `words[0]` with the other words as its arguments.
    pub const fn new(words: Vec<String>, patience: Patience) -> Self {
        Self { words, patience }
    }

    fn start(&self) -> Result<Group, String> {
        let Some((program, arguments)) = self.words.split_first() else {
            return Err("no program".to_owned());
        };
        let mut command = tokio::process::Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        let child = command.spawn().map_err(|error| format!("cannot be started: {error}"))?;
        let leader = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        Ok(Group { child, leader })
    }

    async fn run(&self, line: &str) -> Result<(), String> {
        let mut group = self.start()?;
        let stdin = group.child.stdin.take();
        let feed = async {
            if let Some(mut stdin) = stdin {
                // Whoever does not want to read need not: the exit code counts.
                let _ = stdin.write_all(line.as_bytes()).await;
            }
        };
        let whole = self.patience.whole;
        let running = timeout(whole, async { tokio::join!(feed, group.child.wait()).1 });
        match running.await {
            Ok(Ok(status)) => {
                group.leader = None;
                if status.success() { Ok(()) } else { Err(format!("ended with {status}")) }
            }
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("was killed after {whole:?}")),
        }
    }
}

/// A program with all that it started, which is killed unless it ended by itself.
struct Group {
    child: Child,
    /// `None` once it ended: its number may be another's by then.
    leader: Option<Pid>,
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

impl Channel for Command {
    fn deliver<'a>(&'a self, alert: &'a Alert, _: Timestamp) -> Delivering<'a> {
        let line = format!("{}\n", record(alert));
        Box::pin(async move {
            match self.run(&line).await {
                Ok(()) => Delivery::Delivered,
                Err(why) => {
                    let program = self.words.first().map_or("", String::as_str);
                    Delivery::retry(reason(&format!("{program} {why}")))
                }
            }
        })
    }
}
