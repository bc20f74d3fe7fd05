//! Servers that break the rules, or the limits.

use super::servers::{
    P256, RSA, certificate, certificate13, clear, encrypting, rsa_flight, signed_flight, vector,
    wish, with_p256, with_rsa,
};
use super::*;
use crate::domain::tls::own::exercise::conversation::{Peer, Script};
use crate::domain::tls::own::exercise::encrypting::message;
use crate::domain::tls::own::exercise::finishing::Reply;

/// Every byte of a flight changed in turn: whatever comes of it, it is one verdict and no panic. What is called
/// proven then is the key; in TLS 1.3, where the transcript is signed, it is the leaf.
#[test]
fn every_changed_byte_is_survived() {
    for (server, leaf) in [&*TLS13, &*TLS12] {
        let mut flight = Vec::new();
        record_flight(client(Goal::Finish).as_mut(), server, &mut flight);
        for at in 0..flight.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut client = client(Goal::Finish);
                sent_by(client.as_mut());
                let mut changed = flight.clone();
                changed[at] ^= change;
                client.handle_bytes(NOW, &changed);
                client.handle_end(NOW, End::EndOfStream);
                let verdict = client.verdict().expect("the connection has ended");
                if verdict.evidence.key_proven != Some(true) {
                    continue;
                }
                let shown = &verdict.certificates[0];
                assert_eq!(public_key(shown).unwrap().key, public_key(leaf).unwrap().key);
                let version = verdict.tls.unwrap().version;
                assert!(version == "1.2" || shown == leaf, "{at} {change}");
            }
        }
    }
}

#[test]
fn what_no_server_may_say_is_malformed() {
    let certificate = [11, 0, 0, 9, 0, 0, 6, 0, 0, 3, 7, 7, 7];
    let spoken =
        |messages: &[u8]| outcome_of(&handshake_record(0x0303, messages), End::EndOfStream);
    for (what, messages) in [
        ("a suite that was not offered", hello(0x0303, 0x0034)),
        ("the signalling suite", hello(0x0303, 0x00ff)),
        ("a TLS 1.3 suite in TLS 1.2", hello(0x0303, 0x1301)),
        ("a version from nowhere", hello(0x0305, 0x002f)),
        ("TLS 1.3 in the old place", hello(0x0304, 0x1301)),
        ("a certificate before the hello", certificate.to_vec()),
        ("two hellos", [hello(0x0303, 0x002f), hello(0x0303, 0x002f)].concat()),
        ("no certificate", [hello(0x0303, 0xc02f), vec![11, 0, 0, 3, 0, 0, 0]].concat()),
        (
            "an empty certificate",
            [hello(0x0303, 0xc02f), vec![11, 0, 0, 6, 0, 0, 3, 0, 0, 0]].concat(),
        ),
        (
            "a key exchange before the certificate",
            [hello(0x0303, 0xc02f), vec![12, 0, 0, 0]].concat(),
        ),
        ("done without a certificate", [hello(0x0303, 0xc02f), vec![14, 0, 0, 0]].concat()),
    ] {
        assert_eq!(spoken(&messages), Outcome::Malformed, "{what}");
    }
    assert_eq!(outcome_of(&[23, 3, 3, 0, 1, 0], End::EndOfStream), Outcome::Malformed);
    assert_eq!(outcome_of(&[20, 3, 3, 0, 1, 2], End::EndOfStream), Outcome::Malformed);
    assert_eq!(outcome_of(&[22, 3, 3, 0xff, 0xff], End::EndOfStream), Outcome::Malformed);
}

#[test]
fn floods_and_giants_are_bounded() {
    let idle = |record: &[u8]| outcome_of(&record.repeat(100), End::Deadline);
    assert_eq!(idle(&[21, 3, 3, 0, 2, 1, 112]), Outcome::Malformed, "warnings");
    assert_eq!(idle(&[22, 3, 3, 0, 0]), Outcome::Malformed, "empty records");
    assert_eq!(idle(&[20, 3, 3, 0, 1, 1]), Outcome::Malformed, "change_cipher_spec");
    let giant = |kind| {
        handshake_record(0x0303, &[&hello(0x0303, 0x002f)[..], &[kind, 255, 255, 255]].concat())
    };
    assert_eq!(outcome_of(&giant(12), End::Deadline), Outcome::TooLarge);
    assert_eq!(outcome_of(&giant(11), End::Deadline), Outcome::Stalled, "a leaf may still come");
    let endless = [giant(11), handshake_record(0x0303, &[0x30; 16_000]).repeat(20)].concat();
    assert_eq!(outcome_of(&endless, End::Deadline), Outcome::TooLarge);
}

/// The certificate may be longer than is taken, or the bytes that hold it cross the limit: its leaf counts.
#[test]
fn a_leaf_before_the_limit_is_kept() {
    let start = [11, 255, 255, 255, 255, 255, 252, 0, 0, 3, 7, 7, 7, 0, 0];
    for split in 1..start.len() {
        let (first, rest) = start.split_at(split);
        let records = [
            handshake_record(0x0303, &[&hello(0x0303, 0xc02f)[..], first].concat()),
            handshake_record(0x0303, rest),
            handshake_record(0x0303, &[0x30; 16_000]).repeat(20),
        ];
        for records in [records.concat(), records[..2].concat()] {
            let mut client = client(Goal::Finish);
            sent_by(client.as_mut());
            client.handle_bytes(NOW, &records);
            let verdict = client.verdict().expect("it is too large");
            assert_eq!(verdict.certificates, [vec![7, 7, 7]], "{split}");
            assert_eq!(verdict.ended, Some(Outcome::TooLarge));
        }
    }
}

#[test]
fn warnings_are_passed_over_and_the_last_word_counts() {
    let warning = [21, 3, 1, 0, 2, 1, 112];
    let fatal = |description| Outcome::Alert(Alert { level: 2, description });
    let then_fatal = [&warning[..], &[21, 3, 3, 0, 2, 2, 40]].concat();
    assert_eq!(outcome_of(&then_fatal, End::EndOfStream), fatal(40));
    let goodbye = Outcome::Alert(Alert { level: 1, description: 0 });
    assert_eq!(outcome_of(&[21, 3, 1, 0, 2, 1, 0], End::EndOfStream), goodbye);
    let messages = [&hello(0x0303, 0x002f)[..], &[11, 0, 0, 9, 0, 0, 6, 0, 0, 3, 7, 7, 7]].concat();
    let then_leaf = [&warning[..], &handshake_record(0x0303, &messages)].concat();
    assert_eq!(outcome_of(&then_leaf, End::EndOfStream), Outcome::Certificate);
    // HelloRequest, which old servers may send at any time (RFC 5246, section 7.4.1.1).
    let after_request = handshake_record(0x0303, &[&[0; 4], &messages[..]].concat());
    assert_eq!(outcome_of(&after_request, End::EndOfStream), Outcome::Certificate);
}

#[test]
fn what_is_not_tls_is_named() {
    for (bytes, protocol) in [
        (&b"SSH-2.0-OpenSSH_9.2p1\r\n"[..], Protocol::Ssh),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Protocol::Http),
        (b"220 mail ESMTP\r\n", Protocol::Smtp),
        (b"hello, world", Protocol::Unknown),
    ] {
        assert_eq!(outcome_of(bytes, End::EndOfStream), Outcome::NotTls(protocol));
    }
}

/// A leaf that is whole counts, though its message never ends.
#[test]
fn a_leaf_in_an_endless_message_is_kept() {
    let certificate = [11, 0, 1, 0, 0, 0, 200, 0, 0, 3, 7, 7, 7, 0, 0];
    let messages = [&hello(0x0303, 0xc02f)[..], &certificate].concat();
    for goal in [Goal::Leaf, Goal::Finish] {
        let mut client = client(goal);
        sent_by(client.as_mut());
        client.handle_bytes(NOW, &handshake_record(0x0303, &messages));
        assert_eq!(client.verdict(), None);
        client.handle_end(NOW, End::Deadline);
        let verdict = client.verdict().unwrap();
        let ended = Some(Outcome::Stalled);
        assert_eq!((verdict.outcome, verdict.ended), (Outcome::Certificate, ended));
        assert_eq!(verdict.certificates, [vec![7, 7, 7]]);
    }
}

/// However the bytes come, the whole chain is there or the connection has not come to it.
#[test]
fn a_chain_is_told_whole_in_any_chunking() {
    let list =
        vector(3, &[&vector(3, &[7, 7, 7])[..], &vector(3, &[8; 40]), &vector(3, &[9])].concat());
    let messages = [&hello(0x0303, 0xc02f)[..], &message(11, &list)].concat();
    let flight = handshake_record(0x0303, &messages);
    for chunk in 1..=flight.len() {
        let mut client = client(Goal::Leaf);
        sent_by(client.as_mut());
        let mut verdicts = flight.chunks(chunk).filter_map(|piece| {
            client.handle_bytes(NOW, piece);
            client.verdict()
        });
        let verdict = verdicts.next().expect("the message is whole");
        assert_eq!(verdict.certificates, [vec![7, 7, 7], vec![8; 40], vec![9]], "{chunk}");
        assert_eq!(verdict.evidence, Evidence::of(Err(Unproven::NotReached), false));
    }
}

fn verdict_on(peer: &mut dyn Peer) -> Verdict {
    converse(wish(Goal::Finish), peer, 7, usize::MAX, End::EndOfStream)
}

/// What goes wrong after the certificate is told beside it.
#[test]
fn what_no_server_may_say_in_the_clear_ends_it_with_the_leaf() {
    let (_, leaf) = &*RSA;
    let signed = signed_flight(0x0303, leaf, true, with_rsa);
    let before = |message: &[u8]| [&certificate(leaf), message].concat();
    let change = [20, 3, 3, 0, 1, 1];
    let in_records =
        |messages: &[u8]| handshake_record(0x0303, &[&hello(0x0303, 0xc02f), messages].concat());
    for (what, bytes) in [
        ("a cipher before our answer", [in_records(&certificate(leaf)), change.to_vec()].concat()),
        ("a cipher amid a message", [in_records(&before(&[12, 0])), change.to_vec()].concat()),
        ("a second certificate", in_records(&before(&certificate(leaf)))),
        ("Finished in the clear", in_records(&before(&message(20, &[1; 12])))),
        ("more than its flight", in_records(&[&signed[..], &message(12, &[])].concat())),
        ("application data", [in_records(&certificate(leaf)), vec![23, 3, 3, 0, 0]].concat()),
    ] {
        let verdict = verdict_on(&mut Script::new(&bytes));
        assert_eq!(verdict.outcome, Outcome::Certificate, "{what}");
        assert_eq!(verdict.ended, Some(Outcome::Malformed), "{what}");
        assert_eq!(verdict.certificates, std::slice::from_ref(leaf), "{what}");
    }
}

#[test]
fn what_no_server_may_encrypt_ends_it_with_the_leaf() {
    let (_, leaf) = &*RSA;
    let alert = |level, description| Outcome::Alert(Alert { level, description });
    for (reply, ended) in [
        (Reply::Finished, None),
        (Reply::Sealed(21, vec![2, 51]), Some(alert(2, 51))),
        (Reply::Sealed(21, vec![2]), Some(Outcome::Malformed)),
        (Reply::Sealed(22, message(20, &[1; 12])), Some(Outcome::Malformed)),
        (Reply::Sealed(23, vec![1]), Some(Outcome::Malformed)),
        (Reply::Raw(vec![]), Some(Outcome::Stalled)),
        (Reply::Raw(vec![22, 3, 3, 0, 1, 9]), Some(Outcome::Malformed)),
    ] {
        for (version, suite) in [(0x0301, 0x002f), (0x0303, 0x009c), (0x0302, 0x0005)] {
            let mut server = clear(version, suite, rsa_flight(leaf));
            server.reply = reply.clone();
            let verdict = verdict_on(&mut server);
            assert_eq!((verdict.outcome, verdict.ended), (Outcome::Certificate, ended));
            let proven = ended.is_none().then_some(true);
            assert_eq!(verdict.evidence.key_proven, proven, "{suite:04x}");
        }
    }
}

/// A key exchange that RSA suites do not have leaves nothing to wait for.
#[test]
fn a_key_exchange_without_a_signature_proves_nothing() {
    let (_, leaf) = &*RSA;
    let flight = [certificate(leaf), message(12, &[0; 40]), message(14, &[])].concat();
    let verdict = verdict_on(&mut clear(0x0303, 0x002f, flight));
    assert_eq!((verdict.outcome, verdict.ended), (Outcome::Certificate, None));
    assert_eq!(verdict.evidence, Evidence::of(Err(Unproven::NoSignature), false));
    // The same where there should be a signature, and what stands there is none.
    let flight = [certificate(leaf), message(12, &[0; 40]), message(14, &[])].concat();
    let verdict = verdict_on(&mut clear(0x0303, 0xc02f, flight));
    assert_eq!(verdict.evidence, Evidence::of(Err(Unproven::SignatureUnreadable), false));
}

#[test]
fn what_no_server_of_tls13_may_say_is_malformed() {
    let (extensions, shown) = (message(8, &[0, 0]), message(11, &certificate13(&P256.1)));
    let begun = [(22, [&extensions[..], &shown].concat())];
    let then = |kind, content: &[u8]| [&begun[..], &[(kind, content.to_vec())]].concat();
    let verify = message(15, &with_p256(0x0304, b"something else"));
    let twice = [&verify[..], &verify].concat();
    let lie = [&verify[..], &message(20, &[1; 32])].concat();
    for (what, said, key_proven) in [
        ("a cipher change", then(20, &[1]), None),
        ("application data", then(23, b"HTTP/1.1"), None),
        ("Finished before the proof", then(22, &message(20, &[1; 32])), None),
        ("extensions after the certificate", then(22, &extensions), None),
        ("two certificates", then(22, &shown), None),
        ("two proofs", then(22, &twice), Some(false)),
        ("a Finished that is not", then(22, &lie), Some(false)),
        ("a warning of one octet", then(21, &[1]), None),
    ] {
        let mut server = encrypting(0x1301, &[], with_p256);
        (server.sign, server.finishes, server.said) = (None, false, said);
        let verdict = verdict_on(&mut server);
        assert_eq!(verdict.certificates, std::slice::from_ref(&P256.1), "{what}");
        assert_eq!(verdict.ended, Some(Outcome::Malformed), "{what}");
        assert_eq!(verdict.evidence.key_proven, key_proven, "{what}");
    }
    let mut server = encrypting(0x1301, &[extensions.clone(), shown.clone()], with_p256);
    (server.sign, server.finishes) = (None, false);
    server.said.push((21, vec![2, 80]));
    let alert = Outcome::Alert(Alert { level: 2, description: 80 });
    assert_eq!(verdict_on(&mut server).ended, Some(alert));
}

/// Its padding is all that a record of zeros holds (RFC 8446, section 5.4).
#[test]
fn an_encrypted_record_of_padding_alone_is_malformed() {
    let mut server = encrypting(0x1303, &[], with_p256);
    (server.sign, server.finishes, server.said) = (None, false, vec![(0, vec![0; 9])]);
    assert_eq!(verdict_on(&mut server).outcome, Outcome::Malformed);
}
