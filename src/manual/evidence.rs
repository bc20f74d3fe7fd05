//! What a sighting proves.
//!
//! * **presented**: the server showed the certificate. Anybody can show a public certificate.
//! * **key proven**: its signature over this handshake, with our fresh random in it, checks against the leaf's
//!   public key: TLS 1.3 CertificateVerify (RFC 8446, section 4.4.3) or the ServerKeyExchange of older versions (RFC
//!   8422, section 5.4; RFC 5246, 4346 and 2246, section 7.4.3). Where it is `null`, `unproven` says why.
//! * **handshake finished**: both Finished messages were exchanged.
//!
//! A proof is asked for where the leaf matches at tier A, B or C, and of all with `--handshake full`: a handshake is
//! completed then. Everybody else is left at the certificate, which is *presented* (`not_reached`): to check a signature
//! costs more than all the rest.
//!
//! With RSA key exchange there is no such signature: there the key is proven by finishing the handshake with a fresh
//! secret that only a holder of the key can decrypt (RFC 5246, section 7.4.7.1). That is done from TLS 1.0 on, with AES
//! and 3DES in CBC mode, RC4, AES in GCM and CCM mode, and without encryption. Before TLS 1.3 the signature covers the randoms and the server's share, so
//! that it proves the key and not each byte of the certificate around it; TLS 1.3 signs the whole transcript.
//!
//! | `unproven` | why nothing is known of the key |
//! | --- | --- |
//! | `not_reached` | the connection ended, or was ended at the certificate, before the server had proven anything |
//! | `no_signature` | RSA or static Diffie-Hellman key exchange, and the handshake was not finished |
//! | `cipher` | RSA key exchange with a cipher or version that cannot be finished: Camellia, ARIA, SEED, DES, SSL 3.0 |
//! | `not_finished` | RSA key exchange, and the server did not finish, as whoever holds the key could have |
//! | `key_unreadable` | no public key can be read from the leaf |
//! | `key_kind` | DSA, Ed448, GOST, curves that are rarely met |
//! | `key_size` | RSA of less than 512 or more than 16,384 bits, or with an exponent of more than 33 |
//! | `scheme` | a scheme that is not checked, or never made with this kind of key |
//! | `signature_unreadable` | what should be the signature has not the structure of one |
//!
//! ```
//! use certsweep::domain::observation::Unproven;
//! assert_eq!(Unproven::NotFinished.word(), "not_finished");
//! ```
//!
//! Our own client's key shares are the base points of their groups, so that no Diffie-Hellman is computed:
//! such a connection keeps nothing secret, by construction, and nothing secret is ever sent over it: at most the request
//! of `--confirm-softether`. The server's proof does not suffer: it signs our fresh random.
//!
//! A signature that does *not* check is recorded as `key_proven: false`, shown as `NOT proven`, and is no
//! reason to block an address: somebody copied a public certificate there. The handshake goes on all the
//! same, because nothing is refused.
//!
//! # What a proof does not show
//!
//! A relay can pass a proof on: whoever forwards the bytes of a connection to the certificate's owner shows the owner's
//! leaf and the owner's proof, fresh random and all, and a finished handshake. A proof shows that a holder of the key took
//! part in this handshake, not that it sits at this address. The lab has such a relay, and a sweep finds
//! the key proven at both addresses. A finding that must name the host needs more than this program can see.
//!
//! What cannot be passed on is an old proof. A signature counts only over this connection's fresh random, so that
//! whoever replays a certificate, a recorded flight or a signature is *presented* or *NOT proven*: the lab has
//! such servers for TLS 1.3, TLS 1.2 with ECDHE and with RSA key exchange, TLS 1.1, TLS 1.0 and SSL 3.0.
//!
//! Evidence holds only for the leaf shown in that same connection.
//!
//! The public key is found by certsweep's own walk of the DER, so that certificates which a strict parser
//! refuses (broken dates or names, serial zero, trailing bytes) can still prove their key. Checked are RSA keys of 512 to 16,384
//! bits (PKCS#1 v1.5 with MD5, SHA-1 and SHA-2; PSS with SHA-2 and any salt), ECDSA keys on P-256, P-384 and P-521
//! (with the same hashes as PKCS#1), and Ed25519. Where key or scheme are outside of that (DSA, Ed448, GOST, other
//! curves, RSA exponents of more than 33 bits), or the signature has not the structure of one, the evidence is
//! `null`: only what was checked and failed is called *not proven*.
//!
//! `docs/reach.md` has a table of real servers with the evidence that each `--handshake` gets from them. A test
//! keeps it.
