//! The words, each with one meaning and no synonym.
//!
//! | word | meaning |
//! | --- | --- |
//! | scope | who said that which addresses and ports may be probed, when, at what rate; without one nothing is sent |
//! | target / endpoint | one address and port / the same once something answered there |
//! | prefix | the politeness prefix that an address lies in: its /24, or /48 for IPv6 |
//! | probe / attempt | one connection to one target, from SYN to close |
//! | visit | all attempts on one target and server name in one scan |
//! | leaf | the first certificate of the server's Certificate message, as the bytes received |
//! | fingerprint | SHA-1 (also SHA-256) of the leaf's DER, taken before anything parses it |
//! | indicator, indicator set | one thing to match (hash, public key hash, name, profile, template), with its provenance; a named list of them |
//! | outcome | how a probe ended, from a closed list; data, never an error ([`outcomes`](super::outcomes)) |
//! | observation | one visit's record |
//! | reported | an address that a report names: dated, shown beside matches, never a match |
//! | collected | a certificate in a file of somebody else's: reported by others, never presented or proven to us ([`collected`](super::collected)) |
//! | evidence | how much the server proved ([`evidence`](super::evidence)) |
//! | tier | how close a match is: A the exact leaf, B the same public key in another certificate, C a reported name together with the SoftEther default template, D a profile rule, E only that template |
//! | guess | a match at tier C, D or E: what is alike, and not the reported certificate or key |
//! | plan | what a sweep will do: scope, ports, target list and order, checked before anything is sent |
//! | order, position | the seeded sequence of a plan's targets, and a place in it |
//! | shard | part I of N of a plan's order; a prefix lies in exactly one |
//! | scan | one run of a plan, with its id; a resumed run goes on with the same scan |
//! | sighting | the interval first seen to last seen of one certificate at one endpoint and server name, with its count |
//! | coverage | the positions that a scan has really tried; "absent" may be claimed only over it |
//! | resume token | the coverage of an unfinished scan: a low-water mark and a bounded set beyond it |
//! | ledger | all sightings, scans and coverage |
//! | vantage | a name for where a scan looked from |
//! | fault | an error of certsweep's own that kept a target from being probed |
//! | alert | what is told of one transition at one endpoint ([`alerts`](super::alerts)) |
//! | channel | one place that alerts go to, with the most closed TLP level that it may carry |
//! | outbox | the alerts that wait, each for one channel, until delivered or given up |
