//! A place that a test has for itself: mounts, processes and network, none of which outlive it.

use std::ffi::OsStr;
use std::fmt::Display;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The directory inside that is the test's own: empty, in memory, and open to every user.
pub(crate) const HOME: &str = "/mnt";

/// Seconds after which a command inside is killed.
const PATIENCE: &str = "120";

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The program, inside.
pub(crate) const CERTSWEEP: &str = "/mnt/certsweep";

/// What the first process inside does: it makes [`HOME`] and puts the program there, which may lie
/// where no other user may look, or below what is mounted over; it says which process it is, as others
/// outside call it; and it stays until the test's end of its standard input is closed. When it ends
/// the kernel kills all others inside.
const INIT: &str = "exec 3<\"$0\" && mount -t tmpfs -o mode=0755 tmpfs /mnt && : >/mnt/certsweep && \
    mount --no-canonicalize --bind /proc/self/fd/3 /mnt/certsweep && exec 3<&- && \
    read -r pid _ </proc/self/stat && echo \"$pid\" && read -r _";

/// Namespaces for mounts and processes, and for the network unless it is shared.
///
/// Dropping it kills what runs inside, and so does the end of the test's process, however it ends.
pub(crate) struct Sandbox {
    unshare: Child,
    init: String,
    own_network: bool,
    background: Mutex<Vec<Child>>,
}

impl Sandbox {
    /// With a network of its own that holds loopback, which is up, and nothing else.
    pub(crate) fn new() -> Self {
        let sandbox = Self::start(true);
        sandbox.ok("ip", ["link", "set", "lo", "up"]);
        sandbox
    }

    /// With the network that the test itself runs in.
    pub(crate) fn on_shared_network() -> Self {
        Self::start(false)
    }

    fn start(own_network: bool) -> Self {
        let mut unshare = Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child"])
            .args(own_network.then_some("--net"))
            .args(["bash", "-c", INIT, env!("CARGO_BIN_EXE_certsweep")])
            .env("PATH", PATH)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare (util-linux) starts");
        let mut init = String::new();
        BufReader::new(unshare.stdout.take().unwrap()).read_line(&mut init).unwrap();
        assert!(!init.is_empty(), "no namespaces; these tests need root");
        let init = init.trim().to_owned();
        Self { unshare, init, own_network, background: Mutex::default() }
    }

    /// Where the test finds `name`, a path below [`HOME`].
    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{HOME}/{name}", self.init))
    }

    /// Writes `text` to `name` below [`HOME`]; where it is inside.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.outside(name), text).unwrap();
        format!("{HOME}/{name}")
    }

    /// Runs a program inside, in [`HOME`], to its end or until it is killed for taking too long.
    pub(crate) fn run(
        &self,
        program: &str,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Output {
        let mut command = self.inside();
        command.args(["timeout", "--signal=KILL", PATIENCE, "env", "--chdir", HOME, program]);
        command.args(arguments).output().expect("nsenter (util-linux) starts")
    }

    /// Runs a program that must succeed; what it said.
    pub(crate) fn ok(
        &self,
        program: &str,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> String {
        let output = self.run(program, arguments);
        assert!(output.status.success(), "{program}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts a program inside that runs until the sandbox is dropped.
    pub(crate) fn start_in_background(&self, program: &str, arguments: &[&str]) {
        let mut command = self.inside();
        command.arg(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("nsenter (util-linux) starts");
        self.background.lock().unwrap().push(child);
    }

    fn inside(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.init, "--mount", "--pid"]);
        command.args(self.own_network.then_some("--net"));
        let settings = std::env::vars_os().filter(|(name, _)| {
            name.to_str().is_some_and(|name| name.starts_with("CERTSWEEP_") || name == "TMPDIR")
        });
        for (name, _) in settings {
            command.env_remove(name);
        }
        command.env("PATH", PATH).env("HOME", HOME).env("LC_ALL", "C").stdin(Stdio::null());
        command
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The first process inside dies with its parent, and all others inside die with it.
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
        for child in self.background.get_mut().into_iter().flatten() {
            let _ = child.wait();
        }
    }
}

/// Asks again and again until there is an answer.
pub(crate) fn until<T>(what: impl Display, mut answer: impl FnMut() -> Option<T>) -> T {
    const PATIENCE: Duration = Duration::from_secs(30);
    let started = Instant::now();
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}");
    }
}
