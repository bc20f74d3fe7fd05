//! What is said over a handshake that was finished.

use super::*;
use crate::domain::tls::tests::{REQUEST, asks_once_the_handshake_is_finished, talk_and_reply};

#[test]
fn a_request_is_sent_once_the_handshake_is_finished() {
    let start = || {
        let offer = OwnOffer::new(Limits::default(), Goal::Finish).with_request(Some(REQUEST));
        offer.start(Moment::ZERO, [7; 112])
    };
    asks_once_the_handshake_is_finished(&start, &TLS12.0);
}

/// In TLS 1.3 rustls is the one to ask, and a handshake that is not finished carries nothing.
#[test]
fn where_nothing_can_be_asked_nothing_is() {
    for (goal, server) in [(Goal::Finish, &TLS13.0), (Goal::Leaf, &TLS13.0), (Goal::Leaf, &TLS12.0)]
    {
        let offer = OwnOffer::new(Limits::default(), goal).with_request(Some(REQUEST));
        let mut client = offer.start(Moment::ZERO, [7; 112]);
        assert_eq!(talk_and_reply(client.as_mut(), server, &[], false), b"");
        let verdict = client.verdict().expect("the goal is reached");
        assert_eq!((verdict.reply, verdict.outcome), (None, Outcome::Certificate));
    }
}
