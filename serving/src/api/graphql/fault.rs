//! A problem on its way into the `errors` of an answer.

use std::sync::{Arc, Once};

use async_graphql::{Error, ErrorExtensionValues, Value};

use crate::api::problem::Problem;

/// What resolvers fail with. No error of another type may leave them: what such a one says is not meant for clients.
#[derive(Clone)]
pub struct Fault(Arc<(Problem, Once)>);

pub type Result<T, E = Fault> = std::result::Result<T, E>;

impl<E: Into<Problem>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(Arc::new((error.into(), Once::new())))
    }
}

impl Fault {
    /// The members of the problem document.
    pub fn extensions(&self) -> Option<ErrorExtensionValues> {
        let body = self.0.0.body();
        let mut values = ErrorExtensionValues::default();
        for (name, value) in body.extensions {
            values.set(name, Value::from_json(value).unwrap_or_default());
        }
        values.set("type", body.kind);
        values.set("title", body.title);
        values.set("status", body.status);
        values.set("detail", body.detail);
        Some(values)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let (problem, logged) = &*fault.0;
        // One load may fail many fields.
        logged.call_once(|| problem.log());
        let mut error = Error::new(problem.detail());
        error.extensions = fault.extensions();
        error
    }
}
