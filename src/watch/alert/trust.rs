//! Which servers alerts are handed to: those whose certificate the system, or the file that is named, vouches for.
//!
//! This is the one place in the program that trusts a root. Scans trust none.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Bytes of a file of certificates at most.
const BYTES_MAX: u64 = 4 << 20;

/// A verifying client that trusts what is in `ca_file`, or the system's certificates.
///
/// # Errors
/// There is nothing to trust.
pub(super) fn client(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let roots = match ca_file {
        Some(path) => roots_of(path).map_err(|why| format!("ca_file {} {why}", path.display()))?,
        None => systems_roots()?,
    };
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn roots_of(path: &Path) -> Result<RootCertStore, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut pem = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut pem).map_err(unreadable)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_| "is not PEM".to_owned())?;
        roots.add(certificate).map_err(|_| "holds what is no certificate".to_owned())?;
    }
    if roots.is_empty() {
        return Err("holds no certificate in PEM".to_owned());
    }
    Ok(roots)
}

fn systems_roots() -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(
            "this system has no trusted certificates (on Debian: package ca-certificates); \
                    name some with ca_file"
                .to_owned(),
        );
    }
    Ok(roots)
}
