//! The OpenFeature Remote Evaluation Protocol (github.com/open-feature/protocol): the OFREP provider of any OpenFeature SDK works with it.
//! Its errors are the protocol's own, not problem documents.

pub mod answer;
pub mod bulk;
pub mod request;
pub mod single;

use crate::api::access::{Caller, Role};
use crate::api::flags::evaluate::Flag;

/// Whether a caller is told of a flag. To others it is not there: what it is for may be a secret.
fn is_visible(flag: &Flag, caller: Option<&Caller>) -> bool {
    !flag.definition.is_server_only || caller.is_some_and(|caller| matches!(caller.role, Role::Service | Role::Admin))
}
