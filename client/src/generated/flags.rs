//! Of `flags`.

use reqwest::Method;

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Result};

impl Client {
    /// Flags, a page at a time.
    ///
    /// `GET /api/v1/flags`
    pub async fn list_flags(&self, query: &ListFlagsQuery) -> Result<Answer<FlagList>> {
        self.call(Method::GET, &["api", "v1", "flags"]).query(query.pairs()).typed().await
    }

    /// Makes a flag.
    ///
    /// `POST /api/v1/flags`
    pub async fn create_flag(&self, body: &NewFlag) -> Result<Answer<FlagRecord>> {
        self.call(Method::POST, &["api", "v1", "flags"]).json(body).typed().await
    }

    /// A flag, archived or not.
    ///
    /// `GET /api/v1/flags/{key}`
    pub async fn get_flag(&self, key: &str) -> Result<Answer<FlagRecord>> {
        self.call(Method::GET, &["api", "v1", "flags", key]).typed().await
    }

    /// Replaces a flag's definition. Its type stays what it is: programs rely on it. Its variants stay while an experiment runs; it can be switched
    /// off all the same.
    ///
    /// `PUT /api/v1/flags/{key}`
    pub async fn put_flag(&self, key: &str, if_match: &str, body: &FlagDefinition) -> Result<Answer<FlagRecord>> {
        self.call(Method::PUT, &["api", "v1", "flags", key]).header("if-match", &if_match).json(body).typed().await
    }

    /// Archives a flag: programs that ask for it are told that it is not there, and take their own default.
    ///
    /// `DELETE /api/v1/flags/{key}`
    pub async fn archive_flag(&self, key: &str) -> Result<Answer<()>> {
        self.call(Method::DELETE, &["api", "v1", "flags", key]).empty().await
    }

    /// Who changed a flag, when, and what it was before.
    ///
    /// `GET /api/v1/flags/{key}/changes`
    pub async fn list_changes(&self, key: &str, query: &ListChangesQuery) -> Result<Answer<FlagChanges>> {
        self.call(Method::GET, &["api", "v1", "flags", key, "changes"]).query(query.pairs()).typed().await
    }

    /// What every flag is for somebody. The answer has an `ETag`: who sends it again as `If-None-Match` is told if nothing has changed for them.
    ///
    /// `POST /ofrep/v1/evaluate/flags`
    pub async fn evaluate_flags(&self, body: &FlagEvaluationRequest) -> Result<Answer<FlagEvaluations>> {
        self.call(Method::POST, &["ofrep", "v1", "evaluate", "flags"]).json(body).typed().await
    }

    /// What one flag is for somebody.
    ///
    /// `POST /ofrep/v1/evaluate/flags/{key}`
    pub async fn evaluate_flag(&self, key: &str, body: &FlagEvaluationRequest) -> Result<Answer<FlagSuccess>> {
        self.call(Method::POST, &["ofrep", "v1", "evaluate", "flags", key]).json(body).typed().await
    }
}
