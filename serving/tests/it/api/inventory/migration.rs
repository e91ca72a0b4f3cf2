//! Movements that were there before warehouses were.

use sqlx::{ConnectOptions, Connection};

use super::super::server::{Server, as_owner};

#[tokio::test(flavor = "multi_thread")]
async fn old_movements_lie_in_the_main_warehouse() {
    let Some(server) = Server::start().await else { return };
    let inventory = &server.app.databases.inventory;
    let name: String = sqlx::query_scalar("SELECT current_database() || '_before'").fetch_one(inventory).await.unwrap();
    as_owner(inventory, &format!("CREATE DATABASE {name}")).await;
    let mut connection = (*inventory.connect_options()).clone().database(&name).connect().await.unwrap();
    for sql in [
        include_str!("../../../../migrations/inventory/0001_inventory.sql"),
        "INSERT INTO stock_movements (sku, quantity) VALUES ('A', 5), ('A', -2), ('B', 1)",
        include_str!("../../../../migrations/inventory/0002_warehouses.sql"),
        "INSERT INTO stock_movements (sku, quantity) VALUES ('A', 1)",
    ] {
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    }
    let levels: Vec<(String, String, i64)> =
        sqlx::query_as("SELECT code, sku, quantity FROM stock_levels JOIN warehouses ON id = warehouse_id ORDER BY sku")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    assert_eq!(levels, [("MAIN".to_owned(), "A".to_owned(), 4), ("MAIN".to_owned(), "B".to_owned(), 1)]);
    connection.close().await.unwrap();
}
