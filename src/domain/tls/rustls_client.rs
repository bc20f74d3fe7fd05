//! The client that completes handshakes: rustls, with a verifier that refuses nothing.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, DigitallySignedStruct, Error, InvalidMessage,
    ProtocolVersion, SignatureScheme,
};

use super::request::Inquiry;
use super::sniff::{Intake, Taken};
use super::{Client, End, Entropy, Limits, Moment, Offer, Request, Verdict, own, proof, told};
use crate::domain::observation::{Evidence, TlsFacts, Unproven};
use crate::domain::outcome::{Alert, Outcome};

/// The schemes that are offered, in the order of preference.
const SCHEMES: [SignatureScheme; 16] = [
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ED25519,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::ECDSA_NISTP521_SHA512,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA512,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::RSA_PKCS1_SHA1,
    SignatureScheme::ECDSA_SHA1_Legacy,
    SignatureScheme::ED448,
    // RSASSA-PSS keys with SHA-256, SHA-384 and SHA-512.
    SignatureScheme::Unknown(0x0809),
    SignatureScheme::Unknown(0x080a),
    SignatureScheme::Unknown(0x080b),
];

/// Offers TLS 1.2 and 1.3 through rustls and completes the handshake.
///
/// Key exchange is X25519, P-256 and P-384, signatures go down to SHA-1, no server name is sent unless one is given,
/// and no session is ever resumed: a resumed session would show yesterday's certificate.
#[derive(Clone)]
pub struct RustlsOffer {
    config: ClientConfig,
    limits: Limits,
    server_name: Option<super::ServerName>,
    request: Option<Request>,
}

impl RustlsOffer {
    /// An offer whose clients keep `limits`.
    ///
    /// # Errors
    /// rustls refuses the configuration; with the provider named here it does not.
    pub fn new(limits: Limits) -> Result<Self, Error> {
        let mut provider = aws_lc_rs::default_provider();
        provider.kx_groups = vec![
            aws_lc_rs::kx_group::X25519,
            aws_lc_rs::kx_group::SECP256R1,
            aws_lc_rs::kx_group::SECP384R1,
        ];
        // SHA-384 has no hardware support where SHA-256 has: let servers pick the cheaper suite.
        provider.cipher_suites.sort_by_key(|suite| match suite.suite() {
            CipherSuite::TLS13_AES_128_GCM_SHA256 => 0,
            _ => 1,
        });
        let recorder = Arc::new(Recorder::new(limits.chain_len_max));
        let mut config = ClientConfig::builder_with_details(Arc::new(provider), Arc::new(NoTime))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .dangerous()
            .with_custom_certificate_verifier(recorder)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Self { config, limits, server_name: None, request: None })
    }

    /// The same with a server name, or with none.
    #[must_use]
    pub fn with_server_name(self, server_name: Option<super::ServerName>) -> Self {
        Self { server_name, ..self }
    }

    /// The same with a request to send once the handshake is finished, or with none.
    #[must_use]
    pub fn with_request(self, request: Option<Request>) -> Self {
        Self { request, ..self }
    }
}

impl Offer for RustlsOffer {
    /// rustls draws its own random numbers.
    fn start(&self, now: Moment, _entropy: Entropy) -> Box<dyn Client> {
        Box::new(RustlsClient::new(self, now))
    }
}

/// The verifier asks the time and nothing is done with the answer.
#[derive(Debug)]
struct NoTime;

impl TimeProvider for NoTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(std::time::Duration::ZERO))
    }
}

/// What the verifier saw.
#[derive(Debug)]
struct Seen {
    certificates: Vec<Vec<u8>>,
    proof: Result<bool, Unproven>,
}

/// Accepts every certificate and every signature, and notes what they were worth.
#[derive(Debug)]
struct Recorder {
    chain_len_max: usize,
    seen: Mutex<Seen>,
}

impl Recorder {
    fn new(chain_len_max: usize) -> Self {
        let seen = Seen { certificates: Vec::new(), proof: Err(Unproven::NotReached) };
        Self { chain_len_max, seen: Mutex::new(seen) }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        // Nothing panics while it is held, and what was written before would still be true.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, message: &[u8], leaf: &CertificateDer<'_>, signed: &DigitallySignedStruct) {
        let scheme = proof::Scheme::Named(signed.scheme.into());
        self.seen().proof = proof::check(leaf, scheme, message, signed.signature()).proof();
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(leaf).chain(intermediates).take(self.chain_len_max);
        self.seen().certificates = chain.map(|certificate| certificate.to_vec()).collect();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check(message, leaf, signed);
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check(message, leaf, signed);
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        SCHEMES.to_vec()
    }
}

/// One rustls connection behind the [`Client`] trait.
pub struct RustlsClient {
    /// `None` only if rustls would not begin, in which case there is a verdict.
    connection: Option<ClientConnection>,
    recorder: Arc<Recorder>,
    deadline: Moment,
    intake: Intake,
    leaf: Option<Moment>,
    request: Option<Request>,
    /// Once the request was sent.
    inquiry: Option<Inquiry>,
    verdict: Option<Verdict>,
    concluded: bool,
}

impl RustlsClient {
    fn new(offer: &RustlsOffer, now: Moment) -> Self {
        let limits = offer.limits;
        let recorder = Arc::new(Recorder::new(limits.chain_len_max));
        let mut config = offer.config.clone();
        config.dangerous().set_certificate_verifier(Arc::<Recorder>::clone(&recorder));
        config.enable_sni = offer.server_name.is_some();
        // An address as server name sends no server name (RFC 6066, section 3).
        let nobody = ServerName::from(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let name = match &offer.server_name {
            Some(name) => ServerName::try_from(name.as_str().to_owned()).ok(),
            None => Some(nobody),
        };
        let connection = name.and_then(|name| ClientConnection::new(Arc::new(config), name).ok());
        let mut client = Self {
            recorder,
            deadline: now + limits.handshake,
            intake: Intake::new(limits.bytes_in_max),
            leaf: None,
            request: offer.request,
            inquiry: None,
            verdict: None,
            concluded: false,
            connection,
        };
        if client.connection.is_none() {
            client.conclude(Some(Outcome::Malformed));
        }
        client
    }

    fn read(&mut self, now: Moment, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.concluded {
            let Some(connection) = &mut self.connection else { return };
            // Reading from a slice fails only when rustls wants no more.
            let read = connection.read_tls(&mut bytes).unwrap_or(0);
            let processed = connection.process_new_packets().map(|_| ());
            let finished = !connection.is_handshaking();
            if self.leaf.is_none() && !self.recorder.seen().certificates.is_empty() {
                self.leaf = Some(now);
            }
            match processed {
                Err(error) => self.conclude(Some(self.failure(&error))),
                Ok(()) if finished && !self.goes_on(now) => self.conclude(None),
                Ok(()) if read == 0 => self.conclude(Some(Outcome::TooLarge)),
                Ok(()) => {}
            }
        }
    }

    /// Sends the request, if there is one, and takes the answer; whether there is more to wait for.
    fn goes_on(&mut self, now: Moment) -> bool {
        let (Some(connection), Some(request)) = (&mut self.connection, self.request) else {
            return false;
        };
        let Some(inquiry) = &mut self.inquiry else {
            let (inquiry, text) = Inquiry::begin(request, now, self.deadline);
            self.inquiry = Some(inquiry);
            return connection.writer().write_all(&text).is_ok();
        };
        let mut piece = [0; 2048];
        loop {
            match connection.reader().read(&mut piece) {
                Ok(0) => return false,
                Ok(length) if inquiry.take(piece.get(..length).unwrap_or_default()) => {
                    return false;
                }
                Ok(_) => {}
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
        }
    }

    /// What `error` says of the server.
    fn failure(&self, error: &Error) -> Outcome {
        match error {
            Error::AlertReceived(description) => {
                let description = u8::from(*description);
                // An encrypted alert does not show its level; one that ends a handshake is fatal.
                let in_the_clear =
                    self.intake.last_alert().filter(|last| last.description == description);
                Outcome::Alert(in_the_clear.unwrap_or(Alert { level: 2, description }))
            }
            Error::PeerSentOversizedRecord
            | Error::InvalidMessage(
                InvalidMessage::HandshakePayloadTooLarge | InvalidMessage::MessageTooLarge,
            ) => Outcome::TooLarge,
            _ => Outcome::Malformed,
        }
    }

    /// Sets the verdict: `failure` is how it ended, or `None` for a finished handshake.
    fn conclude(&mut self, failure: Option<Outcome>) {
        if std::mem::replace(&mut self.concluded, true) {
            return;
        }
        // Whatever ends the answer, the handshake was finished before.
        let failure = failure.filter(|_| self.inquiry.is_none());
        if let (Some(connection), None) = (&mut self.connection, failure) {
            connection.send_close_notify();
        }
        let mut seen = self.recorder.seen();
        let (certificates, proof) = (std::mem::take(&mut seen.certificates), seen.proof);
        drop(seen);
        let evidence = match certificates.is_empty() {
            true => Evidence::NONE,
            false => Evidence::of(proof, failure.is_none()),
        };
        let (outcome, ended) = told(failure, evidence.presented);
        self.verdict = Some(Verdict {
            outcome,
            ended,
            certificates,
            tls: self.connection.as_ref().and_then(facts),
            evidence,
            first_byte: self.intake.first_byte(),
            leaf: self.leaf,
            reply: self.inquiry.take().map(Inquiry::into_reply),
        });
    }
}

impl Client for RustlsClient {
    fn handle_bytes(&mut self, now: Moment, bytes: &[u8]) {
        if self.concluded {
            return;
        }
        match self.intake.take(now, bytes) {
            Taken::Nothing => {}
            Taken::Tls(bytes) => self.read(now, &bytes),
            Taken::Last(bytes) => {
                self.read(now, &bytes);
                self.conclude(Some(Outcome::TooLarge));
            }
            Taken::Over(outcome) => self.conclude(Some(outcome)),
        }
    }

    fn handle_end(&mut self, _now: Moment, end: End) {
        self.conclude(Some(self.intake.ended(end)));
    }

    fn poll_transmit(&mut self, out: &mut Vec<u8>) -> bool {
        let Some(connection) = &mut self.connection else { return false };
        // Writing to a vector cannot fail.
        connection.wants_write() && connection.write_tls(out).is_ok()
    }

    fn deadline(&self) -> Moment {
        self.inquiry.as_ref().map_or(self.deadline, Inquiry::deadline)
    }

    fn verdict(&mut self) -> Option<Verdict> {
        self.verdict.take()
    }
}

fn facts(connection: &ClientConnection) -> Option<TlsFacts> {
    let version = match connection.protocol_version()? {
        ProtocolVersion::TLSv1_2 => "1.2",
        ProtocolVersion::TLSv1_3 => "1.3",
        _ => return None,
    };
    let suite = connection.negotiated_cipher_suite()?.suite();
    Some(TlsFacts { version, cipher_suite: own::suite_name(suite.into()) })
}
