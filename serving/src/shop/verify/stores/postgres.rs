//! Stores that are tables.

use futures::StreamExt;
use sqlx::{AssertSqlSafe, Executor};

use super::Store;
use crate::shop::databases::Server;
use crate::shop::verify::scratch::text_values;
use crate::shop::verify::{Comparison, Error};

pub async fn read(server: &Server, store: &Store, comparison: &mut Comparison) -> Result<(), Error> {
    let refused = || Error::query(format!("the rows of store {}", store.name));
    let mut connection = server.connect(store.option("database")?).await?;
    connection.execute("SET timezone = 'UTC'; SET datestyle = 'ISO'").await.map_err(refused())?;
    let table = store.option("table")?.replace('"', "\"\"");
    let columns = comparison.columns().to_vec();
    // Only the compared columns, and only those that the table has: others may be large.
    let there: Vec<String> =
        sqlx::query_scalar("SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped")
            .bind(format!("\"{table}\""))
            .fetch_all(&mut connection)
            .await
            .map_err(refused())?;
    let names: Vec<String> = columns
        .iter()
        .filter(|column| there.contains(&column.name))
        .map(|column| format!("\"{}\"", column.name.replace('"', "\"\"")))
        .collect();
    let statement = format!("SELECT {} FROM \"{table}\"", names.join(", "));
    let mut rows = sqlx::raw_sql(AssertSqlSafe(statement)).fetch(&mut connection);
    while let Some(row) = rows.next().await {
        let row = row.map_err(refused())?;
        comparison.found_row(&text_values(&row, &columns).map_err(refused())?);
    }
    Ok(())
}
