//! JSON Lines: one record a line.

use std::io::{self, BufWriter, Write};

use serde_json::Value;

use super::Sink;
use crate::domain::observation::Observation;
use crate::domain::record::{self, Lines, Origin};
use crate::domain::scan::Fault;
use crate::domain::text::harmless;

pub(super) struct Jsonl<W: Write> {
    out: BufWriter<W>,
    lines: Lines,
    /// Whether people watch: then nothing may reach their terminal that moves it.
    watched: bool,
}

impl<W: Write> Jsonl<W> {
    pub(super) fn new(out: BufWriter<W>, watched: bool) -> Self {
        Self { out, lines: Lines::default(), watched }
    }

    fn line(&mut self, record: &Value) -> io::Result<()> {
        if self.watched {
            self.out.write_all(harmless(&record.to_string()).as_bytes())?;
        } else {
            serde_json::to_writer(&mut self.out, record)?;
        }
        self.out.write_all(b"\n")
    }
}

impl<W: Write + Send> Sink for Jsonl<W> {
    fn scan(&mut self, record: &Value) -> io::Result<()> {
        self.line(record)
    }

    fn observation(&mut self, origin: Origin<'_>, observation: &Observation) -> io::Result<()> {
        let line = self.lines.observation(origin, observation);
        if self.watched {
            self.out.write_all(harmless(line).as_bytes())?;
        } else {
            self.out.write_all(line.as_bytes())?;
        }
        self.out.write_all(b"\n")
    }

    fn fault(&mut self, origin: Origin<'_>, fault: &Fault) -> io::Result<()> {
        self.line(&record::fault(origin, fault))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
