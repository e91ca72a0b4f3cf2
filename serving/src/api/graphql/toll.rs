//! What a query costs counts in the rate limit. It is known once the query is checked, and counted before it runs.

use std::sync::Arc;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation};
use async_graphql::{ServerError, ValidationResult};
use async_trait::async_trait;
use parking_lot::Mutex;

use super::{Asker, Operation};
use crate::api::access::Access;
use crate::api::problem::Problem;
use crate::api::rate_limit::{self, Sender};

/// So much counts as a read: a root that loads something costs as much.
const A_READ: usize = 100;
/// So much counts as a write: a mutation costs as much.
const A_WRITE: usize = 1000;

/// Goes along with a request that was counted once already.
#[derive(Clone)]
pub struct Toll {
    sender: Sender,
    operation: Operation,
    /// Of a request that was one too many.
    refusal: Arc<Mutex<Option<Problem>>>,
}

impl Toll {
    pub fn new(sender: Sender, operation: Operation) -> Self {
        Self { sender, operation, refusal: Arc::default() }
    }

    /// Why the request was not run; `None`: it was not for this.
    pub fn refusal(&self) -> Option<Problem> {
        self.refusal.lock().take()
    }

    /// As how many requests a query counts besides the one that it is.
    fn more(&self, cost: usize) -> u32 {
        let more = match self.operation {
            Operation::Mutation => (cost / A_WRITE).saturating_sub(1),
            Operation::Query | Operation::Subscription => cost / A_READ,
        };
        u32::try_from(more).unwrap_or(u32::MAX)
    }
}

/// Has requests that a [`Toll`] goes along with counted.
pub struct Tolls;

impl ExtensionFactory for Tolls {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait]
impl Extension for Tolls {
    async fn validation(&self, context: &ExtensionContext<'_>, next: NextValidation<'_>) -> Result<ValidationResult, Vec<ServerError>> {
        let found = next.run(context).await?;
        let (Some(toll), Some(asker)) = (context.data_opt::<Toll>(), context.data_opt::<Asker>()) else { return Ok(found) };
        let more = toll.more(found.complexity);
        if more == 0 {
            return Ok(found);
        }
        match rate_limit::count_as(&asker.app, &toll.sender, Access::Public, asker.caller.as_ref(), more).await {
            Ok(()) => Ok(found),
            Err(problem) => {
                let error = ServerError::new(problem.detail(), None);
                *toll.refusal.lock() = Some(problem);
                Err(vec![error])
            }
        }
    }
}
