//! Running the program: in a folder of its own, without the surroundings' settings, for a bounded time.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tempfile::TempDir;

/// No run of the program may take longer.
const BOUND: Duration = Duration::from_secs(60);

const PROGRAM: &str = env!("CARGO_BIN_EXE_certsweep");

/// A folder for one test: the program's current directory, its home, and the place of its ledger.
pub(crate) struct Workspace {
    folder: TempDir,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The file `name` of the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the ledger is unless `--store` says otherwise.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.path("data/certsweep/ledger.db")
    }

    /// Writes the file `name`.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// What the file `name` holds.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The program with `line` as its arguments, separated by spaces.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = self.clean(PROGRAM);
        command.args(line.split_whitespace());
        command
    }

    /// The program with at most `descriptors` open files.
    pub(crate) fn command_with_descriptors(&self, descriptors: u32, line: &str) -> Command {
        let mut command = self.clean("bash");
        command.args(["-c", &format!("ulimit -n {descriptors}; exec \"$@\""), "bash", PROGRAM]);
        command.args(line.split_whitespace());
        command
    }

    fn clean(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CERTSWEEP_") {
                command.env_remove(name);
            }
        }
        command
            .env_remove("CLICOLOR_FORCE")
            .env("HOME", self.folder.path())
            .env("XDG_DATA_HOME", self.path("data"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, line: &str) -> Finished {
        self.start(line).finish()
    }

    /// Runs the program with `input` as its standard input.
    pub(crate) fn run_with_input(&self, line: &str, input: &str) -> Finished {
        let mut command = self.command(line);
        let mut running = Running::start(command.stdin(Stdio::piped()));
        running.child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        running.finish()
    }

    /// Starts the program.
    pub(crate) fn start(&self, line: &str) -> Running {
        Running::start(&mut self.command(line))
    }
}

/// The program while it runs. It is killed when this is dropped, or after [`BOUND`].
pub(crate) struct Running {
    child: Child,
    /// Collects standard output, unless somebody else reads it.
    stdout: Option<JoinHandle<String>>,
    stderr: BufReader<ChildStderr>,
    /// Lines of standard error that were read so far.
    said: String,
    _watch: Sender<()>,
}

impl Running {
    /// Starts `command` and collects what it prints.
    pub(crate) fn start(command: &mut Command) -> Self {
        let (mut running, mut stdout) = Self::piped(command);
        running.stdout = Some(thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).unwrap();
            text
        }));
        running
    }

    /// Starts `command`, whose standard output the caller reads or closes.
    pub(crate) fn piped(command: &mut Command) -> (Self, BufReader<ChildStdout>) {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let watch = kill_when_late(child.id());
        (Self { child, stdout: None, stderr, said: String::new(), _watch: watch }, stdout)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Reads standard error until `count` lines that start with `prefix` have been said.
    pub(crate) fn wait_for_lines(&mut self, prefix: &str, count: usize) {
        let mut seen = 0;
        while seen < count {
            let mut line = String::new();
            let length = self.stderr.read_line(&mut line).unwrap();
            assert_ne!(length, 0, "ended after {seen} lines '{prefix}':\n{}", self.said);
            seen += usize::from(line.starts_with(prefix));
            self.said.push_str(&line);
        }
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        signal(self.id(), "INT");
    }

    /// Sends SIGTERM, as service managers do.
    pub(crate) fn terminate(&self) {
        signal(self.id(), "TERM");
    }

    /// Sends SIGKILL, which leaves no time for anything, and waits for the end.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the end. The result holds what was said, all of it.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Finished {
        self.stderr.read_to_string(&mut self.said).unwrap();
        let stdout = self.stdout.take().map(|reader| reader.join().unwrap()).unwrap_or_default();
        let status = self.child.wait().unwrap();
        let stderr = std::mem::take(&mut self.said);
        let Some(code) = status.code() else { panic!("{status}, perhaps too slow:\n{stderr}") };
        Finished { code, stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Kills `process` after [`BOUND`] unless the sender is dropped before.
fn kill_when_late(process: u32) -> Sender<()> {
    let (ended, end) = mpsc::channel();
    thread::spawn(move || {
        if end.recv_timeout(BOUND) == Err(RecvTimeoutError::Timeout) {
            signal(process, "KILL");
        }
    });
    ended
}

fn signal(process: u32, name: &str) {
    let script = format!("kill -s {name} {process}");
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// The same, after making sure that the exit code is `code`.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stderr:\n{}\nstdout:\n{}", self.stderr, self.stdout);
        self
    }

    /// The one line that it said on standard error, with nothing on standard output.
    #[track_caller]
    pub(crate) fn complaint(&self) -> &str {
        assert_eq!(self.stdout, "", "something on standard output");
        let line = self.stderr.strip_suffix('\n').expect("a line");
        assert!(!line.contains('\n'), "more than one line:\n{line}");
        line.strip_prefix("certsweep: ").expect("the program's name first")
    }

    /// The id of the scan, from its opening line.
    #[track_caller]
    pub(crate) fn scan(&self) -> String {
        let line = self.stderr.lines().find_map(|line| line.strip_prefix("scan ")).expect("a scan");
        line.split(' ').next().unwrap().to_owned()
    }
}
