//! Exit codes, which scripts rely on, and the failures that lead to them.

use std::process::ExitCode;

use crate::domain::diagnostic::Diagnostic;
use crate::domain::scope::{Refusal, ScopeError};
use crate::store::StoreError;

/// How the program exits. The numbers are part of its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 2: bad usage or input. Nothing was sent.
    Usage,
    /// 3: refused by the scope. Nothing was sent beyond it.
    Refused,
    /// 4: a local resource or the store failed; what was collected before is kept.
    Local,
    /// 10: what `--fail-on` names was found.
    Found,
    /// 130: interrupted; the resume token is saved.
    Interrupted,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Local => 4,
            Self::Found => 10,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command ended early: one line for a person, one code for a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    pub(super) fn local(message: impl Into<String>) -> Self {
        Self { exit: Exit::Local, message: message.into() }
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::usage(diagnostic.to_string())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self { exit: Exit::Refused, message: format!("{refusal}; nothing was sent") }
    }
}

impl From<ScopeError> for Failure {
    fn from(error: ScopeError) -> Self {
        match error {
            ScopeError::Invalid(diagnostic) => diagnostic.into(),
            ScopeError::Refused(refusal) => refusal.into(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::local(error.to_string())
    }
}
