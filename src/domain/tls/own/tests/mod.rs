//! Our own client against servers in the same thread: rustls's, and those that tests think up.

mod copied;
mod flights;
mod glance;
mod honest;
mod hostile;
mod replay;
mod request;
mod retry;
mod servers;

use std::sync::Arc;

use rustls::ServerConfig;

use super::exercise::conversation::converse;
use super::*;
use crate::domain::cert::public_key;
use crate::domain::observation::Unproven;
use crate::domain::outcome::{Alert, Outcome, Protocol};
use crate::domain::tls::tests::{NOW, TLS12, TLS13, honest, key_pair, sent_by, server, talk};

fn client(goal: Goal) -> Box<dyn Client> {
    OwnOffer::new(Limits::default(), goal).start(Moment::ZERO, [7; 112])
}

fn verdict_of(server: &Arc<ServerConfig>, goal: Goal, chunk: usize) -> Verdict {
    let mut client = client(goal);
    talk(client.as_mut(), server, chunk, usize::MAX);
    client.verdict().expect("the goal is reached")
}

fn record_flight(client: &mut dyn Client, server: &Arc<ServerConfig>, flight: &mut Vec<u8>) {
    let mut server = rustls::ServerConnection::new(Arc::clone(server)).unwrap();
    server.read_tls(&mut &sent_by(client)[..]).unwrap();
    server.process_new_packets().unwrap();
    while server.wants_write() {
        server.write_tls(flight).unwrap();
    }
    client.handle_bytes(NOW, flight);
}

/// The outcome when a server says `bytes` and then nothing more.
fn outcome_of(bytes: &[u8], end: End) -> Outcome {
    let outcomes = [1, 3, usize::MAX].map(|chunk| {
        let mut client = client(Goal::Finish);
        sent_by(client.as_mut());
        bytes.chunks(chunk).for_each(|piece| client.handle_bytes(NOW, piece));
        client.handle_end(NOW, end);
        client.verdict().expect("the connection has ended").outcome
    });
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{outcomes:?}");
    outcomes[0]
}

fn handshake_record(version: u16, messages: &[u8]) -> Vec<u8> {
    let length = (messages.len() as u16).to_be_bytes();
    [&[22], &version.to_be_bytes()[..], &length, messages].concat()
}

fn hello(version: u16, suite: u16) -> Vec<u8> {
    let body = [&version.to_be_bytes()[..], &[9; 32], &[0], &suite.to_be_bytes(), &[0]].concat();
    [&[2, 0, 0, body.len() as u8], &body[..]].concat()
}
