//! Statements that a driver prepares before it runs them.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion_postgres::Parser;
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::FieldInfo;
use datafusion_postgres::pgwire::api::stmt::QueryParser;
use datafusion_postgres::pgwire::api::{ClientInfo, Type};
use datafusion_postgres::pgwire::error::PgWireResult;

use super::ddl::{self, Statement};
use super::handler::error;

/// Plans what is prepared; what is about views is planned when it runs.
pub(super) struct Prepared(pub(super) Arc<Parser>);

#[async_trait]
impl QueryParser for Prepared {
    type Statement = <Parser as QueryParser>::Statement;

    async fn parse_sql<C>(&self, client: &C, sql: &str, types: &[Option<Type>]) -> PgWireResult<Option<Self::Statement>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        match ddl::parse(sql)? {
            None => self.0.parse_sql(client, sql, types).await,
            // Its answer has a column, which would have to be announced before it runs.
            Some(Statement::Explain { .. } | Statement::ExplainCreate { .. }) => {
                Err(error("0A000", "EXPLAIN of a materialized view cannot be prepared; send it as a simple query, as psql does"))
            }
            Some(_) => Ok(Some((sql.to_owned(), None))),
        }
    }

    fn get_parameter_types(&self, statement: &Self::Statement) -> PgWireResult<Vec<Type>> {
        self.0.get_parameter_types(statement)
    }

    fn get_result_schema(&self, statement: &Self::Statement, format: Option<&Format>) -> PgWireResult<Vec<FieldInfo>> {
        self.0.get_result_schema(statement, format)
    }
}
