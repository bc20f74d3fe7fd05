//! What all formats have in common: they are told apart, and nothing that is in a file stops the reading.

use std::io::{self, Read, Write};
use std::ops::ControlFlow;

use super::*;
use crate::domain::collected::{Claims, Known};

/// A SHA-1 of nothing in particular.
pub(super) const SHA1: &str = "7992c0a816246b287d991c4ecf68f2d32e4bca18";
/// A SHA-256 likewise.
pub(super) const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// What is told of `bytes` as the file `f`, and whether the format was recognised.
fn told(from: Option<Format>, input: impl Read) -> (Vec<Told>, io::Result<bool>) {
    let mut told = Vec::new();
    let ended = Reader::new(from).read("f", input, &mut |one| {
        told.push(one);
        ControlFlow::Continue(())
    });
    (told, ended)
}

/// `line format time address port server-name hash`, of every certificate.
fn certificates(told: &[Told]) -> Vec<String> {
    let spelt = |one: &Told| {
        let Told::Collected { line, format, collected: seen, .. } = one else { return None };
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let known = &seen.certificate;
        let sha1 = known.sha1().map(|hash| hash.to_string());
        let parts = [
            or_dash(seen.time.map(|time| time.to_string())),
            or_dash(seen.address.map(|address| address.to_string())),
            or_dash(seen.port.map(|port| port.to_string())),
            or_dash(seen.server_name.as_ref().map(ToString::to_string)),
            or_dash(sha1.or_else(|| known.sha256().map(|hash| hash.to_string()))),
        ];
        Some(format!("{line} {} {}", format.word(), parts.join(" ")))
    };
    told.iter().filter_map(spelt).collect()
}

fn complaints(told: &[Told]) -> Vec<String> {
    let spelt = |one: &Told| match one {
        Told::Refused(complaint) | Told::Doubted(complaint) => Some(complaint.to_string()),
        Told::Collected { .. } => None,
    };
    told.iter().filter_map(spelt).collect()
}

/// The certificates in `text`.
pub(super) fn seen(text: &str) -> Vec<String> {
    certificates(&told(None, text.as_bytes()).0)
}

/// The complaints about `text`.
pub(super) fn said(text: &str) -> Vec<String> {
    complaints(&told(None, text.as_bytes()).0)
}

/// What is claimed of the first certificate in `text`.
pub(super) fn claimed(text: &str) -> Claims {
    let told = told(None, text.as_bytes()).0;
    match told.first() {
        Some(Told::Collected {
            collected: Collected { certificate: Known::Hashes(claims), .. },
            ..
        }) => Claims::clone(claims),
        other => panic!("{other:?}"),
    }
}

/// The certificates and complaints of several logs that are joined.
pub(super) fn seen_joined(texts: &[&str]) -> (Vec<String>, Vec<String>) {
    let (mut reader, mut told) = (Reader::new(None), Vec::new());
    let mut tell = |one| {
        told.push(one);
        ControlFlow::Continue(())
    };
    reader.begin_join();
    for text in texts {
        reader.read("f", text.as_bytes(), &mut tell).unwrap();
    }
    assert!(reader.end_join(&mut tell).is_continue());
    (certificates(&told), complaints(&told))
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn certificate() -> Vec<u8> {
    let pem = include_str!("../../domain/cert/softether-default.pem");
    x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap().1.contents
}

/// A file of each format.
fn samples() -> Vec<(Format, Vec<u8>)> {
    let text = |text: String| text.into_bytes();
    let hash = format!("\"fingerprint_hash\":{{\"sha1\":\"{SHA1}\"}}");
    vec![
        (Format::Pem, include_bytes!("../../domain/cert/softether-default.pem").to_vec()),
        (Format::Der, certificate()),
        (
            Format::Own,
            text(format!("{{\"type\":\"observation\",\"schema\":1,\"leaf\":{{\"sha1\":\"{SHA1}\"}}}}\n")),
        ),
        (
            Format::Zgrab2,
            text(
                "{\"ip\":\"192.0.2.1\",\"data\":{\"tls\":{\"result\":{\"handshake_log\":{\"server_certificates\":\
                 {\"certificate\":{\"raw\":\"YWJj\",\"parsed\":{\"serial_number\":\"99\"}}}}}}}}\n"
                    .to_owned(),
            ),
        ),
        (Format::Tlsx, text(format!("{{\"host\":\"192.0.2.1\",\"port\":\"443\",{hash}}}\n"))),
        (Format::Masscan, text("banner tcp 443 192.0.2.1 1795486704 X509 YWJj\n".to_owned())),
        (
            Format::Masscan,
            text(
                "[\n{\"ip\":\"192.0.2.1\",\"timestamp\":\"1\",\"ports\":[{\"port\":443,\"service\":\
                 {\"name\":\"X509\",\"banner\":\"YWJj\"}}]},\n]\n"
                    .to_owned(),
            ),
        ),
        (
            Format::Zeek,
            text(format!("#separator \\x09\n#set_separator\t,\n#fields\tts\tfingerprint\n1.5\t{SHA1}\n")),
        ),
        (
            Format::Zeek,
            text(format!("{{\"ts\":1.5,\"id.resp_h\":\"192.0.2.1\",\"cert_chain_fps\":[\"{SHA256}\"]}}\n")),
        ),
        (
            Format::Suricata,
            text(format!("{{\"event_type\":\"tls\",\"tls\":{{\"fingerprint\":\"{SHA1}\"}}}}\n")),
        ),
        (
            Format::Censys,
            text(format!(
                "{{\"ip\":\"192.0.2.1\",\"services\":[{{\"port\":443,\"cert\":{{\"fingerprint_sha256\":\"{SHA256}\"}}}}]}}\n"
            )),
        ),
        (
            Format::Shodan,
            text(format!(
                "{{\"ip_str\":\"192.0.2.1\",\"ssl\":{{\"cert\":{{\"fingerprint\":{{\"sha1\":\"{SHA1}\"}}}}}}}}\n"
            )),
        ),
    ]
}

fn formats(told: &[Told]) -> Vec<Format> {
    let format = |one: &Told| match one {
        Told::Collected { format, .. } => Some(*format),
        _ => None,
    };
    told.iter().filter_map(format).collect()
}

#[test]
fn formats_are_told_apart_packed_or_not() {
    for (format, bytes) in samples() {
        for input in [bytes.clone(), gzipped(&bytes)] {
            for from in [None, Some(format)] {
                let (told, recognised) = told(from, input.as_slice());
                assert_eq!(formats(&told), [format], "{format:?} {told:?}");
                assert_eq!((recognised.unwrap(), complaints(&told)), (true, vec![]));
            }
        }
    }
}

#[test]
fn a_byte_order_mark_and_dos_line_ends_change_nothing() {
    for (format, bytes) in samples().into_iter().filter(|(format, _)| *format != Format::Der) {
        let dos = format!("\u{feff}{}", String::from_utf8(bytes).unwrap().replace('\n', "\r\n"));
        let (told, _) = told(None, dos.as_bytes());
        assert_eq!((formats(&told), complaints(&told)), (vec![format], vec![]));
    }
}

#[test]
fn no_input_panics_and_none_is_lost_before_the_damage() {
    let every: Vec<Option<Format>> =
        Format::WORDS.iter().map(|(_, format)| Some(*format)).chain([None]).collect();
    for (_, bytes) in samples() {
        for cut in 0..bytes.len() {
            let _ = told(None, bytes.get(..cut).unwrap());
        }
        for (at, flip) in (0..bytes.len()).flat_map(|at| [1, 0x20, 0x80].map(|flip| (at, flip))) {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            let _ = told(None, damaged.as_slice());
            // A good line after a bad one is read, unless the bad one ate its line feed or opened a block.
            if bytes.starts_with(b"{") && at + 1 < bytes.len() && damaged[at] != b'\n' {
                damaged.extend_from_slice(&bytes);
                assert!(!told(None, damaged.as_slice()).0.is_empty());
            }
        }
        for from in &every {
            let _ = told(*from, bytes.as_slice());
        }
        let packed = gzipped(&bytes);
        for cut in 0..packed.len() {
            let _ = told(None, packed.get(..cut).unwrap());
        }
    }
}

#[test]
fn what_is_cut_off_in_its_packing_is_an_error_and_what_came_before_stands() {
    let (format, bytes) = samples().swap_remove(4);
    let packed = gzipped(&bytes);
    let (told, ended) = told(None, packed.get(..packed.len() - 4).unwrap());
    assert_eq!(formats(&told), [format]);
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn good_lines_between_bad_ones_are_kept() {
    let good = format!(
        "{{\"host\":\"192.0.2.1\",\"port\":\"443\",\"fingerprint_hash\":{{\"sha1\":\"{SHA1}\"}}}}\n"
    );
    let mut bytes =
        format!("{{\"a\":1}}\n{{\n{good}{{\"host\":5\n\"text\"\n{{\"host\":\"\u{e9}\",}}\n")
            .into_bytes();
    bytes.extend_from_slice(b"{\"host\":\"ab\xff\"}\n");
    bytes.extend(good.bytes());
    let (told, _) = told(None, bytes.as_slice());
    let expected = |line| format!("{line} tlsx - 192.0.2.1 443 - {SHA1}");
    assert_eq!(certificates(&told), [expected(3), expected(8)]);
    let words = "own, suricata, shodan, censys, tlsx, masscan, zgrab2, zeek";
    assert_eq!(
        complaints(&told),
        [
            format!("f:1:1: a JSON object of no known form ({words})"),
            "f:2:1: no JSON object (EOF while parsing an object); one a line is expected"
                .to_owned(),
            "f:4:9: no JSON object (EOF while parsing an object); one a line is expected"
                .to_owned(),
            "f:5:1: no JSON object; one a line is expected".to_owned(),
            "f:6:13: no JSON object (trailing comma); one a line is expected".to_owned(),
            "f:7:12: not UTF-8 text".to_owned(),
        ]
    );
}

#[test]
fn what_is_no_known_form_is_given_up() {
    for text in ["", "\n", "hello\nworld\n", "#!/bin/sh\n"] {
        let (told, recognised) = told(None, text.as_bytes());
        assert_eq!((told.len(), recognised.unwrap()), (0, false), "{text:?}");
    }
    let endless = io::repeat(b'{').take(1 << 30);
    let (told_of_it, recognised) = told(None, endless);
    assert_eq!(complaints(&told_of_it), ["f:1:1: a line longer than 16 MiB"]);
    assert!(!recognised.unwrap());
    let objects = "{\"a\":1}\n".repeat(1_000_000);
    assert_eq!(complaints(&told(None, objects.as_bytes()).0).len(), UNKNOWN_MAX);
}

#[test]
fn der_is_one_certificate_and_nothing_else() {
    let der = certificate();
    let of = |bytes: &[u8]| complaints(&told(None, bytes).0);
    assert_eq!(of(&der), [""; 0]);
    let longer = [&der[..], b"\n"].concat();
    let message = |there: usize| {
        format!("f:1:1: no certificate: {there} octets, where its header says {}", der.len())
    };
    assert_eq!(of(&longer), [message(longer.len())]);
    assert_eq!(of(&der[..100]), [message(100)]);
    let key = [&[0x30, 0x81, 0x80, 0x02, 0x01, 0x00][..], &[0; 125]].concat();
    assert_eq!(of(&key), ["f:1:1: DER, but no certificate: it has no public key in its place"]);
    assert_eq!(formats(&told(Some(Format::Der), key.as_slice()).0), [Format::Der]);
    let text = told(Some(Format::Der), &b"hello"[..]).0;
    assert_eq!(
        complaints(&text),
        ["f:1:1: no certificate in DER form: it begins with no SEQUENCE"]
    );
}

#[test]
fn an_array_on_one_line_is_as_good_as_lines() {
    let object = format!("{{\"event_type\":\"tls\",\"tls\":{{\"fingerprint\":\"{SHA1}\"}}}}");
    let text = format!("[{object}, {object}]\n");
    let expected = format!("1 suricata - - - - {SHA1}");
    assert_eq!(seen(&text), [expected.clone(), expected]);
    let deep = "[".repeat(100_000);
    assert!(said(&deep).first().unwrap().contains("recursion limit exceeded"));
}

#[test]
fn reading_ends_where_nothing_more_is_wanted() {
    let (_, line) = samples().swap_remove(4);
    let mut count = 0;
    let ended = Reader::new(None).read("f", line.repeat(10).as_slice(), &mut |_| {
        count += 1;
        ControlFlow::Break(())
    });
    assert_eq!((count, ended.unwrap()), (1, true));
}
