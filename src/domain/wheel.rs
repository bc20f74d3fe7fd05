//! The deadlines of many probes: each is set, moved and cleared in constant time.
//!
//! A wheel of buckets, one for each tick of the clock. A deadline stands in the bucket of the tick at whose end it
//! has passed, so that it is called at most one tick late and never early. What lies further ahead than the
//! wheel reaches waits in its last bucket and moves on from there. Keys are small numbers, such as places in
//! a slab: the wheel keeps one node for each and allocates nothing else.

use std::time::Duration;

use super::tls::Moment;

/// The time that one bucket stands for.
pub const TICK: Duration = Duration::from_millis(4);

/// Buckets: the wheel reaches about eight seconds ahead.
const BUCKETS: usize = 2_048;

/// No key.
const NONE: u32 = u32::MAX;

/// A deadline's place: the bucket's list that it is in, if any.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// The tick at whose beginning the deadline has passed.
    due: u64,
    /// The bucket it stands in; `NONE` if it is not set.
    bucket: u32,
    next: u32,
    previous: u32,
}

const UNSET: Node = Node { due: 0, bucket: NONE, next: NONE, previous: NONE };

/// At most one deadline for each key.
#[derive(Debug)]
pub struct Wheel {
    /// The first key in each bucket.
    heads: Vec<u32>,
    /// Which buckets hold something, a bit for each.
    occupied: [u64; BUCKETS / 64],
    nodes: Vec<Node>,
    /// All ticks before this one were called.
    tick: u64,
}

impl Default for Wheel {
    fn default() -> Self {
        Self { heads: vec![NONE; BUCKETS], occupied: [0; BUCKETS / 64], nodes: Vec::new(), tick: 0 }
    }
}

impl Wheel {
    /// Sets the deadline of `key`, or moves it.
    pub fn set(&mut self, key: u32, deadline: Moment) {
        let index = key as usize;
        if self.nodes.len() <= index {
            self.nodes.resize(index + 1, UNSET);
        }
        let due = tick_after(deadline).max(self.tick);
        if self.nodes[index].bucket != NONE {
            if self.nodes[index].due == due {
                return;
            }
            self.clear(key);
        }
        self.insert(key, due);
    }

    /// Forgets the deadline of `key`, if it has one.
    pub fn clear(&mut self, key: u32) {
        let Some(node) = self.nodes.get(key as usize).copied() else { return };
        if node.bucket == NONE {
            return;
        }
        match node.previous {
            NONE => self.heads[node.bucket as usize] = node.next,
            previous => self.nodes[previous as usize].next = node.next,
        }
        if node.next != NONE {
            self.nodes[node.next as usize].previous = node.previous;
        }
        if self.heads[node.bucket as usize] == NONE {
            self.occupied[node.bucket as usize / 64] &= !(1 << (node.bucket % 64));
        }
        self.nodes[key as usize] = UNSET;
    }

    /// Takes out a key whose deadline has passed at `now`.
    pub fn expired(&mut self, now: Moment) -> Option<u32> {
        let current = tick_of(now);
        while self.tick <= current {
            let bucket = (self.tick % BUCKETS as u64) as usize;
            while self.heads[bucket] != NONE {
                let key = self.heads[bucket];
                let due = self.nodes[key as usize].due;
                self.clear(key);
                if due <= self.tick {
                    return Some(key);
                }
                self.insert(key, due);
            }
            // An empty stretch is passed over at once.
            let next = self.next_occupied().unwrap_or(u64::MAX);
            self.tick = next.min(current + 1).max(self.tick + 1);
        }
        None
    }

    /// When to ask [`Wheel::expired`] next; `None` if nothing is set.
    pub fn next(&self) -> Option<Moment> {
        let ticks = self.next_occupied()?;
        Some(Duration::from_micros(ticks.saturating_mul(TICK.as_micros() as u64)))
    }

    fn insert(&mut self, key: u32, due: u64) {
        let reach = self.tick + BUCKETS as u64 - 1;
        let bucket = (due.min(reach) % BUCKETS as u64) as usize;
        let next = self.heads[bucket];
        self.nodes[key as usize] = Node { due, bucket: bucket as u32, next, previous: NONE };
        if next != NONE {
            self.nodes[next as usize].previous = key;
        }
        self.heads[bucket] = key;
        self.occupied[bucket / 64] |= 1 << (bucket % 64);
    }

    /// The first tick from the present one on whose bucket holds something.
    fn next_occupied(&self) -> Option<u64> {
        let start = (self.tick % BUCKETS as u64) as usize;
        let words = self.occupied.len();
        for step in 0..=words {
            let word = (start / 64 + step) % words;
            let mut bits = self.occupied[word];
            if step == 0 {
                bits &= u64::MAX << (start % 64);
            } else if step == words {
                bits &= !(u64::MAX << (start % 64));
            }
            if bits != 0 {
                let bucket = word * 64 + bits.trailing_zeros() as usize;
                let ahead = (bucket + BUCKETS - start) % BUCKETS;
                return Some(self.tick + ahead as u64);
            }
        }
        None
    }
}

/// The tick that `moment` lies in.
fn tick_of(moment: Moment) -> u64 {
    (moment.as_micros() / TICK.as_micros()) as u64
}

/// The first tick that begins at `moment` or later.
fn tick_after(moment: Moment) -> u64 {
    let ticks = moment.as_nanos().div_ceil(TICK.as_nanos());
    u64::try_from(ticks).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn ms(ms: u64) -> Moment {
        Duration::from_millis(ms)
    }

    fn all(wheel: &mut Wheel, now: Moment) -> Vec<u32> {
        let mut keys: Vec<u32> = std::iter::from_fn(|| wheel.expired(now)).collect();
        keys.sort_unstable();
        keys
    }

    #[test]
    fn a_deadline_is_called_within_a_tick_and_never_early() {
        let mut wheel = Wheel::default();
        wheel.set(0, ms(5));
        wheel.set(1, ms(8));
        assert_eq!(wheel.next(), Some(ms(8)));
        assert_eq!(all(&mut wheel, Duration::from_micros(7_999)), [0_u32; 0]);
        assert_eq!(all(&mut wheel, ms(8)), [0, 1]);
        assert_eq!(wheel.next(), None);
    }

    #[test]
    fn moved_and_cleared_deadlines_are_not_called() {
        let mut wheel = Wheel::default();
        for key in 0..4 {
            wheel.set(key, ms(100));
        }
        wheel.clear(1);
        wheel.clear(1);
        wheel.clear(77);
        wheel.set(2, ms(50));
        wheel.set(3, ms(200));
        assert_eq!(all(&mut wheel, ms(99)), [2]);
        assert_eq!(all(&mut wheel, ms(199)), [0]);
        assert_eq!(all(&mut wheel, ms(300)), [3]);
    }

    #[test]
    fn what_is_beyond_the_wheel_waits_its_time() {
        let mut wheel = Wheel::default();
        wheel.set(0, Moment::MAX);
        wheel.set(1, ms(60_000));
        let mut now = Moment::ZERO;
        while now < ms(59_996) {
            assert_eq!(wheel.expired(now), None);
            now = wheel.next().unwrap().min(ms(59_996));
        }
        assert_eq!(all(&mut wheel, ms(59_999)), [0_u32; 0]);
        assert_eq!(all(&mut wheel, ms(60_000)), [1]);
        assert_eq!(all(&mut wheel, ms(3_600_000)), [0_u32; 0]);
    }

    /// A long run of chosen operations, against an ordered map.
    #[test]
    fn it_agrees_with_an_ordered_map() {
        let mut state = 7_u64;
        let mut random = move |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        let (mut wheel, mut model, mut now) = (Wheel::default(), BTreeMap::new(), Moment::ZERO);
        for _ in 0..20_000 {
            let key = random(50) as u32;
            match random(4) {
                0 => {
                    wheel.clear(key);
                    model.remove(&key);
                }
                1 => {
                    now += Duration::from_micros(random(40_000));
                    for key in all(&mut wheel, now) {
                        let deadline: Moment = model.remove(&key).unwrap();
                        assert!(deadline <= now);
                    }
                    assert!(model.values().all(|deadline| *deadline + TICK > now));
                }
                _ => {
                    let deadline = now + Duration::from_micros(random(12_000_000));
                    wheel.set(key, deadline);
                    model.insert(key, deadline);
                }
            }
            let soonest = model.values().min().copied();
            assert_eq!(wheel.next().is_some(), soonest.is_some());
            if let (Some(next), Some(soonest)) = (wheel.next(), soonest) {
                assert!(next <= soonest + TICK, "{next:?} {soonest:?}");
            }
        }
    }
}
