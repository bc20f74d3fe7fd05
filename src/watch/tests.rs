//! A month of several jobs in simulated time: every start, to the second.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::domain::document::Document;
use crate::domain::job;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// 2026-11-01T00:00:00Z.
const T0: i64 = 1_793_491_200;

/// Tokio's paused time, and what the clock was set by.
struct Time {
    start: Instant,
    set_by: AtomicI64,
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.start.elapsed().as_micros()).unwrap();
        let set_by = self.set_by.load(Ordering::Relaxed) * 1_000_000;
        Timestamp::from_micros(T0 * 1_000_000 + passed + set_by)
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

#[derive(Default)]
struct Rows {
    rows: Mutex<BTreeMap<String, Remembered>>,
    /// Writes that fail before one works again.
    failing: AtomicUsize,
}

impl Memory for Rows {
    fn load(&self, job: &str, now: Timestamp) -> Result<Remembered, String> {
        let mut rows = self.rows.lock().unwrap();
        Ok(rows.entry(job.to_owned()).or_insert_with(|| Remembered::new(now)).clone())
    }

    fn save(&self, job: &str, remembered: &Remembered) -> Result<(), String> {
        let failing = |left: usize| left.checked_sub(1);
        if self.failing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, failing).is_ok() {
            return Err("no space left".to_owned());
        }
        self.rows.lock().unwrap().insert(job.to_owned(), remembered.clone());
        Ok(())
    }
}

/// Runs that take as long as they are told to, and a list of when each began.
#[derive(Default)]
struct Script {
    /// Seconds that whole runs of a job take, and how they end; a moment, and well, if it is not listed.
    takes: Mutex<BTreeMap<String, (u64, Option<Ended>)>>,
    /// Seconds of real time, job, work.
    starts: Mutex<Vec<(u64, String)>>,
    told: Mutex<Vec<String>>,
    start: Mutex<Option<Instant>>,
    at_work: Mutex<BTreeMap<String, ()>>,
}

impl Runner for Script {
    async fn run(
        &self,
        job: &Job,
        work: &Work,
        stop: &CancellationToken,
        begun: impl FnOnce(&str) + Send,
    ) -> Ran {
        let seconds = self.start.lock().unwrap().unwrap().elapsed().as_secs();
        let name = job.name().to_owned();
        let (number, word) = {
            let mut starts = self.starts.lock().unwrap();
            let word = match work {
                Work::Matches => "matches".to_owned(),
                Work::Whole => "whole".to_owned(),
                Work::Resume(scan) => format!("resume {scan}"),
            };
            starts.push((seconds, format!("{name} {word}")));
            (starts.len(), word)
        };
        let alone = self.at_work.lock().unwrap().insert(name.clone(), ()).is_none();
        assert!(alone, "two runs of {name} at a time");
        let scan = match work {
            Work::Resume(scan) => scan.clone(),
            _ => format!("scan-{number}"),
        };
        begun(&scan);
        let takes = self.takes.lock().unwrap().get(&name).copied();
        let (takes, end) = takes.filter(|_| word != "matches").unwrap_or((0, None));
        let end = tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(takes)) => end.unwrap_or(Ended::Complete),
            () = stop.cancelled() => Ended::Interrupted,
        };
        self.at_work.lock().unwrap().remove(&name);
        Ran { scan: Some(scan), end, why: None }
    }

    fn tell(&self, job: &str, event: &Event<'_>) {
        if let Event::Forgets(why) = event {
            self.told.lock().unwrap().push(format!("{job}: {why}"));
        }
    }
}

/// A watch that can be stopped, killed and started again.
struct Scene {
    jobs: Vec<Job>,
    world: Arc<World<Time, Rows, Script>>,
    stop: CancellationToken,
    running: Option<JoinHandle<Watched>>,
}

impl Scene {
    fn new(jobs: &str) -> Self {
        let document = Document { file: "certsweep.toml", text: jobs };
        let jobs = job::read(&mut document.table(&["job"]).unwrap(), &[]).unwrap();
        let start = Instant::now();
        let clock = Time { start, set_by: AtomicI64::new(0) };
        let runner = Script { start: Mutex::new(Some(start)), ..Script::default() };
        let world = Arc::new(World { clock, memory: Rows::default(), runner });
        let mut scene = Self { jobs, world, stop: CancellationToken::new(), running: None };
        scene.start();
        scene
    }

    fn start(&mut self) {
        self.stop = CancellationToken::new();
        let (jobs, world, stop) = (self.jobs.clone(), Arc::clone(&self.world), self.stop.clone());
        let watching = async move { watch(jobs, &world, &stop).await };
        self.running = Some(tokio::spawn(watching));
    }

    /// Lets time pass until `seconds` after the beginning.
    async fn until(&self, seconds: u64) {
        tokio::time::sleep_until(self.world.clock.start + Duration::from_secs(seconds)).await;
    }

    /// Ends it as SIGKILL does.
    async fn kill(&mut self) {
        let running = self.running.take().unwrap();
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
        tokio::task::yield_now().await;
        self.world.runner.at_work.lock().unwrap().clear();
    }

    /// Ends it as SIGTERM does.
    async fn stop(&mut self) -> Watched {
        self.stop.cancel();
        self.running.take().unwrap().await.unwrap()
    }

    fn set_clock(&self, by: i64) {
        self.world.clock.set_by.fetch_add(by, Ordering::Relaxed);
    }

    fn takes(&self, job: &str, seconds: u64, end: Option<Ended>) {
        self.world.runner.takes.lock().unwrap().insert(job.to_owned(), (seconds, end));
    }

    /// What began so far, in order; of the same second, in the order of names.
    fn starts(&self) -> Vec<(u64, String)> {
        let mut starts = self.world.runner.starts.lock().unwrap().clone();
        starts.sort_by(|a, b| (a.0, a.1.split(' ').next()).cmp(&(b.0, b.1.split(' ').next())));
        starts
    }
}

fn job(name: &str, lines: &str) -> String {
    format!("[[job]]\nname = \"{name}\"\nscope = \"s.toml\"\n{lines}\n")
}

fn whole(seconds: u64, job: &str) -> Vec<(u64, String)> {
    vec![(seconds, format!("{job} matches")), (seconds, format!("{job} whole"))]
}

fn matches(seconds: u64, job: &str) -> Vec<(u64, String)> {
    vec![(seconds, format!("{job} matches"))]
}

#[tokio::test(start_paused = true)]
async fn a_month_of_three_jobs_has_exactly_these_starts() {
    let jobs = [
        job("a", "every = \"24h\"\nmatches = \"6h\""),
        job("b", "cron = \"30 2 * * MON\"\nmatches = \"never\""),
        job("c", "every = \"8h\"\nmatches = \"1h\""),
    ];
    let mut scene = Scene::new(&jobs.concat());
    // Longer than the distance of its slots: one begins when the one before has ended, and serves all that came.
    scene.takes("c", 20 * HOUR, None);
    scene.until(30 * DAY - 1).await;
    let mut expected = Vec::new();
    for day in 0..30 {
        expected.extend(whole(day * DAY, "a"));
        for quarter in 1..4 {
            expected.extend(matches(day * DAY + quarter * 6 * HOUR, "a"));
        }
    }
    // The first of November 2026 is a Sunday.
    for week in 0..5 {
        expected.extend(whole(DAY + week * 7 * DAY + 2 * HOUR + 30 * MINUTE, "b"));
    }
    for run in 0..36 {
        expected.extend(whole(run * 20 * HOUR, "c"));
    }
    expected.sort_by(|a, b| (a.0, a.1.split(' ').next()).cmp(&(b.0, b.1.split(' ').next())));
    assert_eq!(scene.starts(), expected);
    let watched = scene.stop().await;
    assert_eq!(watched, Watched { interrupted: true, failure: None });
}

#[tokio::test(start_paused = true)]
async fn rescans_that_a_long_run_hindered_are_caught_up_once() {
    let mut scene = Scene::new(&job("a", "every = \"24h\"\nmatches = \"1h\""));
    scene.takes("a", 5 * HOUR + 30 * MINUTE, None);
    scene.until(9 * HOUR).await;
    let after = 5 * HOUR + 30 * MINUTE;
    let mut expected = whole(0, "a");
    for rescan in 0..4 {
        expected.extend(matches(after + rescan * HOUR, "a"));
    }
    assert_eq!(scene.starts(), expected);
    assert_eq!(scene.stop().await, Watched::default());
}

#[tokio::test(start_paused = true)]
async fn what_was_killed_or_stopped_goes_on_and_nothing_is_repeated() {
    for kill in [true, false] {
        let mut scene = Scene::new(&job("a", "every = \"24h\"\nmatches = \"never\""));
        scene.takes("a", 2 * HOUR, None);
        // In the middle of a run.
        scene.until(HOUR).await;
        if kill {
            scene.kill().await;
        } else {
            assert!(scene.stop().await.interrupted);
        }
        scene.until(3 * HOUR).await;
        scene.start();
        // Between two runs, over one slot.
        scene.until(7 * HOUR).await;
        scene.kill().await;
        scene.until(30 * HOUR).await;
        scene.start();
        // Between two runs, over nothing.
        scene.until(40 * HOUR).await;
        scene.kill().await;
        scene.start();
        scene.until(50 * HOUR).await;
        let mut expected = whole(0, "a");
        expected.push((3 * HOUR, "a resume scan-2".to_owned()));
        expected.extend(whole(30 * HOUR, "a"));
        expected.extend(whole(48 * HOUR, "a"));
        assert_eq!(scene.starts(), expected, "killed: {kill}");
        scene.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn many_missed_slots_are_one_run() {
    let mut scene = Scene::new(&job("a", "every = \"1h\"\nmatches = \"never\""));
    scene.until(90 * MINUTE).await;
    scene.kill().await;
    scene.until(20 * DAY + 10 * MINUTE).await;
    scene.start();
    scene.until(20 * DAY + 61 * MINUTE).await;
    let starts = [0, HOUR, 20 * DAY + 10 * MINUTE, 20 * DAY + HOUR];
    let expected: Vec<_> = starts.into_iter().flat_map(|start| whole(start, "a")).collect();
    assert_eq!(scene.starts(), expected);
    scene.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_neither_repeats_nor_starves() {
    let jobs = job("a", "every = \"24h\"\nmatches = \"never\"");
    let mut scene = Scene::new(&(jobs + &job("b", "cron = \"0 6 * * *\"\nmatches = \"never\"")));
    // Back by an hour after both have run: at 12:00, which becomes 11:00.
    scene.until(12 * HOUR).await;
    scene.set_clock(-(HOUR as i64));
    // Forwards by ten days, and back again a day later; each is noticed at the next look.
    scene.until(40 * HOUR + 10).await;
    scene.set_clock(10 * DAY as i64);
    scene.until(64 * HOUR + 10).await;
    scene.set_clock(-(10 * DAY as i64));
    scene.until(6 * DAY).await;
    let starts = |job: &str| -> Vec<u64> {
        let wanted = format!("{job} whole");
        scene.starts().into_iter().filter(|(_, what)| *what == wanted).map(|(at, _)| at).collect()
    };
    // The clock shows an hour less than has passed. What ran in the future counts as run when the clock came back.
    let (seen, back) = (40 * HOUR + 30, 64 * HOUR + 30);
    let a = [0, 25 * HOUR, seen, 49 * HOUR, back + DAY, back + 2 * DAY, back + 3 * DAY];
    assert_eq!(starts("a"), a);
    let b = [6 * HOUR, 31 * HOUR, seen, 55 * HOUR, 79 * HOUR, 103 * HOUR, 127 * HOUR];
    assert_eq!(starts("b"), b);
    scene.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_or_fails_comes_again_at_its_next_slot() {
    for end in [Ended::Refused, Ended::Failed, Ended::Incomplete] {
        let mut scene = Scene::new(&job("a", "every = \"2h\"\nmatches = \"never\""));
        scene.takes("a", 60, Some(end));
        scene.until(5 * HOUR).await;
        let expected: Vec<_> =
            [0, 2 * HOUR, 4 * HOUR].into_iter().flat_map(|start| whole(start, "a")).collect();
        assert_eq!(scene.starts(), expected);
        let rows = scene.world.memory.rows.lock().unwrap().clone();
        assert_eq!(rows["a"].end, Some(end));
        assert_eq!(rows["a"].ended.unwrap().since(rows["a"].started.unwrap()).as_secs(), 60);
        scene.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_runs_that_could_not_be_remembered() {
    let mut scene = Scene::new(&job("a", "every = \"24h\"\nmatches = \"never\""));
    scene.world.memory.failing.store(3, Ordering::Relaxed);
    scene.until(HOUR).await;
    assert_eq!(scene.starts(), whole(90, "a"));
    assert_eq!(*scene.world.runner.told.lock().unwrap(), ["a: no space left"; 3]);
    scene.stop().await;
}

#[tokio::test(start_paused = true)]
async fn once_is_one_whole_run_and_serves_the_slots_that_came() {
    let mut scene = Scene::new(&job("a", "every = \"24h\"\nmatches = \"never\""));
    scene.until(HOUR).await;
    scene.stop().await;
    scene.until(25 * HOUR).await;
    let run = |scene: &Scene| {
        once(scene.jobs[0].clone(), Arc::clone(&scene.world), CancellationToken::new())
    };
    let ran = run(&scene).await.unwrap();
    assert_eq!((ran.end, ran.scan.as_deref()), (Ended::Complete, Some("scan-4")));
    scene.start();
    scene.until(49 * HOUR).await;
    scene.stop().await;
    let expected: Vec<_> =
        [0, 25 * HOUR, 48 * HOUR].into_iter().flat_map(|start| whole(start, "a")).collect();
    assert_eq!(scene.starts(), expected);
}
