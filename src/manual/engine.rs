//! How a sweep runs: loops, places, the short way, and where the time goes.
//!
//! **Loops.** A run is one event loop (epoll) for each core, each on a thread of its own with its own slice of the order;
//! up to 10,000 connections a second, or for fewer than 2,048 addresses, a single one does. `--threads` says otherwise. A slice has whole politeness
//! prefixes, so that one connection at a time to a host and the rate of a prefix are kept without asking another
//! loop. The rate of the run is shared: loops take permits of up to one millisecond at once. Positions mean the same for
//! any number of loops; no loop goes further ahead of the slowest than a window. tokio carries what is around the
//! loops: signals, the ledger, output.
//!
//! **Places.** An open probe is a place in a list of about 200 bytes: a socket, a deadline in a wheel of ticks of four
//! milliseconds, and a client once one is needed. Sockets are not closed but connected to no address (`AF_UNSPEC`), which
//! resets the connection and leaves neither side waiting; after a finished handshake they are closed properly. The
//! acknowledgement of the TCP handshake goes out with the ClientHello, in one packet.
//!
//! **The short way.** First attempts with `--handshake auto` and `leaf` all send the same ClientHello, whose key shares are
//! base points. What comes back is looked at where the kernel holds it
//! ([`Glance`](crate::domain::tls::own::Glance)): if the certificates are all there, that was it. Whatever else comes (an
//! alert, a retry, silence, something that is not TLS) goes to a client of the full kind, which reads it from the first
//! byte on. The random in that hello is the same on every connection of a run, so that nothing could be proven
//! with it, and nothing is: whoever confirms a match sends fresh ones.
//!
//! **Leaves.** A certificate that was seen before is known by its SHA-256, and is neither read nor matched again.
//!
//! **Waiting for connections.** `--timeout` is the longest. Once 64 targets have answered, the wait is one second, for a SYN
//! that was lost and sent again (RFC 6298), and three times the slowest answer of late; never less than two seconds,
//! unless `--timeout` is; each loop learns for itself
//! ([`Patience`](crate::domain::patience::Patience)).
//!
//! **Bounds.** Before the first packet, descriptors and free memory decide how many connections may be open. Ports are no
//! bound: a host has one connection at a time, and the kernel gives one port to any number of destinations.
//!
//! **Where the time went.** A scan of more than a second ends with a line such as
//!
//! ```text
//! time: 83 % waiting for the rate, 12 % waiting for the last answers, 5 % working; a higher --rate would help, if the scope permits one
//! ```
//!
//! It names what kept the sweep from going faster, the longest first, and the setting that would change that.
