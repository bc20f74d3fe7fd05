//! Ten thousand histories that nobody thought of, against what must hold of all of them and against a model that looks
//! back over the whole history at each visit.

use super::*;

/// A small generator; the same seed gives the same histories.
struct Dice(u64);

impl Dice {
    /// A number below `sides` (splitmix64).
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    /// A history of up to 40 visits of up to `leaves` leaves, mostly as the visit before.
    fn history(&mut self, leaves: u64) -> String {
        let length = self.roll(40);
        let mut visits: Vec<String> = Vec::new();
        for _ in 0..length {
            let visit = match (self.roll(10), visits.last()) {
                (0..=3, Some(last)) => last.clone(),
                (0..=6, _) => self.leaf(leaves),
                (7, _) => format!("{}{}", self.leaf(leaves), self.leaf(leaves)),
                (8, _) => "-".to_owned(),
                _ => ".".to_owned(),
            };
            visits.push(visit);
        }
        visits.join(" ")
    }

    fn leaf(&mut self, leaves: u64) -> String {
        char::from(b'a' + self.roll(leaves) as u8).to_string()
    }
}

const HISTORIES: u64 = 12_000;

fn every(mut check: impl FnMut(&str, u32)) {
    let mut dice = Dice(4_471);
    for number in 0..HISTORIES {
        let leaves = 1 + number % 5;
        let text = dice.history(leaves);
        check(&text, 1 + dice.roll(3) as u32);
    }
}

/// Whether visit `at` (from 0) was answered and showed `leaf`: `None` if it was not answered.
fn showed(history: &[Sight<char>], at: usize, leaf: char) -> Option<bool> {
    match &history[at].seen {
        Seen::NoAnswer => None,
        Seen::Otherwise => Some(false),
        Seen::Leaves(leaves) => Some(leaves.contains(&leaf)),
    }
}

/// How many answered visits in a row up to `at`, it included, did not show `leaf`.
fn absences(history: &[Sight<char>], at: usize, leaf: char) -> u32 {
    let answered = (0..=at).rev().filter_map(|before| showed(history, before, leaf));
    answered.take_while(|showed| !showed).count() as u32
}

#[test]
fn whatever_happens_certain_things_hold() {
    every(|text, absent_after| {
        let history = history(text);
        let (_, changes) = fold(history.clone(), Rules::new(absent_after).unwrap(), |_| None);
        for leaf in 'a'..='e' {
            let of_leaf: Vec<_> = changes.iter().filter(|change| change.leaf == leaf).collect();
            let first = (0..history.len()).find(|at| showed(&history, *at, leaf) == Some(true));
            // Seen first once, and nothing before.
            assert_eq!(of_leaf.first().map(|change| change.scan as usize - 1), first, "{text}");
            assert!(of_leaf.first().is_none_or(|change| change.kind == Kind::New), "{text}");
            for pair in of_leaf.windows(2) {
                let is_end = |kind| matches!(kind, Kind::Gone | Kind::Rotated);
                // There, gone, there again, gone again.
                assert_ne!(is_end(pair[0].kind), is_end(pair[1].kind), "{text} {pair:?}");
                assert_ne!(pair[1].kind, Kind::New, "{text}");
            }
        }
        for change in &changes {
            let at = change.scan as usize - 1;
            let gone_for = absences(&history, at, change.leaf);
            match change.kind {
                Kind::New | Kind::Moved | Kind::Returned => assert_eq!(gone_for, 0, "{text}"),
                Kind::Gone | Kind::Rotated => {
                    assert!(gone_for >= absent_after, "{text} {change:?}");
                    assert_ne!(showed(&history, at, change.leaf), None, "{text}");
                }
            }
            if let Some(to) = change.to {
                assert!(absences(&history, at, to) == 0 && to != change.leaf, "{text} {change:?}");
            }
        }
    });
}

#[test]
fn visits_without_an_answer_change_nothing() {
    every(|text, absent_after| {
        let rules = Rules::new(absent_after).unwrap();
        let whole = history(text);
        let answered: Vec<_> =
            whole.iter().filter(|sight| sight.seen != Seen::NoAnswer).cloned().collect();
        let ((state, changes), (without, same)) =
            (fold(whole, rules, |_| None), fold(answered, rules, |_| None));
        assert_eq!(changes, same, "{text}");
        assert!(state.leaves().eq(without.leaves()), "{text}");
    });
}

#[test]
fn the_order_in_which_visits_come_is_of_no_matter() {
    let mut dice = Dice(1);
    every(|text, absent_after| {
        let rules = Rules::new(absent_after).unwrap();
        let mut shuffled = history(text);
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, dice.roll(at as u64 + 1) as usize);
        }
        assert_eq!(fold(shuffled, rules, |_| None), fold(history(text), rules, |_| None), "{text}");
    });
}

/// Where one visit shows one leaf at most and there are two of them, what is told does not grow with how often they take
/// turns within a threshold.
#[test]
fn two_leaves_that_take_turns_are_told_of_once() {
    let mut dice = Dice(2);
    for _ in 0..2_000 {
        // Runs shorter than twice the two visits that make an absence.
        let mut text = String::from("a b a b");
        for _ in 0..30 {
            let leaf = dice.leaf(2);
            text.push_str(&format!(" {leaf}").repeat(1 + dice.roll(2) as usize));
            let other = if leaf == "a" { "b" } else { "a" };
            text.push_str(&format!(" {other}"));
        }
        let (_, told) = changes(&text, 2);
        assert_eq!(told, ["1 new a", "2 new b"], "{text}");
    }
}

/// One leaf, answers without it, and no answers: what it is told of can be read off the history directly.
#[test]
fn one_leaf_alone_follows_a_model_that_looks_back() {
    let mut dice = Dice(3);
    for _ in 0..HISTORIES {
        let length = dice.roll(30);
        let visit = |dice: &mut Dice| ["a", "-", "."][dice.roll(3) as usize];
        let text: Vec<&str> = (0..length).map(|_| visit(&mut dice)).collect();
        let (text, absent_after) = (text.join(" "), 1 + dice.roll(4) as u32);
        let history = history(&text);
        let mut expected = Vec::new();
        for at in 0..history.len() {
            let before = |at: usize| (0..at).any(|at| showed(&history, at, 'a') == Some(true));
            let gone_for = |at: usize| at.checked_sub(1).map(|at| absences(&history, at, 'a'));
            match showed(&history, at, 'a') {
                Some(true) if !before(at) => expected.push(format!("{} new a", at + 1)),
                Some(true) if gone_for(at) >= Some(absent_after) => {
                    expected.push(format!("{} returned a", at + 1));
                }
                Some(false) if before(at) && absences(&history, at, 'a') == absent_after => {
                    expected.push(format!("{} gone a", at + 1));
                }
                _ => {}
            }
        }
        assert_eq!(changes(&text, absent_after).1, expected, "{text}");
    }
}
