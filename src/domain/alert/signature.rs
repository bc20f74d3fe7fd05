//! The signature by which a receiver knows that an alert is ours, and when it was sent.

use data_encoding::HEXLOWER;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::Secret;

/// Bytes of a signing secret at least: shorter ones can be guessed from one signed message.
pub const SECRET_BYTES_MIN: usize = 16;

/// The value of `X-Certsweep-Signature`: `v1=` and the hex HMAC-SHA-256 (RFC 2104) of the decimal `timestamp`, a
/// dot, and `body`. The timestamp is signed so that nobody can send an old alert again as a new one.
pub fn sign(secret: &Secret, timestamp: i64, body: &[u8]) -> String {
    // HMAC takes keys of any length; there is no error to meet.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else {
        return "v1=".to_owned();
    };
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("v1={}", HEXLOWER.encode(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By Python: `hmac.new(b"0123456789abcdef", b'1795486704.{"a":1}', "sha256").hexdigest()`.
    #[test]
    fn the_signature_is_the_one_that_python_makes() {
        let secret = Secret::new("0123456789abcdef");
        let signature = sign(&secret, 1_795_486_704, b"{\"a\":1}");
        assert_eq!(
            signature,
            "v1=c9702f40ba44e7324b1fd31a3bd023ab4b0887c47e7b68e8a20610ee9fda4f0f"
        );
        assert_ne!(signature, sign(&secret, 1_795_486_705, b"{\"a\":1}"));
    }
}
