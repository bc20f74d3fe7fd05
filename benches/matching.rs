//! What does a certificate cost once its bytes are here? Per leaf, no network.
//!
//! `cargo bench --bench matching`; `-- --test` runs each case once. `leaf` hashes and describes a SoftEther
//! default certificate of 878 bytes; `lookup` looks another leaf up each time among as many indicators, one in
//! 64 of which is known.
//!
//! Last figures (minima, shared Xeon under load, 2026-11-24): leaf 2.3 us; lookup 23 ns among 1,000, 27 ns among
//! 100,000 and 36 ns among 1,000,000 (medians up to 66 ns), whose index takes 63 MB with labels.

#![allow(clippy::expect_used, reason = "a bench that cannot be set up has nothing to say")]

use certsweep::domain::cert::Leaf;
use certsweep::domain::fingerprint::{Fingerprint, Sha1Fingerprint, Sha256Fingerprint};
use certsweep::domain::indicator::{Certificate, Index, IndicatorSet, SharedLimits, Tlp};

fn main() {
    divan::main();
}

fn softether() -> Vec<u8> {
    let pem = include_str!("../src/domain/cert/softether-default.pem");
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    data_encoding::BASE64.decode(base64.as_bytes()).expect("the file is PEM")
}

#[divan::bench]
fn leaf(bencher: divan::Bencher<'_, '_>) {
    let der = softether();
    bencher.with_inputs(|| der.clone()).bench_values(Leaf::new);
}

#[divan::bench(args = [1_000, 100_000, 1_000_000], sample_size = 20_000)]
fn lookup(bencher: divan::Bencher<'_, '_>, indicators: u32) {
    let certificates = (0..indicators)
        .map(|number| Certificate {
            fingerprint: Fingerprint::Sha1(Sha1Fingerprint::of(&number.to_be_bytes())),
            spki_sha256: None,
            label: None,
            source: "bench".to_owned(),
            note: None,
        })
        .collect();
    let set = IndicatorSet {
        name: "bench".to_owned(),
        file: "set.toml".to_owned(),
        tlp: Tlp::Clear,
        hash: Sha256Fingerprint::of(b""),
        sources: Vec::new(),
        shared: SharedLimits::default(),
        certificates,
        entries: Vec::new(),
        profiles: Vec::new(),
        addresses: Vec::new(),
    };
    let (index, mut leaf) = (Index::new([&set]), Leaf::new(softether()));
    let known = |number: u32| number.is_multiple_of(64) && number < indicators;
    let hash = |number: u32| if known(number) { number } else { !number };
    let hashes: Vec<_> =
        (0..65_536).map(|number| Sha1Fingerprint::of(&hash(number).to_be_bytes())).collect();
    let mut next = hashes.iter().cycle();
    bencher.bench_local(|| {
        leaf.sha1 = *next.next().expect("it has no end");
        index.matches(&leaf)
    });
}
