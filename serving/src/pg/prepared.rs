//! Statements that a driver prepares before it runs them.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::logical_expr::LogicalPlan;
use datafusion_postgres::Parser;
use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::{FieldFormat, FieldInfo};
use datafusion_postgres::pgwire::api::stmt::QueryParser;
use datafusion_postgres::pgwire::api::{ClientInfo, Type};
use datafusion_postgres::pgwire::error::PgWireResult;

use super::cursors::{self, Cursors};
use super::ddl;
use super::handler::error;
use super::known::known;
use super::read::{Statement, read};

/// A prepared statement.
#[derive(Clone)]
pub(super) struct Prepared {
    pub text: String,
    pub statement: Statement,
    /// Of queries and settings.
    planned: Option<<Parser as QueryParser>::Statement>,
    /// What the columns of another statement's answer are.
    fields: Arc<Vec<FieldInfo>>,
}

impl Prepared {
    pub(super) fn plan(&self) -> Option<&LogicalPlan> {
        self.planned.as_ref()?.1.as_ref().map(|(_, plan)| plan)
    }
}

/// Reads and plans what is prepared; what is about views is planned when it runs.
pub(super) struct Preparer {
    pub planner: Arc<Parser>,
    pub parser: PostgresCompatibilityParser,
}

#[async_trait]
impl QueryParser for Preparer {
    type Statement = Prepared;

    async fn parse_sql<C>(&self, client: &C, sql: &str, types: &[Option<Type>]) -> PgWireResult<Option<Prepared>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        let statement = read(&self.parser, sql)?;
        let mut fields = Vec::new();
        let mut planned = None;
        match &statement {
            Statement::Empty => return Ok(None),
            Statement::Query(_) | Statement::Setting(_) => planned = self.planner.parse_sql(client, &known(sql), types).await?,
            Statement::Views(ddl::Statement::Explain { .. } | ddl::Statement::ExplainCreate { .. }) => {
                fields.push(FieldInfo::new(ddl::LINES.to_owned(), None, None, Type::TEXT, FieldFormat::Text));
            }
            Statement::Cursor(cursors::Statement::Fetch { name, is_move: false, .. }) => {
                fields = Cursors::of(client).fields(name).map(|fields| fields.to_vec()).unwrap_or_default();
            }
            Statement::Subscribe(_) => {
                return Err(error("0A000", "SUBSCRIBE cannot be prepared; send it as a simple query, or DECLARE a cursor FOR it"));
            }
            _ => {}
        }
        Ok(Some(Prepared { text: sql.to_owned(), statement, planned, fields: Arc::new(fields) }))
    }

    fn get_parameter_types(&self, prepared: &Prepared) -> PgWireResult<Vec<Type>> {
        prepared.planned.as_ref().map_or(Ok(Vec::new()), |planned| self.planner.get_parameter_types(planned))
    }

    fn get_result_schema(&self, prepared: &Prepared, format: Option<&Format>) -> PgWireResult<Vec<FieldInfo>> {
        match &prepared.planned {
            Some(planned) => self.planner.get_result_schema(planned, format),
            None => Ok(prepared.fields.to_vec()),
        }
    }
}
