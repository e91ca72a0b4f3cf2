//! Of `experiments`.

use reqwest::Method;

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Result};

impl Client {
    /// Experiments, a page at a time.
    ///
    /// `GET /api/v1/experiments`
    pub async fn list_experiments(&self, query: &ListExperimentsQuery) -> Result<Answer<ExperimentList>> {
        self.call(Method::GET, &["api", "v1", "experiments"]).query(query.pairs()).typed().await
    }

    /// Drafts an experiment. Nothing happens to anybody before it is started.
    ///
    /// `POST /api/v1/experiments`
    pub async fn create_experiment(&self, body: &NewExperiment) -> Result<Answer<ExperimentRecord>> {
        self.call(Method::POST, &["api", "v1", "experiments"]).json(body).typed().await
    }

    /// An experiment.
    ///
    /// `GET /api/v1/experiments/{key}`
    pub async fn get_experiment(&self, key: &str) -> Result<Answer<ExperimentRecord>> {
        self.call(Method::GET, &["api", "v1", "experiments", key]).typed().await
    }

    /// Replaces the design of a draft. Once it runs, nothing of it changes: who was assigned stays assigned.
    ///
    /// `PUT /api/v1/experiments/{key}`
    pub async fn put_experiment(&self, key: &str, if_match: &str, body: &ExperimentDesign) -> Result<Answer<ExperimentRecord>> {
        self.call(Method::PUT, &["api", "v1", "experiments", key]).header("if-match", &if_match).json(body).typed().await
    }

    /// What came of an experiment so far, from the live view `experiments.variants`.
    ///
    /// `GET /api/v1/experiments/{key}/results`
    pub async fn experiment_results(&self, key: &str, query: &ExperimentResultsQuery) -> Result<Answer<ExperimentResults>> {
        self.call(Method::GET, &["api", "v1", "experiments", key, "results"]).query(query.pairs()).typed().await
    }

    /// Starts a draft: from now on its flag is served by its shares. One that runs goes on.
    ///
    /// `POST /api/v1/experiments/{key}/start`
    pub async fn start_experiment(&self, key: &str) -> Result<Answer<ExperimentRecord>> {
        self.call(Method::POST, &["api", "v1", "experiments", key, "start"]).typed().await
    }

    /// Stops an experiment: its flag is served as if there had been none. Orders go on counting until the windows of those who were exposed
    /// close. One that was stopped stays as it is.
    ///
    /// `POST /api/v1/experiments/{key}/stop`
    pub async fn stop_experiment(&self, key: &str) -> Result<Answer<ExperimentRecord>> {
        self.call(Method::POST, &["api", "v1", "experiments", key, "stop"]).typed().await
    }
}
