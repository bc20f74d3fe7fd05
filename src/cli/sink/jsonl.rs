//! JSON Lines: one record a line.

use std::io::{self, BufWriter, Write};

use serde_json::Value;

use super::Sink;
use crate::domain::observation::Observation;
use crate::domain::record::{self, Origin};

pub(super) struct Jsonl<W: Write> {
    out: BufWriter<W>,
}

impl<W: Write> Jsonl<W> {
    pub(super) const fn new(out: BufWriter<W>) -> Self {
        Self { out }
    }

    fn line(&mut self, record: &Value) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, record)?;
        self.out.write_all(b"\n")
    }
}

impl<W: Write + Send> Sink for Jsonl<W> {
    fn scan(&mut self, record: &Value) -> io::Result<()> {
        self.line(record)
    }

    fn observation(&mut self, origin: Origin<'_>, observation: &Observation) -> io::Result<()> {
        self.line(&record::observation(origin, observation))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
