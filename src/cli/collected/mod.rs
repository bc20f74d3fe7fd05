//! `certsweep match`: certificates that others collected, looked up among the indicators. Nothing is sent.

mod files;
mod keep;
mod output;
mod report;

use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;

use files::{Group, Source};
use keep::Keeper;
use output::Output;

use super::args::{FailOn, MatchArgs};
use super::exit::{Exit, Failure};
use super::{settings, source, terminal};
use crate::domain::collected::{Collected, Place};
use crate::domain::indicator::{Index, Tier};
use crate::domain::text::counted;
use crate::engine::Clock;
use crate::import::collected::{Format, Reader, Told};

/// Complaints that are shown in full; all are counted.
const COMPLAINTS_SHOWN: u64 = 10;

/// Runs `match`.
pub(super) fn run(args: &MatchArgs) -> Result<Exit, Failure> {
    let index = Index::new(&source::indicator_sets(&args.indicators)?);
    let keeper = match args.dry_run {
        true => None,
        false => Some(Keeper::open(&settings::store(&args.ledger)?, Clock::start().wall())?),
    };
    let mut taker = Taker {
        index: &index,
        keeper,
        vantage: args.vantage.as_deref(),
        output: Output::new(args.format),
        tally: Tally::default(),
        failure: None,
    };
    let mut reader = Reader::new(args.from);
    let named = args.from.is_some();
    files::each(&args.files, &mut |group| match group {
        Ok(group) => taker.group(&mut reader, &group, named),
        Err(complaint) => {
            taker.unreadable(&complaint);
            Ok(())
        }
    })?;
    let Taker { output, tally, .. } = taker;
    output.end(&tally)?;
    terminal::note(&tally.summary());
    tally.exit(args.fail_on)
}

/// What was read, in numbers.
#[derive(Debug, Default)]
struct Tally {
    /// Files that were read.
    files: u64,
    certificates: u64,
    /// Lines of which nothing was taken.
    refused: u64,
    /// Lines that were taken, and in which something is wrong.
    doubted: u64,
    /// Files that could not be read, or not to their end.
    unreadable: u64,
    /// Files in folders that are of no known format.
    passed_over: u64,
    /// Certificates by the closest tier of their matches.
    by_tier: [u64; Tier::ALL.len()],
    said: u64,
}

impl Tally {
    fn of_tiers(&self, wanted: impl Fn(Tier) -> bool) -> u64 {
        let tiers = Tier::ALL.into_iter().zip(self.by_tier);
        tiers.filter(|(tier, _)| wanted(*tier)).map(|(_, count)| count).sum()
    }

    /// `3 files, 12,345 certificates, 2 lines refused`.
    fn summary(&self) -> String {
        let some = |count: u64, one, many| (count > 0).then(|| counted(count.into(), one, many));
        let parts = [
            Some(counted(self.files.into(), "file", "files")),
            Some(counted(self.certificates.into(), "certificate", "certificates")),
            some(self.refused, "line refused", "lines refused"),
            some(self.doubted, "line doubted", "lines doubted"),
            some(self.unreadable, "file unreadable", "files unreadable"),
            some(self.passed_over, "file of no known format", "files of no known format"),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        format!("{}; nothing was sent", parts.join(", "))
    }

    fn exit(&self, fail_on: Option<FailOn>) -> Result<Exit, Failure> {
        if self.certificates == 0 && self.refused + self.unreadable > 0 {
            return Err(Failure::usage("no certificate could be read"));
        }
        let found = fail_on.is_some_and(|what| {
            self.of_tiers(|tier| match what {
                FailOn::Exact => tier == Tier::A,
                FailOn::Match => tier.is_certain(),
                FailOn::Any => true,
                // What others collected makes no transition: there is no telling what they tried.
                FailOn::New => false,
            }) > 0
        });
        Ok(if found { Exit::Found } else { Exit::Done })
    }
}

/// Takes what readers tell.
struct Taker<'a> {
    index: &'a Index,
    /// The name for where all was seen from; the format's, if none is given.
    vantage: Option<&'a str>,
    /// Where all certificates go; `None` if nothing is to be remembered.
    keeper: Option<Keeper>,
    output: Output,
    tally: Tally,
    /// Why nothing more can be taken.
    failure: Option<Failure>,
}

impl Taker<'_> {
    /// Reads every file of `group`; `named` is whether its format was given.
    fn group(&mut self, reader: &mut Reader, group: &Group, named: bool) -> Result<(), Failure> {
        if group.is_joined {
            reader.begin_join();
        }
        for source in &group.sources {
            self.source(reader, source, named || !group.is_folder)?;
            if !group.is_joined {
                self.end()?;
            }
        }
        if group.is_joined {
            let _ = reader.end_join(&mut |told| self.take(told));
            self.failure.take().map_or(Ok(()), Err)?;
            self.end()?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Failure> {
        self.keeper.as_mut().map_or(Ok(()), Keeper::end)
    }

    /// Reads one file. Where it `must` be of a known format and is not, that is a complaint.
    fn source(&mut self, reader: &mut Reader, source: &Source, must: bool) -> Result<(), Failure> {
        let name = source.name();
        let opened: io::Result<Box<dyn Read>> = match source {
            Source::Stdin => Ok(Box::new(io::stdin().lock())),
            Source::File(path) => File::open(path).map(|file| Box::new(file) as Box<dyn Read>),
        };
        let opened = opened.map(|input| match &mut self.keeper {
            Some(keeper) => Box::new(keeper.reading(&name, input)) as Box<dyn Read>,
            None => input,
        });
        let before = self.tally.certificates;
        let done = opened.and_then(|input| reader.read(&name, input, &mut |told| self.take(told)));
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        match done {
            Ok(true) => self.tally.files += 1,
            Ok(false) if must => {
                let known = Format::WORDS.map(|(word, _)| word).join(", ");
                self.unreadable(&format!("{name}: no known format ({known})"));
            }
            Ok(false) => self.tally.passed_over += 1,
            Err(error) if self.tally.certificates > before => {
                self.unreadable(&format!(
                    "cannot read {name} to its end: {error}; what came before is kept"
                ));
            }
            Err(error) => self.unreadable(&format!("cannot read {name}: {error}")),
        }
        Ok(())
    }

    fn take(&mut self, told: Told) -> ControlFlow<()> {
        match told {
            Told::Collected { file, line, format, collected } => {
                let vantage = self.vantage.unwrap_or(format.word());
                let place = Place { file: &file, line, format: format.word(), vantage };
                return self.certificate(place, &collected);
            }
            Told::Refused(complaint) => {
                self.tally.refused += 1;
                if let Some(keeper) = &mut self.keeper {
                    keeper.refuse();
                }
                self.say(&complaint.to_string());
            }
            Told::Doubted(complaint) => {
                self.tally.doubted += 1;
                self.say(&complaint.to_string());
            }
        }
        ControlFlow::Continue(())
    }

    fn certificate(&mut self, place: Place<'_>, seen: &Collected) -> ControlFlow<()> {
        self.tally.certificates += 1;
        if let Some(Err(failure)) = self.keeper.as_mut().map(|keeper| keeper.take(place, seen)) {
            self.failure = Some(failure);
            return ControlFlow::Break(());
        }
        let matches = seen.matches(self.index);
        let Some(closest) = matches.iter().map(|found| found.tier).min() else {
            return ControlFlow::Continue(());
        };
        for (tier, count) in Tier::ALL.into_iter().zip(&mut self.tally.by_tier) {
            *count += u64::from(tier == closest);
        }
        match self.output.matched(place, seen, self.index, &matches) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failure = Some(terminal::closed(&error));
                ControlFlow::Break(())
            }
        }
    }

    fn unreadable(&mut self, complaint: &str) {
        self.tally.unreadable += 1;
        self.say(complaint);
    }

    fn say(&mut self, complaint: &str) {
        self.tally.said += 1;
        if self.tally.said <= COMPLAINTS_SHOWN {
            terminal::note(complaint);
        } else if self.tally.said == COMPLAINTS_SHOWN + 1 {
            terminal::note("and more like these, which are counted");
        }
    }
}
