//! A pipeline's dataflow: in this process, or on hosts.

use chimera_sql::{Delta, EngineError, Output, RowError};
use uuid::Uuid;

use crate::hosts::{self, Remote};

/// Driven by one thread.
pub enum Dataflow {
    Here(chimera_sql::Dataflow),
    OnHosts(Remote),
}

/// Why a dataflow does not go on.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{0}")]
    Here(#[from] EngineError),
    #[error("the files of its checkpoint are not there; it is built anew from the log")]
    Lost,
    #[error("{0}")]
    State(#[from] crate::Error),
    #[error("{0}")]
    OnHosts(#[from] hosts::Error),
}

impl Failure {
    /// Whether the state that it was to go on from is not there, or is another dataflow's.
    pub fn is_without_state(&self) -> bool {
        matches!(self, Self::Lost | Self::Here(EngineError::OtherProgram { .. }) | Self::OnHosts(hosts::Error::NotHeld { .. }))
    }
}

impl Dataflow {
    pub fn push(&mut self, table: &str, delta: Delta) -> Result<(), Failure> {
        match self {
            Self::Here(dataflow) => Ok(dataflow.push(table, delta)?),
            Self::OnHosts(dataflow) => Ok(dataflow.push(table, &delta)?),
        }
    }

    pub fn advance(&mut self, now: i64) {
        match self {
            Self::Here(dataflow) => dataflow.advance(now),
            Self::OnHosts(dataflow) => dataflow.advance(now),
        }
    }

    /// What groups and their like take of this process's memory.
    pub fn table_bytes(&self) -> usize {
        match self {
            Self::Here(dataflow) => dataflow.table_bytes(),
            Self::OnHosts(_) => 0,
        }
    }

    pub fn step(&mut self) -> Result<Vec<Output>, Failure> {
        match self {
            Self::Here(dataflow) => Ok(dataflow.step()?),
            Self::OnHosts(dataflow) => Ok(dataflow.step()?),
        }
    }

    /// Whether it can go on, between two steps.
    pub fn check(&mut self) -> Result<(), Failure> {
        match self {
            Self::Here(_) => Ok(()),
            Self::OnHosts(dataflow) => Ok(dataflow.check()?),
        }
    }

    pub fn take_row_errors(&mut self) -> Vec<RowError> {
        match self {
            Self::Here(dataflow) => dataflow.take_row_errors(),
            Self::OnHosts(dataflow) => dataflow.take_row_errors(),
        }
    }

    pub fn checkpoint(&mut self) -> Result<Uuid, Failure> {
        match self {
            Self::Here(dataflow) => Ok(dataflow.checkpoint()?),
            Self::OnHosts(dataflow) => Ok(dataflow.checkpoint()?),
        }
    }

    pub fn fingerprint(&self) -> u64 {
        match self {
            Self::Here(dataflow) => dataflow.fingerprint(),
            Self::OnHosts(dataflow) => dataflow.fingerprint(),
        }
    }

    pub fn stop(self) {
        match self {
            Self::Here(dataflow) => dataflow.stop(),
            Self::OnHosts(dataflow) => drop(dataflow),
        }
    }
}
