//! Who asks, and of what.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, ID};
use axum::http::HeaderMap;
use parking_lot::Mutex;
use uuid::Uuid;

use super::loaders::Loads;
use crate::api::access::{Caller, Role, unauthenticated};
use crate::api::carts::Owner;
use crate::api::freshness::After;
use crate::api::orders::shown::Viewer;
use crate::api::problem::{Problem, Result, kinds};
use crate::api::state::App;

/// What resolvers work with.
#[derive(Clone)]
pub struct Asker {
    pub app: App,
    pub caller: Option<Caller>,
    /// Of whoever has not logged in.
    guest: Owner,
    /// What reads of derived stores have to include.
    pub after: After,
    /// How often something was loaded of each kind.
    pub loads: Arc<Mutex<BTreeMap<&'static str, usize>>>,
}

impl Asker {
    /// `headers`: `chimera-cart` and `chimera-after` are looked at.
    pub fn new(app: App, caller: Option<Caller>, headers: &HeaderMap) -> Result<Self> {
        Ok(Self { app, caller, guest: Owner::of_guest(headers)?, after: After::of_header(headers)?, loads: Arc::default() })
    }

    pub fn with_guest(self, guest: Owner) -> Self {
        Self { guest, ..self }
    }

    pub(super) fn of<'a>(context: &Context<'a>) -> &'a Self {
        context.data_unchecked()
    }

    pub(super) fn loaders(&self) -> DataLoader<Loads> {
        DataLoader::new(Loads::new(self.app.clone(), self.loads.clone()), tokio::spawn)
    }

    pub fn caller(&self) -> Result<&Caller> {
        self.caller.as_ref().ok_or_else(|| unauthenticated("This is for who has logged in."))
    }

    pub fn viewer(&self) -> Result<Viewer> {
        self.caller().map(Viewer::of)
    }

    /// Whose cart this is about.
    pub fn owner(&self) -> Result<Owner> {
        self.caller.as_ref().map_or(Ok(self.guest), |caller| caller.user_id().map(Owner::User))
    }

    /// For what of an account only its owner and administrators see.
    pub fn check_is(&self, user_id: Uuid) -> Result<()> {
        let caller = self.caller()?;
        if caller.role == Role::Admin || caller.user_id == Some(user_id) {
            return Ok(());
        }
        Err(Problem::new(&kinds::FORBIDDEN, "You see your own account only; administrators see all."))
    }
}

pub fn uuid(name: &str, id: &ID) -> Result<Uuid> {
    let wrong = |_| Problem::new(&kinds::BAD_PARAMETER, format!("`{name}` is not an id."));
    id.parse().map_err(wrong)
}

pub fn id(id: Uuid) -> ID {
    ID(id.to_string())
}

/// Entries of a list.
pub fn page(first: i32) -> Result<u32> {
    let wrong = || Problem::new(&kinds::BAD_PARAMETER, format!("`first` is {first}; it goes from 1 to 100."));
    u32::try_from(first).ok().filter(|first| (1..=100).contains(first)).ok_or_else(wrong)
}
