//! Watching: jobs in the settings file, and when they run.
//!
//! # Jobs
//!
//! ```
//! use certsweep::domain::{document::Document, job};
//!
//! let text = r#"
//! [[job]]
//! name    = "nightly"
//! scope   = "acme.toml"
//! ports   = ["softether", 8443]
//! cron    = "30 2 * * *"
//! jitter  = "10m"
//! matches = "1h"
//! "#;
//! let document = Document { file: "certsweep.toml", text };
//! let jobs = job::read(&mut document.table(&["job"]).unwrap(), &[]).unwrap();
//! assert_eq!(jobs[0].rhythm.schedule.to_string(), "30 2 * * * (UTC), at most 10m later");
//! ```
//!
//! | key | meaning | default |
//! | --- | --- | --- |
//! | `name` | up to 64 letters, digits, `-`, `_` and `.` | needed |
//! | `scope` | the scope file, read anew at each run | needed |
//! | `ports`, `targets`, `indicators` | as `--ports`, `--targets`, `--indicators`; sets come besides those of the file | the scope's, all, none |
//! | `every` | the distance of whole runs, from `1m` to `366d` | `24h` |
//! | `cron` | instead: minute, hour, day of month, month, day of week, or `@daily` and the like; **in UTC** | |
//! | `jitter` | a run begins so much later at most, the same for one slot however often it is computed | `0s` |
//! | `matches` | how often known matches are visited between whole runs, or `never` | `1h` |
//! | `rate`, `rate_per_prefix`, `concurrency`, `timeout`, `handshake`, `vantage` | as in the rest of the file | the file's |
//! | `alert` | names of `[[alert]]` tables | all |
//! | `alert_on` | whose changes are told: `match` (tiers A and B), `any` (A to E), `all` | `match` |
//!
//! Paths are relative to the settings file. Of the environment only `CERTSWEEP_STORE` and `CERTSWEEP_CONFIG` count, and a
//! job's own keys come before the file's. The jobs themselves are read at the start: restart the watch to change them.
//!
//! # Runs
//!
//! A whole run first visits known matches, which is where a leaf matched at tier A or B before, whenever that was, as
//! far as the scope and the job's list still name it. That is a scan of its own. Then comes the whole range. Between
//! whole runs known matches are visited every `matches`, counted from their last visit; while a whole run goes on they are
//! not, and that is caught up once.
//!
//! Jobs run beside each other, and each keeps its own rates: where two jobs share a prefix, both rates add up. Never two
//! runs of one job go on at a time; a second process that wants the same job of the same ledger is refused.
//!
//! A run whose scope or other file cannot be used is refused with one line, and the job goes on at its next slot.
//!
//! # Slots
//!
//! A slot is when a whole run should begin. With `every` the first one is when the job was first seen, and the others follow
//! at that distance, however long runs take. What decides is the last slot that was served, which is in the ledger's
//! table `job`:
//!
//! * The first slot after it is due, with its jitter. The run then serves all slots that have come: however many were
//!   missed while nothing ran, or while a run took longer than their distance, one run makes up for them.
//! * A slot that was served in the future, because the clock was set back since, counts as served now, so that no job waits
//!   for a day that was only a mistake. A cron slot that is the very next one stays served: it does not come twice.
//! * A clock that is set forwards is a missed slot. It is noticed within 30 seconds.
//! * What was interrupted or killed goes on at the next start, before all else, as with `--resume`; if its plan or what it
//!   asks has changed, it begins anew.
//!
//! What cannot be written down is not begun: it is tried again every 30 seconds.
