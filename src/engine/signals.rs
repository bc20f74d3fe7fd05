//! Ctrl-C and SIGTERM: the first one drains, the second one leaves at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels `stop` at the first SIGINT or SIGTERM, and calls `leave` at the second.
///
/// # Errors
/// The handlers cannot be installed.
pub fn watch(
    stop: CancellationToken,
    leave: impl FnOnce() + Send + 'static,
) -> std::io::Result<()> {
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        either(&mut interrupt, &mut terminate).await;
        stop.cancel();
        either(&mut interrupt, &mut terminate).await;
        leave();
    });
    Ok(())
}

async fn either(a: &mut Signal, b: &mut Signal) {
    tokio::select! {
        _ = a.recv() => {}
        _ = b.recv() => {}
    }
}
