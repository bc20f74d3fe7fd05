//! Channels against receivers that fail in every way, and the worker in simulated time.

mod local;
mod outbox;
mod secrets;
mod server;
mod syslog;
mod tls;
mod webhook;
mod worker;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Channel, Patience, Surroundings, open};
use crate::domain::alert::{Alert, Delivery, read_all, tests::moved};
use crate::domain::time::Timestamp;

/// Long enough for any machine, for what does not wait.
const LONG: Patience =
    Patience { connect: Duration::from_secs(60), whole: Duration::from_secs(60) };

/// For what waits until it is over.
const SHORT: Patience = Patience { connect: Duration::from_secs(2), whole: Duration::from_secs(2) };

const NOW: Timestamp = Timestamp::from_seconds(1_795_486_800);

/// The channel that one `[[alert]]` table opens, with files in `folder`.
fn channel(folder: &Path, table: &str, patience: Patience) -> Result<Arc<dyn Channel>, String> {
    let text = format!("[[alert]]\nname = \"a\"\n{table}\n");
    let channels = read_all("certsweep.toml", &text).map_err(|error| error.to_string())?;
    let environment = |name: &str| match name {
        "KEY" => Some("0123456789abcdef\n".to_owned()),
        "SHORT" => Some("too short".to_owned()),
        "EMPTY" => Some(" ".to_owned()),
        _ => None,
    };
    let from = Surroundings { folder, environment: &environment };
    let opened = open(&channels, &from, patience).map_err(|error| error.to_string())?;
    Ok(Arc::clone(&opened[0].channel))
}

/// How one delivery of [`moved`] over it ends.
async fn delivered(table: &str, patience: Patience) -> Delivery {
    let folder = tempfile::tempdir().unwrap();
    let channel = channel(folder.path(), table, patience).unwrap();
    channel.deliver(&moved(), NOW).await
}

/// A server may hold names with anything in them.
fn hostile() -> Alert {
    let name = format!("\"]\\\n\r\t\u{0}\u{1b}[2J\u{202e}{}", "\u{e9}".repeat(32 << 10));
    let mut alert = moved();
    alert.server_name = Some(name.clone());
    alert.vantage.clone_from(&name);
    alert.job = Some(name.clone());
    alert.leaf.common_name = Some(name.clone());
    alert.leaf.subject = Some(name.clone());
    alert.leaf.issuer = Some(name.clone());
    alert.matches[0].label = Some(name.clone());
    alert.matches[0].set = name.into();
    alert
}
