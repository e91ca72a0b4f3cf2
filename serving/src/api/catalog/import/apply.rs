//! Writing the lines of a batch.

use std::collections::{BTreeSet, HashMap};

use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::line::{Kind, Line, ProductLine, VariantLine};
use super::names::{self, Places};
use super::report::{Fault, ImportReport};
use super::tables::{self, ProductRow, VariantRow};
use crate::api::catalog::lock::Lock;
use crate::api::catalog::variants::collection::MAX_VARIANTS;

/// Writes what can be written of these lines, of one batch, and says what came of each.
///
/// # Errors
/// Of the database: nothing is known of the lines then.
pub async fn apply(connection: &mut PgConnection, lines: &[Line]) -> Result<ImportReport, sqlx::Error> {
    match attempt(connection, lines).await {
        Err(error) if is_about_a_row(&error) && lines.len() > 1 => {
            // Something that no check knows of: the schema decides line by line.
            let mut report = ImportReport::default();
            for line in lines {
                report.add(Box::pin(apply(connection, std::slice::from_ref(line))).await?);
            }
            Ok(report)
        }
        Err(error) if is_about_a_row(&error) => {
            let faults = lines.iter().map(|line| line.fault("the database refuses this line")).collect();
            tracing::warn!(%error, "a line of an import passed all checks, and was refused");
            let mut report = ImportReport { lines: lines.len() as u64, ..ImportReport::default() };
            report.add_faults(faults);
            Ok(report)
        }
        result => result,
    }
}

/// Classes 22 and 23: a value, or a constraint.
fn is_about_a_row(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|cause| cause.code());
    code.is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
}

/// All of it, or nothing: what fails in here leaves the transaction around it as it was.
async fn attempt(connection: &mut PgConnection, lines: &[Line]) -> Result<ImportReport, sqlx::Error> {
    let mut savepoint = connection.begin().await?;
    let report = write(&mut savepoint, lines).await?;
    savepoint.commit().await?;
    Ok(report)
}

async fn write(connection: &mut PgConnection, lines: &[Line]) -> Result<ImportReport, sqlx::Error> {
    Lock::Categories.take(connection).await?;
    Lock::Skus.take(connection).await?;
    let mut report = ImportReport { lines: lines.len() as u64, ..ImportReport::default() };
    let mut products: Vec<(&Line, &ProductLine)> = Vec::new();
    let mut variants: Vec<(&Line, &VariantLine)> = Vec::new();
    for line in lines {
        match &line.is {
            Kind::Product(product) => products.push((line, product)),
            Kind::Variant(variant) => variants.push((line, variant)),
        }
    }
    let mut faults = Vec::new();
    write_products(connection, products, &mut report, &mut faults).await?;
    write_variants(connection, variants, &mut report, &mut faults).await?;
    report.add_faults(faults);
    Ok(report)
}

async fn write_products(
    connection: &mut PgConnection,
    mut lines: Vec<(&Line, &ProductLine)>,
    report: &mut ImportReport,
    faults: &mut Vec<Fault>,
) -> Result<(), sqlx::Error> {
    let skus: Vec<&str> = lines.iter().map(|(line, _)| line.sku.as_str()).collect();
    let known = tables::lock_products(connection, &skus).await?;
    let variants = tables::lock_variants(connection, &skus).await?;
    // What cannot be written makes neither a brand nor a category.
    lines.retain(|(line, product)| {
        let fault = if variants.contains_key(&line.sku) {
            "`sku`: this is a variant's; a line about a variant has `parent_sku`"
        } else if !known.contains_key(&line.sku) && (product.name.is_none() || product.price_cents.is_none()) {
            "a product that is new needs `name` and `price_cents`"
        } else {
            return true;
        };
        faults.push(line.fault(fault));
        false
    });
    let paths: BTreeSet<&[String]> = lines.iter().filter_map(|(_, product)| product.category.as_deref()).collect();
    let (places, categories_created) = names::categories(connection, &paths).await?;
    lines.retain(|(line, product)| match place(product, &places) {
        Ok(_) => true,
        Err(message) => {
            faults.push(line.fault(message));
            false
        }
    });
    let brands: BTreeSet<&str> = lines.iter().filter_map(|(_, product)| product.brand.as_deref()).collect();
    let (brands, brands_created) = names::brands(connection, &brands).await?;
    let rows = lines.iter().map(|(line, product)| ProductRow {
        id: known.get(&line.sku).copied().unwrap_or_else(Uuid::now_v7),
        sku: &line.sku,
        name: product.name.as_deref(),
        description: product.description.as_deref(),
        category_id: place(product, &places).ok().flatten(),
        brand_id: product.brand.as_ref().and_then(|name| brands.get(name)).copied(),
        price_cents: product.price_cents,
        currency: product.currency.as_deref(),
        is_active: product.is_active,
    });
    let (old, new): (Vec<_>, Vec<_>) = rows.partition(|row| known.contains_key(row.sku));
    report.created += tables::insert_products(connection, &new).await?;
    let updated = tables::update_products(connection, &old).await?;
    report.updated += updated;
    report.unchanged += old.len() as u64 - updated;
    report.brands_created += brands_created;
    report.categories_created += categories_created;
    Ok(())
}

/// `None`: the line names no category.
fn place(product: &ProductLine, places: &Places) -> Result<Option<Uuid>, String> {
    product.category.as_ref().and_then(|path| places.get(path)).cloned().transpose()
}

async fn write_variants(
    connection: &mut PgConnection,
    lines: Vec<(&Line, &VariantLine)>,
    report: &mut ImportReport,
    faults: &mut Vec<Fault>,
) -> Result<(), sqlx::Error> {
    let skus: Vec<&str> = lines.iter().map(|(line, _)| line.sku.as_str()).collect();
    let parents: BTreeSet<&str> = lines.iter().map(|(_, variant)| variant.parent_sku.as_str()).collect();
    let named: Vec<&str> = parents.into_iter().chain(skus.iter().copied()).collect();
    let products = tables::lock_products(connection, &named).await?;
    let known = tables::lock_variants(connection, &skus).await?;
    let mut counts: HashMap<Uuid, i64> = tables::count_variants(connection, &products.values().copied().collect::<Vec<_>>()).await?;
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for (line, variant) in lines {
        let Some(product_id) = products.get(&variant.parent_sku).copied() else {
            faults.push(line.fault("`parent_sku`: there is no such product"));
            continue;
        };
        let count = counts.entry(product_id).or_default();
        let there = known.get(&line.sku);
        let fault = match there {
            _ if products.contains_key(&line.sku) => "`sku`: this is a product's",
            Some((_, of)) if *of != product_id => "`parent_sku`: the variant belongs to another product",
            None if *count >= MAX_VARIANTS => "`parent_sku`: the product has 200 variants",
            _ => "",
        };
        if !fault.is_empty() {
            faults.push(line.fault(fault));
            continue;
        }
        let row =
            |id| VariantRow { id, product_id, sku: &line.sku, attributes: variant.attributes.as_ref(), price_cents: variant.price_cents };
        match there {
            Some((id, _)) => old.push(row(*id)),
            None => {
                *count += 1;
                new.push(row(Uuid::now_v7()));
            }
        }
    }
    report.created += tables::insert_variants(connection, &new).await?;
    let updated = tables::update_variants(connection, &old).await?;
    report.updated += updated;
    report.unchanged += old.len() as u64 - updated;
    Ok(())
}
