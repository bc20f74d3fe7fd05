//! Questions to the ledger: which certificates, and where and when they were seen.
//!
//! First the certificates that are meant are found, by an index where what is asked has one, else by looking at all of
//! them; then where each was seen. Nothing grows with the ledger but the list of the certificates that are meant.

mod candidates;
mod places;
mod timeline;

use rusqlite::Connection;

use crate::domain::query::{Found, HashPrefix, Query, Why};
use candidates::Candidates;
pub(super) use candidates::Certificates;
pub use candidates::Matcher;
use places::Places;
pub(super) use timeline::{certificates as certificates_at, visits as visits_at};

/// The first rows that a search finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// By certificate, each by address.
    pub shown: Vec<Found>,
    /// Whether there are more.
    pub more: bool,
}

/// What `query` finds, `limit` rows at most.
pub(super) fn search(
    connection: &Connection,
    query: &Query,
    index: &Matcher<'_>,
    limit: usize,
) -> rusqlite::Result<Page> {
    match candidates::of(connection, query, index)? {
        Candidates::All => by_place(connection, query, index, limit),
        Candidates::These(certificates) => {
            let certificates = certificates.into_iter().map(|id| (id, Vec::new()));
            by_certificate(connection, query, (index, limit), certificates)
        }
    }
}

/// What the certificates with this hash lead to, themselves first; see [`Why`].
pub(super) fn pivot(
    connection: &Connection,
    hash: &HashPrefix,
    query: &Query,
    (index, limit): (&Matcher<'_>, usize),
) -> rusqlite::Result<Page> {
    let allowed = candidates::of(connection, query, index)?;
    let led = candidates::led_to(connection, hash)?;
    let led = led.into_iter().filter(|(id, _)| allowed.holds(*id));
    by_certificate(connection, query, (index, limit), led)
}

/// Where each of `certificates` was seen.
fn by_certificate(
    connection: &Connection,
    query: &Query,
    (index, limit): (&Matcher<'_>, usize),
    certificates: impl Iterator<Item = (i64, Vec<Why>)>,
) -> rusqlite::Result<Page> {
    let (mut places, mut known) =
        (Places::new(connection, query), Certificates::new(connection, Some(*index)));
    let mut page = Page::default();
    for (id, why) in certificates {
        let room = limit.saturating_sub(page.shown.len());
        let seen = places.of_certificate(id, room.saturating_add(1))?;
        page.more |= seen.len() > room;
        for mut found in seen.into_iter().take(room) {
            (found.certificate, found.matches) = known.describe(id)?;
            found.why.clone_from(&why);
            page.shown.push(found);
        }
        if page.more {
            break;
        }
    }
    Ok(page)
}

/// What was seen at the places that are asked for, whatever the certificate.
fn by_place(
    connection: &Connection,
    query: &Query,
    index: &Matcher<'_>,
    limit: usize,
) -> rusqlite::Result<Page> {
    let mut known = Certificates::new(connection, Some(*index));
    let mut seen = Places::new(connection, query).of_all(limit.saturating_add(1))?;
    let more = seen.len() > limit;
    seen.truncate(limit);
    // Of one certificate together: that is how they are read.
    seen.sort_by_key(|(id, found)| (*id, found.address));
    let shown = seen.into_iter().map(|(id, mut found)| {
        (found.certificate, found.matches) = known.describe(id)?;
        Ok(found)
    });
    Ok(Page { shown: shown.collect::<rusqlite::Result<_>>()?, more })
}
