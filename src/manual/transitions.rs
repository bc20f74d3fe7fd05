//! Transitions: what changed at a place, and when a certificate is called gone.
//!
//! A *place* is an address and port, the server name that was sent, and the vantage that looked. Its history is what each
//! scan that tried it saw there, in order of time. The rules ([`domain::ledger`](crate::domain::ledger)) are a fold over that
//! history: the same visits give the same transitions in whatever order they were written down, resumed or merged.
//!
//! What a visit says:
//!
//! | the visit ended with | which says |
//! | --- | --- |
//! | `certificate` | these leaves are there |
//! | `refused`, `closed`, `not_tls`, `alert`, `malformed`, `too_large` | it was answered, and no leaf was shown |
//! | `connect_timeout`, `unreachable`, `silent`, `stalled`, `reset` | nothing: networks and overload do the same |
//! | no visit: the scan did not try it | nothing |
//!
//! A transition is about one leaf at one place:
//!
//! | word | meaning |
//! | --- | --- |
//! | `new` | never seen there before, and at no other address before this round |
//! | `moved` | never seen there before, and at another address before this round |
//! | `gone` | K visits in a row that were answered did not show it (`absent_after`, 2 unless you say otherwise) |
//! | `rotated` | the same, and all K showed one other leaf, which is there instead |
//! | `returned` | it was gone or had rotated away, and is seen again |
//!
//! A *round* is one scan, or the shards of one plan and seed, wherever each was swept. Within a round nothing moves: a leaf that
//! is first seen at ten addresses is new at all of them. The same address at another port or name is `new`, not `moved`.
//!
//! Where leaves take turns, as behind a load balancer, or several are shown at once, the place is *multiple*: a leaf that
//! comes back while another stood in for it, a third leaf while the first may still be there, a leaf that had rotated
//! away while its successor is still there. Then a leaf is gone only after K visits for each leaf that may be there (8 times K at
//! most), going to and fro makes no transition, and a leaf that only one visit ever saw is forgotten without a word. When one leaf
//! is left, the place is an ordinary one again.
//!
//! Letters are leaves, `-` is an answer without one, `.` is no answer; K is 2:
//!
//! | visits | transitions |
//! | --- | --- |
//! | `a . . . a` | new a |
//! | `a - a` | new a |
//! | `a - . -` | new a, gone a at the fourth |
//! | `a - - a` | new a, gone a, returned a |
//! | `a b b` | new a, new b, rotated a to b at the third |
//! | `a b a b a b` | new a, new b |
//! | `a a b b a` | new a, new b, rotated a to b, returned a |
//! | `ab ab a a a a` | new a, new b, rotated b to a at the last |
//!
//! What is there no more but cannot be called gone is told by `diff` as that: *missing* (in fewer than K visits), *unreachable*
//! (the last visit was not answered), *not tried* (nobody looked).
//!
//! Transitions of certificates that match an indicator are kept in the table `transition` (view `transitions`); their key, a
//! SHA-256 over kind, place, leaves and scan, is the idempotency key of alerts. Those of all other certificates are folded
//! when they are asked for (`diff --all`): a first scan would write millions of them. What others collected (`match`) is no
//! visit and makes no transition.
