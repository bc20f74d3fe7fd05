//! Conversations of the client with servers of which every byte is known, for tests.

pub(super) mod conversation;
pub(super) mod encrypting;
pub(super) mod finishing;
