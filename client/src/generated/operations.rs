//! Of `operations`.

use reqwest::{Method, Response};

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Result};

impl Client {
    /// Every change of the shop's tables, newest first, as it was committed. `chimera audit verify` shows that none was touched since.
    ///
    /// `GET /api/v1/audit`
    pub async fn list_audit(&self, query: &ListAuditQuery) -> Result<Answer<AuditTrail>> {
        self.call(Method::GET, &["api", "v1", "audit"]).query(query.pairs()).typed().await
    }

    /// Dead letters that were not replayed yet, oldest first.
    ///
    /// `GET /api/v1/dlq`
    pub async fn list_letters(&self, query: &ListLettersQuery) -> Result<Answer<LettersResponse>> {
        self.call(Method::GET, &["api", "v1", "dlq"]).query(query.pairs()).typed().await
    }

    /// Puts records back into the topics that they came from, each once, for the tables that had put them aside. One that fails again becomes a
    /// new letter.
    ///
    /// `POST /api/v1/dlq/replay`
    pub async fn replay_letters(&self, body: &ReplayRequest) -> Result<Answer<ReplayResponse>> {
        self.call(Method::POST, &["api", "v1", "dlq", "replay"]).json(body).typed().await
    }

    /// Every pipeline, with how far it is and what its state takes.
    ///
    /// `GET /api/v1/pipelines`
    pub async fn list_pipelines(&self) -> Result<Answer<PipelinesResponse>> {
        self.call(Method::GET, &["api", "v1", "pipelines"]).typed().await
    }

    /// A pipeline: how it does, its text and its plan.
    ///
    /// `GET /api/v1/pipelines/{name}`
    pub async fn get_pipeline(&self, name: &str) -> Result<Answer<PipelineResponse>> {
        self.call(Method::GET, &["api", "v1", "pipelines", name]).typed().await
    }

    /// What would change if a text became that of the pipeline. Nothing is changed.
    ///
    /// `POST /api/v1/pipelines/{name}/diff`
    pub async fn diff_pipeline(&self, name: &str, body: &DiffRequest) -> Result<Answer<DiffResponse>> {
        self.call(Method::POST, &["api", "v1", "pipelines", name, "diff"]).json(body).typed().await
    }

    /// A pipeline's dataflow: sources, operators, stores.
    ///
    /// `GET /api/v1/pipelines/{name}/graph`
    pub async fn pipeline_graph(&self, name: &str) -> Result<Answer<GraphResponse>> {
        self.call(Method::GET, &["api", "v1", "pipelines", name, "graph"]).typed().await
    }

    /// Builds a created view anew from the log, in the shadow of the one that is read; it takes its place in one moment.
    ///
    /// `POST /api/v1/pipelines/{name}/rebuild`
    pub async fn rebuild_pipeline(&self, name: &str) -> Result<Answer<RebuildResponse>> {
        self.call(Method::POST, &["api", "v1", "pipelines", name, "rebuild"]).typed().await
    }

    /// Every derived store, with its age and its throughput.
    ///
    /// `GET /api/v1/stores`
    pub async fn list_stores(&self) -> Result<Answer<StoresResponse>> {
        self.call(Method::GET, &["api", "v1", "stores"]).typed().await
    }

    /// The stores' states, as an event `stores` each second.
    ///
    /// `GET /api/v1/stores/stream`
    pub async fn stream_stores(&self) -> Result<Response> {
        self.call(Method::GET, &["api", "v1", "stores", "stream"]).raw().await
    }

    /// Every row of a store that lives in this server: a live view, a search index or a vector index (its rows without the vectors). Other
    /// stores are read where they live. Meant for checks, not for pages: the answer is as large as the store.
    ///
    /// `GET /api/v1/stores/{store}/rows`
    pub async fn store_rows(&self, store: &str, query: &StoreRowsQuery) -> Result<Answer<RowsResponse>> {
        self.call(Method::GET, &["api", "v1", "stores", store, "rows"]).query(query.pairs()).typed().await
    }

    /// Records of a topic of the log.
    ///
    /// `GET /api/v1/topics/{topic}/records`
    pub async fn topic_records(&self, topic: &str, query: &TopicRecordsQuery) -> Result<Answer<RecordsResponse>> {
        self.call(Method::GET, &["api", "v1", "topics", topic, "records"]).query(query.pairs()).typed().await
    }

    /// Whether the process lives: answers as long as it can answer at all.
    ///
    /// `GET /healthz`
    pub async fn healthz(&self) -> Result<Answer<Health>> {
        self.call(Method::GET, &["healthz"]).typed().await
    }

    /// Metrics in Prometheus' text format.
    ///
    /// `GET /metrics`
    pub async fn get_metrics(&self) -> Result<Response> {
        self.call(Method::GET, &["metrics"]).raw().await
    }

    /// Whether requests can be served: databases and stores answer, and no store stands still.
    ///
    /// `GET /readyz`
    pub async fn readyz(&self) -> Result<Answer<Health>> {
        self.call(Method::GET, &["readyz"]).typed().await
    }
}
