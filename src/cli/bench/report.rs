//! The figures of all cases, as a table for people or one JSON object a case.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::case::Case;
use super::sample::Figures;

/// The figures of the cases that were run, in order.
pub(super) struct Report(pub(super) Vec<(Case, Figures)>);

/// How a case's CPU compares with that of others.
struct Ratios {
    to_floor: Option<f64>,
    to_reuse: Option<f64>,
    base: Option<Case>,
    to_base: Option<f64>,
}

impl Report {
    fn figures(&self, wanted: Case) -> Option<&Figures> {
        self.0.iter().find_map(|(case, figures)| (*case == wanted).then_some(figures))
    }

    fn ratios(&self, case: Case, figures: &Figures) -> Ratios {
        let to = |base: Case| {
            let base = self.figures(base)?.cpu_us_per_target.filter(|cpu| *cpu > 0.0)?;
            Some(figures.cpu_us_per_target? / base)
        };
        Ratios {
            to_floor: to(Case::FloorPlain),
            to_reuse: to(Case::FloorReuse),
            base: case.base(),
            to_base: case.base().and_then(to),
        }
    }

    /// A case of which not every target ended as it should, and how many did.
    pub(super) fn falls_short(&self) -> Option<(Case, &Figures)> {
        let is_short = |figures: &Figures| figures.ended_well < figures.targets.into();
        self.0.iter().find(|(_, figures)| is_short(figures)).map(|(case, all)| (*case, all))
    }

    /// One JSON object a line and case. Every object has every key.
    pub(super) fn jsonl(&self) -> String {
        self.0.iter().map(|(case, figures)| format!("{}\n", self.object(*case, figures))).collect()
    }

    fn object(&self, case: Case, figures: &Figures) -> Value {
        let ratios = self.ratios(case, figures);
        json!({
            "case": case.name(),
            "targets": figures.targets,
            "concurrency": figures.concurrency,
            "runs": figures.runs,
            "ended_well": figures.ended_well,
            "cpu_us_per_target": figures.cpu_us_per_target,
            "ratio_to_floor": ratios.to_floor,
            "ratio_to_reuse": ratios.to_reuse,
            "base": ratios.base.map(Case::name),
            "ratio_to": ratios.to_base,
            "targets_per_s": figures.targets_per_s,
            "p50_us": figures.p50_us,
            "p99_us": figures.p99_us,
            "rss_kib": figures.rss_kib,
            "in_flight": figures.in_flight,
            "bytes_per_probe": figures.bytes_per_probe,
            "rate_per_s": figures.rate_per_s,
            "cpu_share": figures.cpu_share,
            "startup_ms": figures.startup_ms,
        })
    }

    /// A table of at most 100 columns, and a line for each figure that has no column.
    pub(super) fn human(&self) -> String {
        let mut text = format!(
            "{:<19}{:>8}{:>8}{:>8}{:>8}{:>10}{:>9}{:>10}{:>9}{:>9}\n",
            "case",
            "cpu us",
            "/ floor",
            "/ reuse",
            "/ base",
            "per s",
            "p50 us",
            "p99 us",
            "MiB",
            "ok"
        );
        for (case, figures) in &self.0 {
            let ratios = self.ratios(*case, figures);
            let _ = writeln!(
                text,
                "{:<19}{:>8}{:>8}{:>8}{:>8}{:>10}{:>9}{:>10}{:>9.1}{:>9}",
                case.name(),
                number(figures.cpu_us_per_target, 1),
                number(ratios.to_floor, 2),
                number(ratios.to_reuse, 2),
                number(ratios.to_base, 2),
                number(figures.targets_per_s, 0),
                number(figures.p50_us, 0),
                number(figures.p99_us, 0),
                figures.rss_kib as f64 / 1_024.0,
                figures.ended_well,
            );
        }
        self.0.iter().for_each(|(case, figures)| remarks(&mut text, *case, figures));
        text
    }
}

fn remarks(text: &mut String, case: Case, figures: &Figures) {
    let name = case.name();
    if let Some((count, bytes)) = figures.in_flight.zip(figures.bytes_per_probe) {
        let _ = writeln!(text, "{name}: {count} probes open at once, {bytes:.0} bytes each");
    }
    if let Some((rate, share)) = figures.rate_per_s.zip(figures.cpu_share) {
        let share = share * 100.0;
        let _ = writeln!(text, "{name}: {rate:.1} connections a second, {share:.1}% of a core");
    }
    if let Some(startup) = figures.startup_ms {
        let _ = writeln!(text, "{name}: {startup:.1} ms to the first connection");
    }
}

fn number(value: Option<f64>, places: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.places$}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::sample::Sample;
    use super::*;

    fn figures(cpu: u64) -> Figures {
        let sample = Sample {
            targets: 100,
            concurrency: 10,
            cpu: Some(Duration::from_micros(cpu * 100)),
            wall: Duration::from_secs(1),
            ended_well: 100,
            latency: Some((cpu as u32, 2 * cpu as u32)),
            rss_kib: 2_048,
            ..Sample::default()
        };
        Figures::of(&[sample]).unwrap()
    }

    fn report() -> Report {
        let startup = Figures {
            cpu_us_per_target: None,
            targets_per_s: None,
            startup_ms: Some(12.34),
            targets: 1,
            ended_well: 1,
            ..figures(1)
        };
        Report(vec![
            (Case::FloorPlain, figures(20)),
            (Case::FloorReuse, figures(16)),
            (Case::FloorRustls, figures(100)),
            (Case::FullTls13, figures(110)),
            (Case::Startup, startup),
        ])
    }

    #[test]
    fn ratios_are_to_both_floors_and_to_the_base() {
        let lines = report().jsonl();
        let objects: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(objects.len(), 5);
        assert_eq!(objects[0]["ratio_to_floor"], 1.0);
        assert_eq!(objects[0]["ratio_to_reuse"], 1.25);
        assert_eq!(objects[0]["base"], Value::Null);
        assert_eq!(objects[3]["ratio_to_floor"], 5.5);
        assert_eq!(
            (&objects[3]["base"], &objects[3]["ratio_to"]),
            (&json!("floor_rustls"), &json!(1.1))
        );
        assert_eq!(objects[4]["ratio_to_floor"], Value::Null);
        assert_eq!(objects[4]["startup_ms"], 12.34);
        let keys = |object: &Value| object.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert!(objects.iter().all(|object| keys(object) == keys(&objects[0])));
    }

    #[test]
    fn a_ratio_to_what_took_no_time_is_none() {
        let report = Report(vec![(Case::FloorPlain, figures(0)), (Case::AutoTls12, figures(5))]);
        assert_eq!(report.ratios(Case::AutoTls12, &figures(5)).to_floor, None);
    }

    #[test]
    fn the_table_has_a_row_for_each_case_and_fits_a_page() {
        let text = report().human();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 7, "{text}");
        assert!(lines.iter().all(|line| line.len() <= 100), "{text}");
        assert_eq!(
            lines[4].split_whitespace().collect::<Vec<_>>(),
            ["full_tls13", "110.0", "5.50", "6.88", "1.10", "100", "110", "220", "2.0", "100"]
        );
        assert_eq!(lines[6], "startup: 12.3 ms to the first connection");
    }

    #[test]
    fn what_did_not_end_well_is_found() {
        assert!(report().falls_short().is_none());
        let short = Figures { ended_well: 99, ..figures(5) };
        let report = Report(vec![(Case::FloorPlain, figures(5)), (Case::Refused, short)]);
        let (case, figures) = report.falls_short().unwrap();
        assert_eq!((case, figures.ended_well), (Case::Refused, 99));
    }
}
