//! A scope that is over.

use std::time::{SystemTime, UNIX_EPOCH};

use certsweep::domain::time::{Day, Timestamp};

use super::program::scan;
use super::sandbox::Sandbox;
use super::watch::{Seen, Watch, endpoints, lead_nowhere};

/// The day (UTC) that is so many days from today.
fn day(from_today: i64) -> Day {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Timestamp::from_seconds(now.cast_signed() + from_today * 86_400).day()
}

fn scope(valid_until: Day) -> String {
    format!(
        "name = \"ended\"\noperator = \"test\"\ncontact = \"test@example.org\"\n\
         authorised_by = \"test\"\nvalid_until = {valid_until}\ninclude = [\"192.0.2.0/28\"]\n\
         ports = [443]\nrate_per_prefix = 1000\n"
    )
}

#[test]
fn nothing_is_sent_for_a_scope_that_ended_yesterday() {
    let sandbox = Sandbox::new();
    lead_nowhere(&sandbox);
    let watch = Watch::start(&sandbox);

    let ended = day(-1);
    let file = sandbox.write("ended.toml", &scope(ended));
    let ran = scan(&sandbox, "/mnt/ended.db", &["--scope", &file, "--timeout", "0.3"]).exited(3);
    assert_eq!(ran.observations(), [0; 0]);
    let [line] = &ran.stderr[..] else { panic!("{:?}", ran.stderr) };
    assert!(line.contains("'ended' expired") && line.contains(&ended.to_string()), "{line}");
    assert_eq!(watch.seen(), Seen { contacted: endpoints([], &[]), others: 0 });

    // The same scope with some days left is swept, so it was the date that stopped the other.
    let file = sandbox.write("valid.toml", &scope(day(2)));
    scan(&sandbox, "/mnt/valid.db", &["--scope", &file, "--timeout", "0.3"]).exited(0);
    assert_eq!(watch.seen(), Seen { contacted: endpoints(0..16, &[443]), others: 0 });
}
