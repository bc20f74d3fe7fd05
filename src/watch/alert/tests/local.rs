//! Files and programs of this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{LONG, NOW, SHORT, channel, hostile};
use crate::domain::alert::{Delivery, record, tests::moved};

#[tokio::test]
async fn a_file_gets_a_line_each_and_may_be_rotated_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.jsonl");
    let file = channel(folder.path(), "file = \"alerts.jsonl\"", LONG).unwrap();
    for alert in [moved(), hostile()] {
        assert_eq!(file.deliver(&alert, NOW).await, Delivery::Delivered);
    }
    let expected = format!("{}\n{}\n", record(&moved()), record(&hostile()));
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::rename(&path, folder.path().join("old")).unwrap();
    assert_eq!(file.deliver(&moved(), NOW).await, Delivery::Delivered);
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", record(&moved())));
    assert_eq!(fs::read_to_string(folder.path().join("old")).unwrap(), expected);
}

#[tokio::test]
async fn a_line_that_was_cut_short_does_not_swallow_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, "{\"type\":\"trans").unwrap();
    let file = channel(folder.path(), "file = \"a\"", LONG).unwrap();
    assert_eq!(file.deliver(&moved(), NOW).await, Delivery::Delivered);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, format!("{{\"type\":\"trans\n{}\n", record(&moved())));
}

#[tokio::test]
async fn what_is_no_file_is_told_and_never_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for (path, why) in
        [("fifo", "is no regular file"), (".", "is no regular file"), ("x/y", "No such")]
    {
        let file = channel(folder.path(), &format!("file = \"{path}\""), LONG).unwrap();
        let delivery = file.deliver(&moved(), NOW).await;
        assert!(
            matches!(&delivery, Delivery::Retry { why: told, .. } if told.contains(why)),
            "{delivery:?}"
        );
    }
}

/// Writes a script, for a shell to read: what was just written cannot be started itself while another test's child still
/// holds it.
fn script(folder: &Path, text: &str) -> String {
    let path = folder.join("notify");
    fs::write(&path, format!("{text}\n")).unwrap();
    path.display().to_string()
}

#[tokio::test]
async fn a_program_gets_the_record_its_arguments_and_hardly_any_environment() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let text = format!("{{ cat; printf '%s|' \"$@\"; env; }} > {}", out.display());
    let table = format!(
        "command = [\"/bin/sh\", \"{}\", \"a b\", \"$HOME;`id`\"]",
        script(folder.path(), &text)
    );
    let command = channel(folder.path(), &table, LONG).unwrap();
    for alert in [moved(), hostile()] {
        assert_eq!(command.deliver(&alert, NOW).await, Delivery::Delivered);
        let told = fs::read_to_string(&out).unwrap();
        let rest = told.strip_prefix(&format!("{}\na b|$HOME;`id`|", record(&alert))).unwrap();
        // The shell of the script adds PWD and the like.
        let names: Vec<&str> =
            rest.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        let allowed = ["PATH", "LANG", "PWD", "SHLVL", "_", "OLDPWD"];
        assert!(
            names.contains(&"PATH") && names.iter().all(|name| allowed.contains(name)),
            "{names:?}"
        );
    }
}

#[tokio::test]
async fn a_program_that_fails_floods_or_does_not_read_is_judged_by_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    for (text, expected) in [
        ("exit 0", None),
        ("exec 0<&-; exit 0", None),
        ("cat > /dev/null; head -c 10000000 /dev/zero; head -c 10000000 /dev/zero >&2", None),
        ("exit 3", Some("ended with exit status: 3")),
        ("kill -9 $$", Some("ended with signal: 9 (SIGKILL)")),
    ] {
        let path = script(folder.path(), text);
        let command =
            channel(folder.path(), &format!("command = [\"/bin/sh\", \"{path}\"]"), LONG).unwrap();
        let expected = match expected {
            None => Delivery::Delivered,
            Some(why) => Delivery::retry(format!("/bin/sh {why}")),
        };
        assert_eq!(command.deliver(&moved(), NOW).await, expected, "{text}");
    }
    let missing = channel(folder.path(), "command = [\"/nonexistent\"]", LONG).unwrap();
    let delivery = missing.deliver(&moved(), NOW).await;
    let why = "/nonexistent cannot be started: No such file or directory (os error 2)";
    assert_eq!(delivery, Delivery::retry(why));
}

#[tokio::test]
async fn a_program_that_hangs_is_killed_with_what_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // The grandchild holds the writing end: it reads as ended only once all of them are dead.
    let text = format!("exec 3<>{}; sleep 3600 & sleep 3600", fifo.display());
    let path = script(folder.path(), &text);
    let reader = fs::OpenOptions::new().read(true).write(true).open(&fifo).unwrap();
    let command =
        channel(folder.path(), &format!("command = [\"/bin/sh\", \"{path}\"]"), SHORT).unwrap();
    let killed = Delivery::retry("/bin/sh was killed after 2s");
    assert_eq!(command.deliver(&moved(), NOW).await, killed);
    let only_reader = fs::File::open(&fifo);
    drop(reader);
    let mut end = Vec::new();
    std::io::Read::read_to_end(&mut only_reader.unwrap(), &mut end).unwrap();
    assert!(end.is_empty());
}
