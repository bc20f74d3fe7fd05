//! Webhooks: the record for machines, a line of text for chats.

use std::path::Path;

use serde_json::json;

use super::post::Poster;
use super::{Channel, Delivering, Patience, trust};
use crate::domain::alert::{self, Alert, Endpoint, Secret};
use crate::domain::time::Timestamp;

/// POSTs the record, signed where there is a secret.
pub struct Webhook {
    poster: Poster,
    secret: Option<Secret>,
}

/// POSTs `{"text": ...}`, as Slack and Mattermost take it.
pub struct Chat {
    poster: Poster,
}

fn poster(
    endpoint: Endpoint,
    ca_file: Option<&Path>,
    patience: Patience,
) -> Result<Poster, String> {
    let tls = endpoint.is_https.then(|| trust::client(ca_file)).transpose()?;
    Ok(Poster { endpoint, tls, patience })
}

/// The header by which a receiver knows what it has already.
fn idempotency_key(alert: &Alert) -> (&'static str, String) {
    ("idempotency-key", alert.key.to_string())
}

impl Webhook {
    /// A webhook at `endpoint` that trusts `ca_file`, or the system.
    ///
    /// # Errors
    /// There is nothing to trust.
    pub fn new(
        endpoint: Endpoint,
        secret: Option<Secret>,
        ca_file: Option<&Path>,
        patience: Patience,
    ) -> Result<Self, String> {
        Ok(Self { poster: poster(endpoint, ca_file, patience)?, secret })
    }
}

impl Channel for Webhook {
    fn deliver<'a>(&'a self, alert: &'a Alert, now: Timestamp) -> Delivering<'a> {
        let body = alert::record(alert).to_string();
        let timestamp = now.micros().div_euclid(1_000_000);
        let mut fields =
            vec![idempotency_key(alert), ("x-certsweep-timestamp", timestamp.to_string())];
        if let Some(secret) = &self.secret {
            let signature = alert::sign(secret, timestamp, body.as_bytes());
            fields.push(("x-certsweep-signature", signature));
        }
        Box::pin(async move { self.poster.post(&fields, body).await })
    }
}

impl Chat {
    /// A chat at `endpoint` that trusts `ca_file`, or the system.
    ///
    /// # Errors
    /// There is nothing to trust.
    pub fn new(
        endpoint: Endpoint,
        ca_file: Option<&Path>,
        patience: Patience,
    ) -> Result<Self, String> {
        Ok(Self { poster: poster(endpoint, ca_file, patience)? })
    }
}

impl Channel for Chat {
    fn deliver<'a>(&'a self, alert: &'a Alert, _: Timestamp) -> Delivering<'a> {
        let body = json!({ "text": alert::chat(alert) }).to_string();
        Box::pin(async move { self.poster.post(&[idempotency_key(alert)], body).await })
    }
}
