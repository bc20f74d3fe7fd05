//! How to add things, and where.
//!
//! **A command**: a variant of `Command` in `cli/args.rs` with its help, a file in `cli/` with a `run` that turns
//! arguments into values of `domain` and an [`Exit`](crate::cli::Exit), a line in `cli/mod.rs`, a test in
//! `tests/it/`. Completions and the manual page follow by themselves.
//!
//! **An output**: a file in `cli/sink/` that implements `Sink` (the opening record, each observation, flush), a
//! variant of `Format`, a line in `sink::open`. Foreign formats of what is in the ledger belong to a room
//! of their own, one file per format, as `import` has them.
//!
//! **A target list format**: a file in `import/` with a function from a line to its targets, a line in
//! the registry `FORMATS`, examples in its tests. It must say `Foreign` for every line that is not its own.
//!
//! **A format of collected certificates**: a file in `import/collected/` with a `Form` that claims its objects and reads
//! them, a variant of [`Format`](crate::import::collected::Format), a line in `FORMS`, a sample in `tests.rs`, a row in
//! [`collected`](super::collected). It must claim no object of another format, and refuse what it cannot read.
//!
//! **A lab behaviour**: a variant of `Behaviour` with a line on what a client sees, its place in the table of
//! `lab/layout.rs`, its `Expected`, its conversation in `lab/conversation.rs`. The test of the whole table
//! then holds the program to it.
//!
//! **A hostile server**: a `Script` in `lab/hostile/`, in the file of its subject: a name,
//! a sentence, steps, and the outcome by the RFCs for each client. It gets its place by itself; the tests play it, and
//! one prints the line that [`hostile`](super::hostile) must have.
//!
//! **A case of the bench**: a variant of `Case` in `cli/bench/case.rs` with a line on what it is, its work and its base,
//! its name in the list of `tests/it/bench.rs`, and a row in [`speed`](super::speed).
//!
//! **A TLS client**: an implementation of [`Client`](crate::domain::tls::Client) and
//! [`Offer`](crate::domain::tls::Offer). The engine drives it as it is. When a visit gets a second attempt, and what
//! both together saw, is in [`ladder`](crate::domain::ladder).
//!
//! **An outcome**: do not. The list is closed; a finer cause belongs in the detail.
//!
//! **A schema change**: a new script in `store/schema/`, appended to the list of migrations. Old scripts are never
//! edited once released.
//!
//! **A rule about when a probe may start**: [`Dispatch`](crate::domain::dispatch::Dispatch), with a test in
//! simulated time. The loop in `engine/run.rs` holds no rule.
//!
//! **A channel for alerts**: a variant of [`Route`](crate::domain::alert::Route) with its key in `domain/alert/file.rs`, a
//! file in `watch/alert/` that implements [`Channel`](crate::watch::alert::Channel), a line in `watch/alert/open.rs`, a test
//! against a receiver that fails, a row in [`alerts`](super::alerts).
