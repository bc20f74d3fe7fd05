//! Syslog over every transport, read back as a receiver reads it.

use std::collections::BTreeMap;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket, UnixDatagram};

use super::{LONG, NOW, SHORT, channel, delivered, hostile};
use crate::domain::alert::{Alert, Delivery, MESSAGE_BYTES_MAX, line, tests::moved};

/// A message taken apart by the grammar of RFC 5424, section 6: six fields of the header, the values, the text.
fn parsed(message: &[u8]) -> (Vec<String>, BTreeMap<String, String>, String) {
    let text = std::str::from_utf8(message).unwrap();
    let mut fields = text.splitn(7, ' ');
    let header: Vec<String> = fields.by_ref().take(6).map(str::to_owned).collect();
    let rest = fields.next().unwrap().strip_prefix("[certsweep@32473").unwrap();
    let (mut values, mut characters) = (BTreeMap::new(), rest.chars());
    loop {
        match characters.next() {
            Some(']') => break,
            Some(' ') => {}
            other => panic!("{other:?} in {text}"),
        }
        let name: String = characters.by_ref().take_while(|character| *character != '=').collect();
        assert_eq!(characters.next(), Some('"'));
        let mut value = String::new();
        loop {
            match characters.next().unwrap() {
                '"' => break,
                '\\' => value.push(characters.next().unwrap()),
                character => value.push(character),
            }
        }
        assert!(values.insert(name, value).is_none());
    }
    assert_eq!(characters.next(), Some(' '));
    (header, values, characters.as_str().trim_start_matches('\u{feff}').to_owned())
}

fn check(message: &[u8], alert: &Alert) {
    let (header, values, text) = parsed(message);
    assert!(message.len() <= MESSAGE_BYTES_MAX);
    assert!(!message.iter().any(u8::is_ascii_control), "{text}");
    assert_eq!(header[0], "<28>1");
    assert_eq!(header[1], alert.time.to_string());
    assert_eq!(header[3], "certsweep");
    assert_eq!(header[4], std::process::id().to_string());
    assert_eq!(header[5], "moved");
    assert_eq!(values["key"], alert.key.to_string());
    assert_eq!((values["address"].as_str(), values["port"].as_str()), ("192.0.2.7", "5555"));
    assert_eq!((values["tier"].as_str(), values["tlp"].as_str()), ("A", "clear"));
    assert!(line(alert).starts_with(&text) && text.len() > 20, "{text}");
}

#[tokio::test]
async fn a_socket_of_this_machine_gets_a_datagram() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let table = format!("syslog = \"unix:{}\"", path.display());
    let missing = delivered(&table, LONG).await;
    assert!(matches!(&missing, Delivery::Retry { why, .. } if why.starts_with("unix:/")));
    let receiver = UnixDatagram::bind(&path).unwrap();
    let syslog = channel(folder.path(), &table, LONG).unwrap();
    for alert in [moved(), hostile()] {
        assert_eq!(syslog.deliver(&alert, NOW).await, Delivery::Delivered);
        let mut bytes = [0; 4_096];
        let length = receiver.recv(&mut bytes).await.unwrap();
        check(&bytes[..length], &alert);
    }
}

#[tokio::test]
async fn udp_gets_a_datagram() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let receiver = UdpSocket::bind(address).await.unwrap();
        let table = format!("syslog = \"udp:{}\"", receiver.local_addr().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let syslog = channel(folder.path(), &table, LONG).unwrap();
        for alert in [moved(), hostile()] {
            assert_eq!(syslog.deliver(&alert, NOW).await, Delivery::Delivered);
            let mut bytes = [0; 4_096];
            let length = receiver.recv(&mut bytes).await.unwrap();
            check(&bytes[..length], &alert);
        }
    }
}

#[tokio::test]
async fn tcp_gets_a_frame_and_closes_in_good_order() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let table = format!("syslog = \"tcp:{}\"", listener.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let syslog = channel(folder.path(), &table, LONG).unwrap();
    for alert in [moved(), hostile()] {
        let receive = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await.unwrap();
            stream.shutdown().await.unwrap();
            bytes
        };
        let (delivery, bytes) = tokio::join!(syslog.deliver(&alert, NOW), receive);
        assert_eq!(delivery, Delivery::Delivered);
        let space = bytes.iter().position(|byte| *byte == b' ').unwrap();
        let length: usize = std::str::from_utf8(&bytes[..space]).unwrap().parse().unwrap();
        assert_eq!(length, bytes.len() - space - 1);
        check(&bytes[space + 1..], &alert);
    }
}

#[tokio::test]
async fn tcp_without_a_reader_is_not_delivered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let table = format!("syslog = \"tcp:{address}\"");
    // The kernel takes the connection and the bytes; nobody else does.
    let late = Delivery::retry(format!("tcp:{address}: not taken within 2s"));
    assert_eq!(delivered(&table, SHORT).await, late);
    drop(listener);
    assert!(matches!(delivered(&table, LONG).await, Delivery::Retry { .. }));
}
