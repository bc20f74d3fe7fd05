//! Webhooks and chats against a server that answers in every way.

use std::time::Duration;

use super::server::{Act, Server};
use super::{LONG, NOW, SHORT, channel, delivered, hostile};
use crate::domain::alert::tests::moved;
use crate::domain::alert::{Delivery, Secret, chat, record, sign};
use crate::watch::alert::Patience;

/// How a post ends that meets `act`.
async fn met(act: Act, patience: Patience) -> Delivery {
    let server = Server::start(vec![act], None).await;
    let url = format!("http://{}/hook", server.address);
    let delivery = delivered(&format!("webhook = \"{url}\""), patience).await;
    assert_eq!(server.received().len(), 1);
    // Ports differ from run to run.
    let port = format!(":{}", server.address.port());
    match delivery {
        Delivery::Delivered => Delivery::Delivered,
        Delivery::Retry { why, after } => Delivery::Retry { why: why.replace(&port, ""), after },
        Delivery::GiveUp { why } => Delivery::GiveUp { why: why.replace(&port, "") },
    }
}

#[tokio::test]
async fn a_post_has_the_record_its_key_and_a_signature_over_both_time_and_body() {
    let server = Server::start(vec![Act::answer("204 No Content"); 2], None).await;
    let folder = tempfile::tempdir().unwrap();
    let table = format!("webhook = \"http://{}/a?b=c\"\nsecret_env = \"KEY\"", server.address);
    let webhook = channel(folder.path(), &table, LONG).unwrap();
    for alert in [moved(), hostile()] {
        assert_eq!(webhook.deliver(&alert, NOW).await, Delivery::Delivered);
    }
    for (received, alert) in server.received().iter().zip([moved(), hostile()]) {
        assert!(received.head.starts_with("POST /a?b=c HTTP/1.1\r\n"), "{}", received.head);
        assert_eq!(received.body, record(&alert).to_string());
        assert_eq!(received.field("host"), Some(server.address.to_string().as_str()));
        assert_eq!(received.field("content-type"), Some("application/json"));
        assert_eq!(received.field("idempotency-key"), Some("ab".repeat(32).as_str()));
        assert_eq!(received.field("x-certsweep-timestamp"), Some("1795486800"));
        let key = Secret::new("0123456789abcdef");
        let signature = sign(&key, 1_795_486_800, received.body.as_bytes());
        assert_eq!(received.field("x-certsweep-signature"), Some(signature.as_str()));
    }
    assert_eq!(server.received().len(), 2);
}

#[tokio::test]
async fn a_chat_gets_one_line_of_code_and_no_signature() {
    let server = Server::start(vec![Act::answer("200 OK"); 2], None).await;
    let folder = tempfile::tempdir().unwrap();
    let table = format!("slack = \"http://{}/services/x\"", server.address);
    let channel = channel(folder.path(), &table, LONG).unwrap();
    for alert in [moved(), hostile()] {
        assert_eq!(channel.deliver(&alert, NOW).await, Delivery::Delivered);
    }
    for (received, alert) in server.received().iter().zip([moved(), hostile()]) {
        let read: serde_json::Value = serde_json::from_str(&received.body).unwrap();
        assert_eq!(read, serde_json::json!({ "text": chat(&alert) }));
        let text = read["text"].as_str().unwrap();
        assert!(!text.chars().any(char::is_control) && text.len() < 2_000, "{text}");
        assert_eq!(received.field("x-certsweep-signature"), None);
    }
}

#[tokio::test]
async fn answers_are_done_never_or_later() {
    let host = "http://127.0.0.1";
    for status in ["200 OK", "201 Created", "202 Accepted", "204 No Content", "299 Any"] {
        assert_eq!(met(Act::answer(status), LONG).await, Delivery::Delivered, "{status}");
    }
    for code in [400, 401, 403, 404, 410, 413, 422, 451, 499] {
        let why = format!("{host} answered {code}");
        assert_eq!(met(Act::answer(&format!("{code} No")), LONG).await, Delivery::give_up(why));
    }
    for code in [408, 425, 429, 500, 502, 503, 504, 599] {
        let why = format!("{host} answered {code}");
        assert_eq!(met(Act::answer(&format!("{code} No")), LONG).await, Delivery::retry(why));
    }
}

#[tokio::test]
async fn redirects_are_told_and_not_followed() {
    let elsewhere = Server::start(vec![Act::answer("200 OK")], None).await;
    for code in [301, 302, 303, 307, 308] {
        let answer = format!(
            "HTTP/1.1 {code} Go\r\nLocation: http://{}/canary\r\nContent-Length: 0\r\n\r\n",
            elsewhere.address
        );
        let why = format!("http://127.0.0.1 answered {code}, a redirect, and none is followed");
        assert_eq!(met(Act::text(&answer), LONG).await, Delivery::retry(why));
    }
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn a_receiver_may_ask_for_time() {
    for (status, value, seconds) in
        [("429 Slow", "120", 120), ("503 Down", "7", 7), ("429 Slow", "999999999", 21_600)]
    {
        let answer = format!("HTTP/1.1 {status}\r\nRetry-After: {value}\r\n\r\n");
        let Delivery::Retry { after, .. } = met(Act::text(&answer), LONG).await else { panic!() };
        assert_eq!(after, Some(Duration::from_secs(seconds)));
    }
    let dated = "HTTP/1.1 429 Slow\r\nRetry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n\r\n";
    let why = "http://127.0.0.1 answered 429".to_owned();
    assert_eq!(met(Act::text(dated), LONG).await, Delivery::Retry { why, after: None });
}

#[tokio::test]
async fn servers_that_hang_or_break_off_are_asked_again() {
    let late = Delivery::retry("http://127.0.0.1: no answer within 2s");
    assert_eq!(met(Act::Hang, SHORT).await, late);
    assert_eq!(met(Act::SendAndHang("HTTP/1.1 20"), SHORT).await, late);
    for text in ["", "HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\nA: b\r\n", "SSH-2.0-x\r\n", "\u{0}\n\n"]
    {
        let delivery = met(Act::text(text), LONG).await;
        let Delivery::Retry { why, after: None } = delivery else { panic!("{delivery:?}") };
        assert!(why.starts_with("http://127.0.0.1: ") && why.len() < 200, "{why}");
    }
    let endless = format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "b".repeat(1 << 20));
    assert!(matches!(met(Act::text(&endless), LONG).await, Delivery::Retry { .. }));
    let fields = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(100));
    assert!(matches!(met(Act::text(&fields), LONG).await, Delivery::Retry { .. }));
}

/// Once the receiver said that it has the alert, nothing that follows changes that.
#[tokio::test]
async fn the_body_of_an_answer_is_neither_awaited_nor_read() {
    for act in [
        Act::SendAndHang("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nx"),
        Act::text("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nx"),
        Act::text(&format!("HTTP/1.1 200 OK\r\n\r\n{}", "y".repeat(4 << 20))),
        Act::text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz"),
    ] {
        assert_eq!(met(act, LONG).await, Delivery::Delivered);
    }
}

#[tokio::test]
async fn nobody_there_is_a_failure_that_may_pass() {
    let server = Server::start(Vec::new(), None).await;
    let address = server.address;
    drop(server);
    let delivery = delivered(&format!("webhook = \"http://{address}/canary\""), LONG).await;
    let Delivery::Retry { why, .. } = delivery else { panic!("{delivery:?}") };
    assert!(why.starts_with(&format!("http://{address}: ")) && !why.contains("canary"), "{why}");
}
