//! Of `inventory`.

use reqwest::Method;

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Key, Result};

impl Client {
    /// Books units that were found, or writes off units that are gone. Units that are promised to orders are never written off.
    ///
    /// `POST /api/v1/inventory/adjustments`
    pub async fn create_adjustment(&self, key: &Key, body: &NewAdjustment) -> Result<Answer<StockBookingResponse>> {
        self.call(Method::POST, &["api", "v1", "inventory", "adjustments"]).key(Some(key)).json(body).typed().await
    }

    /// Brings the books of a warehouse to what was counted: the difference is booked, if there is one. Units that are promised to orders are never
    /// written off.
    ///
    /// `POST /api/v1/inventory/counts`
    pub async fn create_count(&self, key: &Key, body: &NewCount) -> Result<Answer<StockBookingResponse>> {
        self.call(Method::POST, &["api", "v1", "inventory", "counts"]).key(Some(key)).json(body).typed().await
    }

    /// Books a delivery, all of it or nothing.
    ///
    /// `POST /api/v1/inventory/receipts`
    pub async fn create_receipt(&self, key: &Key, body: &NewReceipt) -> Result<Answer<StockBookingResponse>> {
        self.call(Method::POST, &["api", "v1", "inventory", "receipts"]).key(Some(key)).json(body).typed().await
    }

    /// Moves units from one warehouse to another. How many there are in all stays as it is, so nothing that is promised is touched.
    ///
    /// `POST /api/v1/inventory/transfers`
    pub async fn create_transfer(&self, key: &Key, body: &NewTransfer) -> Result<Answer<StockBookingResponse>> {
        self.call(Method::POST, &["api", "v1", "inventory", "transfers"]).key(Some(key)).json(body).typed().await
    }

    /// The stock of one SKU.
    ///
    /// `GET /api/v1/inventory/{sku}`
    pub async fn get_stock(&self, sku: &str, query: &GetStockQuery) -> Result<Answer<StockResponse>> {
        self.call(Method::GET, &["api", "v1", "inventory", sku]).query(query.pairs()).typed().await
    }

    /// Movements of an article, newest first, with what they add up to.
    ///
    /// `GET /api/v1/inventory/{sku}/movements`
    pub async fn list_movements(&self, sku: &str, query: &ListMovementsQuery) -> Result<Answer<StockMovements>> {
        self.call(Method::GET, &["api", "v1", "inventory", sku, "movements"]).query(query.pairs()).typed().await
    }

    /// Sets how few units of an article are too few.
    ///
    /// `PUT /api/v1/inventory/{sku}/reorder-point`
    pub async fn put_reorder_point(&self, sku: &str, body: &NewReorderPoint) -> Result<Answer<ReorderPoint>> {
        self.call(Method::PUT, &["api", "v1", "inventory", sku, "reorder-point"]).json(body).typed().await
    }

    /// What the books of each warehouse hold of an article.
    ///
    /// `GET /api/v1/inventory/{sku}/warehouses`
    pub async fn list_levels(&self, sku: &str) -> Result<Answer<StockLevels>> {
        self.call(Method::GET, &["api", "v1", "inventory", sku, "warehouses"]).typed().await
    }

    /// All warehouses.
    ///
    /// `GET /api/v1/warehouses`
    pub async fn list_warehouses(&self) -> Result<Answer<Warehouses>> {
        self.call(Method::GET, &["api", "v1", "warehouses"]).typed().await
    }

    /// Adds a warehouse.
    ///
    /// `POST /api/v1/warehouses`
    pub async fn create_warehouse(&self, body: &NewWarehouse) -> Result<Answer<Warehouse>> {
        self.call(Method::POST, &["api", "v1", "warehouses"]).json(body).typed().await
    }

    /// Changes a warehouse. One that is switched off takes nothing in; what it holds can still be taken out.
    ///
    /// `PUT /api/v1/warehouses/{code}`
    pub async fn put_warehouse(&self, code: &str, body: &WarehouseFields) -> Result<Answer<Warehouse>> {
        self.call(Method::PUT, &["api", "v1", "warehouses", code]).json(body).typed().await
    }
}
