//! `certsweep indicators`: what is matched, and whether the files are right.

use super::args::{IndicatorsArgs, IndicatorsCommand};
use super::exit::{Exit, Failure};
use super::{source, terminal};
use crate::domain::indicator::IndicatorSet;
use crate::domain::text::{defang_address, defang_name, escape};

/// Runs `indicators list` or `indicators check`.
pub(super) fn run(args: &IndicatorsArgs) -> Result<Exit, Failure> {
    match &args.command {
        IndicatorsCommand::List { files } => {
            for set in source::indicator_sets(files)? {
                terminal::print(&listing(&set))?;
            }
            Ok(Exit::Done)
        }
        IndicatorsCommand::Check { files } => {
            let failures: Vec<Failure> = files
                .iter()
                .filter_map(|path| match source::indicator_set(path) {
                    Ok(set) => {
                        terminal::note(&format!("{}: ok, {}", path.display(), size(&set)));
                        None
                    }
                    Err(failure) => Some(failure),
                })
                .collect();
            match failures.split_last() {
                None => Ok(Exit::Done),
                Some((last, others)) => {
                    others.iter().for_each(|failure| terminal::note(&failure.message));
                    Err(last.clone())
                }
            }
        }
    }
}

fn size(set: &IndicatorSet) -> String {
    format!("set '{}', {}", escape(&set.name), set.contents())
}

fn listing(set: &IndicatorSet) -> String {
    let mut text = format!("{}, TLP {}\n", size(set), set.tlp.word().to_uppercase());
    for source in &set.sources {
        let publisher = source.publisher.as_deref().unwrap_or("unknown publisher");
        let published = source.published.map_or(String::new(), |day| format!(", {day}"));
        text.push_str(&format!(
            "  {}: {} ({}{published})\n",
            escape(&source.id),
            escape(&source.title),
            escape(publisher)
        ));
    }
    let mut table = terminal::table();
    table.set_header(["tier", "indicator", "label or dates", "source"]);
    for listed in set.indicators() {
        let label = listed.label.map(|label| escape(&defang_name(label)));
        table.add_row([
            listed.indicator.tier().letter().to_owned(),
            escape(&defang_name(&listed.indicator.to_string())),
            label.unwrap_or_default(),
            escape(listed.source),
        ]);
    }
    for address in &set.addresses {
        let dates = match (address.first_seen, address.last_seen) {
            (Some(first), Some(last)) => format!("reported {first} to {last}"),
            (Some(day), None) | (None, Some(day)) => format!("reported {day}"),
            (None, None) => "reported, no date".to_owned(),
        };
        table.add_row([
            "-".to_owned(),
            defang_address(address.address),
            dates,
            escape(&address.source),
        ]);
    }
    text.push_str(&format!("{table}\n"));
    for profile in &set.profiles {
        let rule = escape(&defang_name(&profile.rule.to_string()));
        text.push_str(&format!("{} matches where {rule}\n", profile.entry.indicator));
    }
    text.push('\n');
    text
}
