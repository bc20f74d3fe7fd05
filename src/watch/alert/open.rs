//! From `[[alert]]` tables to channels: secrets are read, trust is loaded, nothing is sent.

use std::path::Path;
use std::sync::Arc;

use super::{Channel, Chat, Command, File, Patience, Syslog, Webhook, secret};
use crate::domain::alert::{
    ChannelSettings, Endpoint, Route, SECRET_BYTES_MIN, SecretSource, UrlSource,
};
use crate::domain::indicator::Tlp;

/// Where settings are looked up.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The settings file's folder, which relative paths are meant from.
    pub folder: &'a Path,
    /// The value of an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
}

/// A channel that can deliver.
#[derive(Clone)]
pub struct Opened {
    /// Its name.
    pub name: String,
    /// The most closed level that it may carry.
    pub tlp: Tlp,
    /// The channel.
    pub channel: Arc<dyn Channel>,
}

/// Why a channel cannot be opened. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("alert '{channel}': {why}")]
pub struct OpenError {
    /// The channel.
    pub channel: String,
    /// Why, on one line.
    pub why: String,
}

/// Opens every channel.
///
/// # Errors
/// What is wrong with the first one that cannot be opened: a secret that is missing, too short or readable by others,
/// a chat's URL that is none, no certificate to trust.
pub fn open(
    channels: &[ChannelSettings],
    from: &Surroundings<'_>,
    patience: Patience,
) -> Result<Vec<Opened>, OpenError> {
    let opened = channels.iter().map(|settings| match one(&settings.route, from, patience) {
        Ok(channel) => Ok(Opened { name: settings.name.clone(), tlp: settings.tlp, channel }),
        Err(why) => Err(OpenError { channel: settings.name.clone(), why }),
    });
    opened.collect()
}

fn one(
    route: &Route,
    from: &Surroundings<'_>,
    patience: Patience,
) -> Result<Arc<dyn Channel>, String> {
    let file = |path: &Option<String>| path.as_ref().map(|path| from.folder.join(path));
    Ok(match route {
        Route::Webhook { endpoint, secret, ca_file } => {
            let secret = secret.as_ref().map(|source| signing(source, from)).transpose()?;
            let ca_file = file(ca_file);
            Arc::new(Webhook::new(endpoint.clone(), secret, ca_file.as_deref(), patience)?)
        }
        Route::Slack { url, ca_file } => {
            let ca_file = file(ca_file);
            Arc::new(Chat::new(chat_url(url, from)?, ca_file.as_deref(), patience)?)
        }
        Route::Syslog(address) => Arc::new(Syslog::new(address.clone(), patience)),
        Route::File(path) => Arc::new(File::new(from.folder.join(path))),
        Route::Command(words) => Arc::new(Command::new(words.clone(), patience)),
    })
}

fn signing(
    source: &SecretSource,
    from: &Surroundings<'_>,
) -> Result<crate::domain::alert::Secret, String> {
    let secret = secret::read(source, from)?;
    if secret.expose().len() < SECRET_BYTES_MIN {
        return Err(format!(
            "the secret has fewer than {SECRET_BYTES_MIN} bytes; make one with 'openssl rand -hex 32'"
        ));
    }
    Ok(secret)
}

fn chat_url(url: &UrlSource, from: &Surroundings<'_>) -> Result<Endpoint, String> {
    match url {
        UrlSource::Inline(endpoint) => Ok(endpoint.clone()),
        UrlSource::Kept(source) => {
            let url = secret::read(source, from)?;
            Endpoint::new(url.expose()).map_err(|wrong| format!("the URL {wrong}"))
        }
    }
}
