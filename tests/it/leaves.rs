//! Leaves that no well-behaved server shows: all are hashed, and described as far as they can be.

use std::io::Read as _;
use std::net::TcpListener;
use std::sync::Arc;

use certsweep::domain::cert::{Description, Leaf, SoftetherTemplate, SoftetherVariant};
use certsweep::domain::fingerprint::Sha256Fingerprint;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::certificate::*;
use crate::support::{Workspace, parse};

/// Describes SoftEther's certificate after `change`; its fingerprint is taken whatever it is.
fn described(change: impl FnOnce(&mut Fields)) -> Description {
    let mut fields = Fields::softether();
    change(&mut fields);
    let leaf = Leaf::new(fields.der());
    assert_eq!(leaf.spki_sha256, Some(Sha256Fingerprint::of(&fields.spki)));
    leaf.description
}

fn subject(name: &[u8]) -> String {
    let description = described(|fields| fields.subject = name.to_vec());
    assert_eq!(description.parse_error, None);
    description.subject.unwrap()
}

fn key(spki: Vec<u8>) -> String {
    let description = described(|fields| fields.spki = spki);
    assert_eq!(description.parse_error, None);
    description.key.unwrap()
}

fn names(extensions: Vec<Vec<u8>>) -> (Vec<String>, Option<String>) {
    let description = described(|fields| fields.extensions = Some(extensions));
    (description.names, description.parse_error)
}

#[test]
fn serial_numbers_are_told_as_written() {
    for serial in [vec![0], vec![0xff], vec![0x80, 0], vec![0, 0, 1], vec![], vec![0xab; 60]] {
        let description = described(|fields| fields.serial = serial.clone());
        assert_eq!(description.serial, Some(data_encoding::HEXLOWER.encode(&serial)));
        assert_eq!(description.parse_error, None);
    }
}

#[test]
fn rsa_keys_have_their_size() {
    for bits in [512, 1024, 2048, 8192, 16_384] {
        assert_eq!(key(rsa(bits)), format!("RSA-{bits}"));
    }
}

#[test]
fn other_keys_have_their_usual_names() {
    const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    let curve = |identifier: &[u8]| key(spki(EC, &element(6, identifier), &[4, 1, 2]));
    assert_eq!(curve(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]), "P-256");
    assert_eq!(curve(&[0x2b, 0x81, 4, 0, 33]), "P-224");
    assert_eq!(curve(&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 7]), "brainpoolP256r1");
    assert_eq!(curve(&[0x2b, 0x81, 4, 0, 99]), "EC 1.3.132.0.99");
    let prime = element(2, &[&[0][..], &[0xff; 32]].concat());
    let field = sequence(&[&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 1, 1], &prime]);
    assert_eq!(key(spki(EC, &sequence(&[&[2, 1, 1], &field]), &[4])), "EC explicit 256 bits");
    assert_eq!(key(spki(EC, &[], &[4])), "EC");
    let dsa = sequence(&[&element(2, &[0x80; 128]), &[2, 1, 3], &[2, 1, 5]]);
    assert_eq!(key(spki(&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1], &dsa, &[2, 1, 7])), "DSA-1024");
    let gost = [0x2a, 0x85, 3, 7, 1, 1, 1, 1];
    assert_eq!(key(spki(&gost, &[0x30, 0], &[4, 1, 2])), "GOST R 34.10-2012-256");
    assert_eq!(key(spki(&[0x2b, 0x65, 112], &[], &[7; 32])), "Ed25519");
    assert_eq!(key(spki(&[0x2a, 3, 4], &[], &[7])), "1.2.3.4");
    assert_eq!(key(spki(&[0x2a, 0x83], &[], &[7])), "#2a83");
}

#[test]
fn signature_algorithms_have_their_usual_names() {
    for (identifier, name) in [
        (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4][..], "md5WithRSAEncryption"),
        (&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3], "dsa-with-SHA1"),
        (&[0x2a, 0x85, 3, 7, 1, 1, 3, 2], "GOST R 34.10-2012-256"),
        (&[0x2a, 3, 4], "1.2.3.4"),
    ] {
        let algorithm = element(0x30, &element(6, identifier));
        let description = described(|fields| fields.algorithm = algorithm);
        assert_eq!(description.signature_algorithm.as_deref(), Some(name));
        assert_eq!(description.parse_error, None);
    }
}

#[test]
fn names_lose_nothing_whatever_is_in_them() {
    assert_eq!(subject(&common_name(b"ab\xff")), "CN=ab\\ff");
    assert_eq!(
        subject(&common_name("a\u{202e}b\u{1b}[31m\0".as_bytes())),
        "CN=a\u{202e}b\u{1b}[31m\0"
    );
    assert_eq!(subject(&common_name(b" a, O=b+c\\ff ")), "CN=\\ a\\, O=b\\+c\\\\ff\\ ");
    assert_eq!(subject(&common_name(b"#05")), "CN=\\#05");
    let cn = |tag, value: &[u8]| subject(&element(0x30, &rdn(3, tag, value)));
    assert_eq!(cn(0x1e, b"\x67\x71\x4e\xac\xd8\x3d\xde\x00"), "CN=\u{6771}\u{4eac}\u{1f600}");
    assert_eq!(cn(0x1e, b"\0a\xd8\x00\0b\0"), "CN=a\\d8\\00b\\00");
    assert_eq!(cn(0x14, b"Stra\xdfe"), "CN=Stra\u{df}e");
    assert_eq!(cn(0x1c, b"\0\0\0a\0\x01\xf6\0\0\x11\0\0"), "CN=a\u{1f600}\\00\\11\\00\\00");
    assert_eq!(cn(2, &[5]), "CN=#020105");
    assert_eq!(subject(&[0x30, 0]), "");
    let pair = |kind, value: &[u8]| sequence(&[&[6, 3, 0x55, 4, kind], &element(12, value)]);
    let joined = element(0x31, &[pair(3, b"a"), pair(99, b"b")].concat());
    assert_eq!(
        subject(&element(0x30, &[joined, rdn(3, 12, b"c")].concat())),
        "CN=a + 2.5.4.99=b, CN=c"
    );
}

#[test]
fn a_broken_name_is_told_up_to_the_break() {
    let broken = element(0x30, &[rdn(3, 12, b"a"), vec![0x31, 9, 1]].concat());
    let description = described(|fields| fields.subject = broken);
    assert_eq!(description.subject.as_deref(), Some("CN=a"));
    assert_eq!(description.common_name.as_deref(), Some("a"));
    assert_eq!(description.parse_error.as_deref(), Some("subject: an attribute is unreadable"));
    assert_eq!((description.is_subject_partial, description.is_issuer_partial), (true, false));
    let description = described(|fields| fields.issuer = vec![0x30, 2, 5, 0]);
    assert_eq!(description.issuer.as_deref(), Some("#30020500"));
    assert_eq!(description.self_signed, Some(false));
}

#[test]
fn alternative_names_lose_nothing_whatever_is_in_them() {
    const DNS: u8 = 0x82;
    let strange =
        alternative_names(&[(DNS, b"a\0b\xff"), (DNS, "\u{202e}".as_bytes()), (0x81, b"m@x")]);
    let again =
        alternative_names(&[(0x87, &[192, 0, 2, 1]), (DNS, b"a.example"), (DNS, b"a.example")]);
    let (found, error) = names(vec![strange.clone(), strange, again]);
    let twice = ["a\0b\\ff", "\u{202e}", "a\0b\\ff", "\u{202e}"];
    assert_eq!(found, [&twice[..], &["192.0.2.1", "a.example", "a.example"]].concat());
    assert_eq!(error, None);
    for (extensions, found_first, why) in [
        (
            alternative_names(&[(0x87, &[1, 2, 3]), (DNS, b"a")]),
            1,
            "names: an address has neither 4 nor 16 octets",
        ),
        (
            extension(0x11, &[0x30, 5, DNS, 1, b'a', DNS, 9]),
            1,
            "names: one is unreadable, and all after it",
        ),
        (extension(0x11, b"?"), 0, "names: no list"),
        (vec![0x30, 2, 5, 0], 0, "extensions: unreadable"),
    ] {
        let (found, error) = names(vec![extensions]);
        assert_eq!((found.len(), error.as_deref()), (found_first, Some(why)));
    }
}

#[test]
fn a_certificate_of_64_kib_is_described_whole() {
    let many: Vec<String> = (0..3_000).map(|number| format!("host-{number:04}.example")).collect();
    let listed: Vec<(u8, &[u8])> = many.iter().map(|name| (0x82, name.as_bytes())).collect();
    let (found, error) = names(vec![alternative_names(&listed)]);
    assert_eq!((found, error), (many, None));
}

#[test]
fn times_that_no_calendar_has_are_missing_and_the_rest_is_there() {
    for (text, expected) in [
        ("99991231235959Z", Some("9999-12-31T23:59:59.000Z")),
        ("00000101000000Z", Some("0000-01-01T00:00:00.000Z")),
        ("20261124021824.25Z", Some("2026-11-24T02:18:24.250Z")),
        ("261324021824Z", None),
        ("", None),
    ] {
        let description = described(|fields| fields.validity = validity("260101000000Z", text));
        assert_eq!(description.not_after.map(|it| it.to_string()).as_deref(), expected, "{text}");
        assert!(description.not_before.is_some());
        let error = expected.is_none().then_some("not_after: no such time");
        assert_eq!(description.parse_error.as_deref(), error);
    }
}

#[test]
fn what_has_the_wrong_kind_is_passed_over() {
    let description = described(|fields| fields.validity = vec![5, 0]);
    assert_eq!(description.parse_error.as_deref(), Some("validity: tag 0x05 in place of 0x30"));
    assert_eq!(description.key.as_deref(), Some("RSA-2048"));
    let description = described(|fields| fields.issuer = vec![4, 1, 7]);
    assert_eq!((description.issuer, description.self_signed), (None, None));
    assert_eq!(description.common_name.as_deref(), Some("host"));
    let mut fields = Fields::softether();
    fields.spki = vec![0x30, 0];
    let leaf = Leaf::new(fields.der());
    assert_eq!((leaf.spki_sha256, leaf.description.key), (None, None));
    assert_eq!(leaf.description.parse_error.as_deref(), Some("key: unreadable"));
    assert_eq!(leaf.description.common_name.as_deref(), Some("host"));
}

/// The same certificate in BER, where lengths may be left open.
#[test]
fn indefinite_lengths_are_read() {
    let fields = Fields::softether();
    let signed = fields.signed();
    let signed = [&[0x30, 0x80], &signed[4..], &[0, 0]].concat();
    let der =
        [&[0x30, 0x80], &signed[..], &fields.algorithm, &[3, 3, 0, 0xaa, 0xbb], &[0, 0]].concat();
    assert_eq!(Description::read(&der), Description::read(&fields.der()));
}

#[test]
fn every_truncation_and_every_changed_byte_is_survived() {
    let mut strange = Fields::softether();
    strange.spki = spki(&[0x2b, 0x65, 112], &[], &[7; 32]);
    strange.extensions =
        Some(vec![alternative_names(&[(0x82, b"a.example"), (0x87, &[1, 2, 3, 4])])]);
    strange.subject = element(0x30, &[rdn(3, 0x1e, b"\0a"), rdn(9, 0x14, b"b")].concat());
    let old = Fields { version: None, extensions: None, spki: rsa(512), ..Fields::softether() };
    for der in [strange.der(), old.der()] {
        for length in 0..der.len() {
            assert!(Description::read(&der[..length]).parse_error.is_some(), "{length}");
        }
        for at in 0..der.len() {
            for value in
                [0, 1, 0x1f, 0x30, 0x7f, 0x80, 0x81, 0x84, 0xff, der[at] ^ 1, der[at] ^ 0x20]
            {
                let mut changed = der.clone();
                changed[at] = value;
                let leaf = Leaf::new(changed.clone());
                assert_eq!(leaf.sha256, Sha256Fingerprint::of(&changed));
                let described = leaf.description;
                assert!(described.parse_error.is_some() || described.subject.is_some());
            }
        }
    }
}

/// The parts of SoftEther's template that `change` breaks.
fn broken(change: impl FnOnce(&mut Fields)) -> Vec<&'static str> {
    let mut fields = Fields::softether();
    change(&mut fields);
    let template = SoftetherTemplate::read(&fields.der());
    let broken: Vec<_> = template.parts().filter(|(_, held)| !held).map(|(part, _)| part).collect();
    assert_eq!(template.is_default(), broken.is_empty() && template.variant.is_some());
    broken
}

#[test]
fn softether_writes_version_3_and_wrote_version_1() {
    let template = SoftetherTemplate::read(&Fields::softether().der());
    assert!(template.is_default());
    assert_eq!(template.variant, Some(SoftetherVariant::V3));
    let old = |start, end| {
        let validity = validity(start, end);
        let fields = Fields { version: None, extensions: None, validity, ..Fields::softether() };
        SoftetherTemplate::read(&fields.der())
    };
    let template = old("140115093000Z", "371231093000Z");
    assert!(template.is_default());
    assert_eq!(template.variant, Some(SoftetherVariant::V1));
    // 3,650 days, where 2038 is nearer than that.
    assert!(old("290601120000Z", "390530120000Z").is_default());
    assert!(!old("290601120000Z", "371231120000Z").is_default());
}

/// Whole days from the start up to a midnight: of 2038-01-01, and from 2030 on of 2049-12-30.
#[test]
fn softether_counts_whole_days() {
    for (start, end, held) in [
        ("291231235959Z", "371231235959Z", true),
        ("300101000001Z", "491229000001Z", true),
        ("300101000000Z", "491230000000Z", true),
        ("320505101010Z", "491229101010Z", true),
        ("320505101010Z", "371231101010Z", false),
        ("320505101010Z", "491230101010Z", false),
        ("261124000000Z", "380101000000Z", true),
        ("261124000000Z", "371231000000Z", true),
        ("261124021824Z", "380101021824Z", false),
        ("261124021824Z", "371230021824Z", false),
        ("261124021824Z", "371231021825Z", false),
        ("261324021824Z", "371231021824Z", false),
    ] {
        let expected: &[&str] = if held { &[] } else { &["validity"] };
        assert_eq!(
            broken(|fields| fields.validity = validity(start, end)),
            expected,
            "{start} {end}"
        );
    }
}

#[test]
fn every_part_of_the_template_is_told_alone() {
    let renamed = |hosts, country| {
        broken(|fields| {
            fields.subject = softether_name(hosts, country);
            fields.issuer = fields.subject.clone();
        })
    };
    assert_eq!(broken(|_| {}), [""; 0]);
    for serial in [vec![1], vec![0, 0], vec![]] {
        assert_eq!(broken(|fields| fields.serial = serial), ["serial_zero"]);
    }
    assert_eq!(
        broken(|fields| fields.issuer = softether_name(["other"; 3], "US")),
        ["self_signed"]
    );
    assert_eq!(renamed(["a", "a", "b"], "US"), ["names_alike"]);
    assert_eq!(renamed(["a", "b", "a"], "US"), ["names_alike"]);
    assert_eq!(renamed(["a"; 3], "JP"), ["names_alike"]);
    assert_eq!(renamed(["a"; 3], "US"), [""; 0]);
    for bits in [1024, 4096] {
        assert_eq!(broken(|fields| fields.spki = rsa(bits)), ["key_rsa_2048"]);
    }
    let second = broken(|fields| fields.version = Some(1));
    assert_eq!(second, [""; 0]); // it has all parts, but its version belongs to neither variant
}

#[test]
fn the_templates_extensions_are_exact() {
    let with = |change: fn(&mut Vec<Vec<u8>>)| {
        broken(|fields| change(fields.extensions.as_mut().unwrap()))
    };
    let changes: [fn(&mut Vec<Vec<u8>>); 7] = [
        |all| all.swap(0, 1),
        |all| all.truncate(2),
        |all| all.push(extension(0x0e, &[4, 1, 7])),
        |all| all[1] = extension(0x0f, &[3, 2, 1, 0xb6]),
        |all| all[0] = extension(0x13, &[0x30, 3, 1, 1, 0xff]),
        |all| *all[2].last_mut().unwrap() = 8,
        |all| all.clear(),
    ];
    for change in changes {
        assert_eq!(with(change), ["extensions"]);
    }
    assert_eq!(broken(|fields| fields.extensions = None), ["extensions"]);
    assert_eq!(broken(|fields| fields.version = None), ["extensions"]);
}

#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// Shows a chain of 30 whose leaf has that name to whoever comes, one after another, until the test ends; where.
fn serve(name: &[u8]) -> u16 {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let spki = rcgen::PublicKeyData::subject_public_key_info(&key);
    let leaf = Fields { subject: common_name(name), spki, ..Fields::softether() };
    let der = CertificateDer::from(leaf.der());
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&private).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Shows(Arc::new(CertifiedKey::new(vec![der; 30], key)))));
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let _ = rustls::Stream::new(&mut session, &mut stream.unwrap()).read(&mut [0]);
        }
    });
    port
}

/// For people every character that takes effect is escaped; for machines JSON carries it as it is.
#[test]
fn strange_names_are_escaped_for_people_and_kept_for_machines() {
    let name = "exe\u{202e}gpj\u{1b}[31m\0".as_bytes();
    let port = serve(&[name, b"\xff"].concat());
    let workspace = Workspace::new();
    let told = workspace.run(&format!("probe 127.0.0.1:{port}")).expect(0).stdout;
    assert!(told.contains("CN=exe\\u{202e}gpj\\u{1b}[31m\\u{0}\\\\ff"), "{told}");
    assert!(!told.contains(['\u{202e}', '\u{1b}', '\0']), "{told:?}");
    let line = format!("probe 127.0.0.1:{port} --handshake full --format jsonl");
    let told = workspace.run(&line).expect(0).stdout;
    let leaf = &parse(&told)[0]["leaf"];
    assert_eq!(leaf["common_name"], "exe\u{202e}gpj\u{1b}[31m\0\\ff");
    assert_eq!(leaf["softether"], serde_json::Value::Null);
    assert_eq!(parse(&told)[0]["evidence"]["key_proven"], true);
    assert_eq!(parse(&told)[0]["chain_sha256"].as_array().map(Vec::len), Some(29));
}
