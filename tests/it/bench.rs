//! `certsweep bench` measures every case, and says what each is compared with.

use serde_json::Value;

use crate::support::Workspace;

const CASES: [&str; 18] = [
    "floor_plain",
    "floor_reuse",
    "auto_tls12",
    "auto_tls13",
    "leaf_tls12",
    "leaf_tls13",
    "auto_tls12_own_leaf",
    "auto_matches",
    "stored_one_leaf",
    "stored_own_leaf",
    "floor_rustls",
    "full_tls13",
    "floor_refused",
    "refused",
    "silent",
    "paced",
    "paced_fast",
    "startup",
];

const KEYS: [&str; 19] = [
    "case",
    "targets",
    "concurrency",
    "runs",
    "ended_well",
    "cpu_us_per_target",
    "ratio_to_floor",
    "ratio_to_reuse",
    "base",
    "ratio_to",
    "targets_per_s",
    "p50_us",
    "p99_us",
    "rss_kib",
    "in_flight",
    "bytes_per_probe",
    "rate_per_s",
    "cpu_share",
    "startup_ms",
];

fn measured(line: &str) -> Vec<Value> {
    let text = Workspace::new().run(line).expect(0).stdout;
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn number(object: &Value, key: &str) -> f64 {
    object[key].as_f64().unwrap_or_else(|| panic!("{key} of {object}"))
}

fn of<'a>(objects: &'a [Value], case: &str) -> &'a Value {
    objects.iter().find(|object| object["case"] == case).unwrap()
}

#[test]
fn every_case_ends_well_and_has_every_key() {
    let objects = measured("bench --targets 120 --runs 1 --concurrency 40 --format jsonl");
    let names: Vec<&str> = objects.iter().map(|object| object["case"].as_str().unwrap()).collect();
    assert_eq!(names, CASES);
    for object in &objects {
        let keys: Vec<&String> = object.as_object().unwrap().keys().collect();
        assert_eq!(keys, KEYS, "{object}");
        assert_eq!(object["ended_well"], object["targets"], "{object}");
        let is_startup = object["case"] == "startup";
        assert_eq!(object["targets"], if is_startup { 1 } else { 120 }, "{object}");
        assert_eq!(object["cpu_us_per_target"].is_null(), is_startup, "{object}");
        let has_leaf = ["auto_", "leaf_", "full_", "paced"]
            .iter()
            .any(|start| object["case"].as_str().unwrap().starts_with(start));
        assert_eq!(object["p50_us"].is_null(), !has_leaf, "{object}");
        assert!(number(object, "rss_kib") > 1_000.0, "{object}");
    }
    let silent = of(&objects, "silent");
    assert_eq!((&silent["in_flight"], &silent["concurrency"]), (&120.into(), &120.into()));
    let startup = number(of(&objects, "startup"), "startup_ms");
    assert!(0.0 < startup && startup < 10_000.0, "{startup}");
    let paced = of(&objects, "paced");
    assert!(number(paced, "rate_per_s") > 0.0 && number(paced, "cpu_share") > 0.0, "{paced}");
}

#[test]
fn ratios_are_those_of_the_cpu_times_beside_them() {
    let objects = measured(
        "bench --targets 2000 --runs 2 --case full_tls13,refused auto_matches --format jsonl",
    );
    let names: Vec<&str> = objects.iter().map(|object| object["case"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "floor_plain",
            "floor_reuse",
            "leaf_tls12",
            "auto_matches",
            "floor_rustls",
            "full_tls13",
            "floor_refused",
            "refused"
        ]
    );
    let cpu = |case: &str| number(of(&objects, case), "cpu_us_per_target");
    for (case, base) in [
        ("full_tls13", "floor_rustls"),
        ("refused", "floor_refused"),
        ("auto_matches", "leaf_tls12"),
    ] {
        let object = of(&objects, case);
        assert_eq!((&object["base"], &object["runs"]), (&base.into(), &2.into()));
        for (key, base) in [
            ("ratio_to", base),
            ("ratio_to_floor", "floor_plain"),
            ("ratio_to_reuse", "floor_reuse"),
        ] {
            let (told, expected) = (number(object, key), cpu(case) / cpu(base));
            assert!((told - expected).abs() < 1e-9, "{case} {key}: {told} {expected}");
        }
    }
    assert_eq!(of(&objects, "floor_plain")["ratio_to_floor"], 1.0);
}

#[test]
fn a_case_that_there_is_not_is_refused_with_those_that_there_are() {
    let refused = Workspace::new().run("bench --case floor_plane").expect(2);
    assert_eq!(refused.stdout, "");
    assert!(refused.stderr.contains("floor_plane"), "{}", refused.stderr);
    assert!(CASES.iter().all(|case| refused.stderr.contains(case)), "{}", refused.stderr);
}
