//! A secret is in what it signs or addresses, and nowhere else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use super::outbox::{Memory, Simulated};
use super::server::{Act, Server};
use super::{LONG, NOW, channel};
use crate::domain::alert::tests::moved;
use crate::domain::alert::{Delivery, Wanted, read_all};
use crate::watch::alert::{Clock, Surroundings, Worker, open};

const CANARY: &str = "canary-0123456789";

/// Writes a file with `text` and `mode`.
fn written(folder: &Path, name: &str, text: &str, mode: u32) {
    fs::write(folder.join(name), text).unwrap();
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).unwrap();
}

fn environment(name: &str) -> Option<String> {
    (name == "CANARY").then(|| CANARY.to_owned())
}

#[test]
fn secret_files_that_others_can_read_are_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let table = "webhook = \"http://127.0.0.1/\"\nsecret_file = \"key\"";
    for mode in [0o600, 0o400, 0o640, 0o440] {
        written(folder.path(), "key", CANARY, mode);
        assert!(channel(folder.path(), table, LONG).is_ok(), "{mode:o}");
    }
    for mode in [0o604, 0o644, 0o660, 0o602, 0o601, 0o620] {
        written(folder.path(), "key", CANARY, mode);
        let expected = format!(
            "alert 'a': the secret file {} has mode {mode:04o}, so that others can read it or the group can \
             change it; chmod it to 0600 or 0640",
            folder.path().join("key").display()
        );
        assert_eq!(channel(folder.path(), table, LONG).err(), Some(expected));
    }
}

#[test]
fn secrets_that_are_missing_or_weak_are_refused_without_being_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |table: &str| channel(folder.path(), table, LONG).err().unwrap();
    let webhook = |rest: &str| format!("webhook = \"http://127.0.0.1/\"\n{rest}");
    for (name, text) in [
        ("empty", "\n"),
        ("weak", "canary"),
        ("url", "ftp://chat.example/canary"),
        ("long", &"canary".repeat(1_000)),
    ] {
        written(folder.path(), name, text, 0o600);
    }
    fs::write(folder.path().join("binary"), [0xff; 32]).unwrap();
    fs::set_permissions(folder.path().join("binary"), fs::Permissions::from_mode(0o600)).unwrap();
    for (table, expected) in [
        (webhook("secret_file = \"none\""), "cannot be read: No such file"),
        (webhook("secret_file = \".\""), "is no regular file"),
        (webhook("secret_file = \"empty\""), "is empty"),
        (webhook("secret_file = \"weak\""), "fewer than 16 bytes"),
        (webhook("secret_file = \"long\""), "is longer than 4096 bytes"),
        (webhook("secret_file = \"binary\""), "is no UTF-8 text"),
        (webhook("secret_env = \"NONE\""), "variable NONE is not set"),
        (webhook("secret_env = \"EMPTY\""), "variable EMPTY is empty"),
        (webhook("secret_env = \"SHORT\""), "fewer than 16 bytes"),
        ("slack_file = \"url\"".to_owned(), "the URL does not begin with https://"),
        ("slack_env = \"KEY\"".to_owned(), "the URL does not begin with https://"),
    ] {
        let complaint = refused(&table);
        assert!(
            complaint.starts_with("alert 'a': ") && complaint.contains(expected),
            "{complaint}"
        );
        assert!(!complaint.contains("canary") && !complaint.contains('\n'), "{complaint}");
    }
}

/// Everything that is written or shown while canaries sign, address and fail.
#[tokio::test]
async fn canaries_are_sent_and_shown_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(
        vec![
            Act::answer("500 No"),
            Act::text(&format!("HTTP/1.1 302 {CANARY}\r\nLocation: /{CANARY}\r\n\r\n{CANARY}")),
            Act::text(&format!("HTTP/1.1 404 {CANARY}\r\n\r\n{CANARY}")),
            Act::text(&format!("{CANARY}\r\n")),
        ],
        None,
    )
    .await;
    let url = format!("http://{}/{CANARY}?t={CANARY}", server.address);
    written(folder.path(), "key", &format!("{CANARY}\n"), 0o600);
    written(folder.path(), "url", &url, 0o600);
    let text = format!(
        "[[alert]]\nname = \"w1\"\nwebhook = \"{url}\"\nsecret_file = \"key\"\n\
         [[alert]]\nname = \"w2\"\nwebhook = \"{url}\"\nsecret_env = \"CANARY\"\n\
         [[alert]]\nname = \"s1\"\nslack = \"{url}\"\n\
         [[alert]]\nname = \"s2\"\nslack_file = \"url\"\n\
         [[alert]]\nname = \"s3\"\nslack = \"http://127.0.0.1:1/{CANARY}\"\n\
         [[alert]]\nname = \"f\"\nfile = \"alerts.jsonl\"\n\
         [[alert]]\nname = \"c\"\ncommand = [\"/bin/sh\", \"-c\", \"cat > told; env >> told\"]\n"
    )
    .replace(
        "cat > told; env >> told",
        &format!("cd {0}; cat > told; env >> told", folder.path().display()),
    );
    let channels = read_all("certsweep.toml", &text).unwrap();
    let mut shown = format!("{channels:?}{channels:#?}");
    let from = Surroundings { folder: folder.path(), environment: &environment };
    let opened = open(&channels, &from, LONG).unwrap();
    let mut outbox = Memory::default();
    let clock = Simulated::at(NOW.micros() / 1_000_000);
    for channel in &opened {
        outbox.queue(&channel.name, moved(), clock.now());
    }
    let clock: Arc<dyn Clock> = clock;
    let mut worker = Worker::new(opened, |_| Wanted::Match);
    let round = worker.round(&mut outbox, &clock).await.unwrap();
    assert_eq!((round.delivered, round.failed.len(), outbox.counts()), (2, 5, [2, 1, 4]));
    shown.push_str(&format!("{round:?}{outbox:?}"));
    for name in ["alerts.jsonl", "told"] {
        shown.push_str(&fs::read_to_string(folder.path().join(name)).unwrap());
    }
    assert!(!shown.contains("canary"), "{shown}");
    // The key signs and stays; the URL is where the request goes, and stands in nothing else of it.
    for received in server.received() {
        let (first, rest) = received.head.split_once("\r\n").unwrap();
        assert_eq!(first, format!("POST /{CANARY}?t={CANARY} HTTP/1.1"));
        assert!(!rest.contains("canary") && !received.body.contains("canary"));
    }
    assert_eq!(server.received().len(), 4);
    let kept = channel(folder.path(), "slack_file = \"url\"", LONG).unwrap();
    assert!(matches!(kept.deliver(&moved(), NOW).await, Delivery::Retry { .. }));
}
