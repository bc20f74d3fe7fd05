//! One job's way through time.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Clock, Event, Memory, Ran, Runner, WAKE, Work, World};
use crate::domain::job::Job;
use crate::domain::schedule::{Due, Ended, Remembered, State};

/// Runs `job` when it is due until told to `stop`; whether a run was cut short by that.
///
/// # Errors
/// One line on why what is remembered of the job cannot be read.
pub(super) async fn run<C: Clock, M: Memory, R: Runner>(
    job: Job,
    world: Arc<World<C, M, R>>,
    stop: CancellationToken,
) -> Result<bool, String> {
    let mut course = Course::begin(job, world, stop)?;
    course.tell_next();
    while !course.stop.is_cancelled() {
        let now = course.world.clock.now();
        let schedule = &course.job.rhythm.schedule;
        let settled = course.remembered.settle(schedule, now);
        if settled && !course.save() {
            course.sleep(WAKE).await;
            continue;
        }
        match course.job.rhythm.due(&course.remembered, now) {
            Due::Later(moment) => course.sleep(moment.since(now).min(WAKE)).await,
            due => course.work(due).await,
        }
    }
    Ok(course.remembered.state != State::Idle)
}

/// See [`super::once`].
pub(super) async fn once<C: Clock, M: Memory, R: Runner>(
    job: Job,
    world: Arc<World<C, M, R>>,
    stop: CancellationToken,
) -> Result<Ran, String> {
    let mut course = Course::begin(job, world, stop)?;
    let now = course.world.clock.now();
    let due = match course.remembered.state {
        State::Whole => Due::Resume,
        State::Idle | State::Matches => {
            // It serves all slots that have come, so that a watch does not repeat it.
            let Course { job, remembered, .. } = &course;
            let schedule = &job.rhythm.schedule;
            let first = remembered.served.or_else(|| schedule.first(remembered.since));
            Due::Whole { slot: first.map_or(now, |slot| schedule.latest(slot, now)) }
        }
    };
    course.begin_work(due)?;
    let ran = course.whole(due).await;
    course.end(&ran)?;
    Ok(ran)
}

struct Course<C, M, R> {
    job: Job,
    world: Arc<World<C, M, R>>,
    stop: CancellationToken,
    remembered: Remembered,
}

impl<C: Clock, M: Memory, R: Runner> Course<C, M, R> {
    fn begin(
        job: Job,
        world: Arc<World<C, M, R>>,
        stop: CancellationToken,
    ) -> Result<Self, String> {
        let remembered = world.memory.load(job.name(), world.clock.now())?;
        Ok(Self { job, world, stop, remembered })
    }

    /// Does what is `due`, if it can be written down that it begins: what is not remembered would be repeated
    /// after a crash.
    async fn work(&mut self, due: Due) {
        let before = self.remembered.clone();
        if let Err(why) = self.begin_work(due) {
            self.remembered = before;
            self.world.runner.tell(self.job.name(), &Event::Forgets(&why));
            return self.sleep(WAKE).await;
        }
        let ran = match due {
            Due::Matches => self.run(Work::Matches).await,
            due => self.whole(due).await,
        };
        if let Err(why) = self.end(&ran) {
            self.world.runner.tell(self.job.name(), &Event::Forgets(&why));
        }
        if ran.end != Ended::Interrupted {
            self.tell_next();
        }
    }

    fn begin_work(&mut self, due: Due) -> Result<(), String> {
        let now = self.world.clock.now();
        match due {
            Due::Whole { slot } => self.remembered.begin(slot, now),
            Due::Matches => self.remembered.begin_matches(now),
            Due::Resume | Due::Later(_) => {}
        }
        self.world.memory.save(self.job.name(), &self.remembered)
    }

    /// A whole run: known matches first, unless there is a scan to go on with.
    async fn whole(&mut self, due: Due) -> Ran {
        let unfinished = self.remembered.scan.clone().filter(|_| due == Due::Resume);
        if let Some(scan) = unfinished {
            return self.run(Work::Resume(scan)).await;
        }
        let ran = self.run(Work::Matches).await;
        match ran.end {
            Ended::Complete | Ended::Incomplete if !self.stop.is_cancelled() => {
                self.run(Work::Whole).await
            }
            Ended::Complete | Ended::Incomplete => Ran { end: Ended::Interrupted, ..ran },
            // What hindered it would hinder the rest.
            Ended::Refused | Ended::Failed | Ended::Interrupted => ran,
        }
    }

    async fn run(&mut self, work: Work) -> Ran {
        let Self { job, world, stop, remembered } = self;
        world.runner.tell(job.name(), &Event::Begins(&work));
        let is_whole = work != Work::Matches;
        let begun = |scan: &str| {
            if is_whole {
                remembered.scan = Some(scan.to_owned());
                // If this fails, what is written at the end most likely does too, and that is told.
                let _ = world.memory.save(job.name(), remembered);
            }
        };
        let ran = world.runner.run(job, &work, stop, begun).await;
        world.runner.tell(job.name(), &Event::Ended(&work, &ran));
        ran
    }

    fn end(&mut self, ran: &Ran) -> Result<(), String> {
        self.remembered.end(ran.end, ran.why.clone(), self.world.clock.now());
        self.world.memory.save(self.job.name(), &self.remembered)
    }

    /// Whether what is remembered could be written down.
    fn save(&self) -> bool {
        let saved = self.world.memory.save(self.job.name(), &self.remembered);
        if let Err(why) = &saved {
            self.world.runner.tell(self.job.name(), &Event::Forgets(why));
        }
        saved.is_ok()
    }

    fn tell_next(&self) {
        let (start, matches) = match self.remembered.state {
            State::Idle => {
                let rhythm = &self.job.rhythm;
                (rhythm.next_start(&self.remembered), rhythm.next_matches(&self.remembered))
            }
            // It goes on at once.
            State::Matches | State::Whole => return,
        };
        self.world.runner.tell(self.job.name(), &Event::Waits { start, matches });
    }

    async fn sleep(&self, time: std::time::Duration) {
        tokio::select! {
            () = self.world.clock.sleep(time) => {}
            () = self.stop.cancelled() => {}
        }
    }
}
