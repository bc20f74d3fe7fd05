//! What does a certificate cost once its bytes are here? Per leaf, no network.
//!
//! `cargo bench --bench matching`; `-- --test` runs each case once. `leaf` hashes and describes a SoftEther
//! default certificate of 878 bytes; `lookup` looks a leaf up among as many indicators.
//!
//! Last figures (medians, shared Xeon, 2026-11-24): leaf 2.3 us, lookup 56 ns among 1,000 and 100,000.

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

#[divan::bench(args = [1_000, 100_000])]
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
    let (index, leaf) = (Index::new([&set]), Leaf::new(softether()));
    bencher.bench(|| index.matches(&leaf));
}
