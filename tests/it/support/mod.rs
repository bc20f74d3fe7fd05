//! What the tests share: a folder with the program in it, the lab, records, and the ledger's content.

mod lab;
mod ledger;
mod program;
mod records;

pub(crate) use lab::{Lab, TrappedPort, raise_descriptors, row_of, runtime, scan_with};
pub(crate) use ledger::{content, query, single};
pub(crate) use program::{Finished, Running, Workspace};
pub(crate) use records::{Row, Table, assert_same, observations, parse, table};
