//! `chimera import`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Output, Settings, instance, ui};
use crate::shop::databases::Server;
use crate::shop::{icecat, online_retail};

/// Put real data into the catalogue and the stock room
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chimera import online-retail                      from CHIMERA_DATA/online-retail/online_retail.csv.gz
  chimera import icecat products.jsonl.gz

An import started twice, or again after it was killed, adds nothing twice. Rows that are there are left as they are.")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Articles of the UCI Online Retail year (CSV, plain or gzip), with stock for all that the year sells
    OnlineRetail {
        file: Option<PathBuf>,
        /// Only articles of the first N invoices
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Products of the Open Icecat catalogue (a JSON object a line, plain or gzip)
    Icecat {
        file: Option<PathBuf>,
        /// Only the first N products
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
}

pub async fn run(settings: &Settings, arguments: &Arguments, output: Output) -> anyhow::Result<()> {
    let server = instance::server(settings)?;
    let started = std::time::Instant::now();
    let (what, products, receipts) = match &arguments.command {
        Command::OnlineRetail { file, limit } => {
            let year = read_year(settings, file.as_deref(), *limit).await?;
            let imported = import_year(&server, &year).await?;
            ("online-retail", imported.products, imported.receipts)
        }
        Command::Icecat { file, limit } => {
            let path = outside(settings, file.as_deref(), "icecat/products.jsonl.gz")?;
            let limit = *limit;
            let step = ui::Step::new("Reading");
            let products = tokio::task::spawn_blocking(move || icecat::read(&path, limit)).await.context("reading the catalogue")??;
            step.done(format!("{} products", products.len()));
            let mut bar = ui::Bar::new("products", products.len() as u64);
            let imported = icecat::import(&server, &products, |done| bar.set(done, "")).await?;
            bar.finish();
            ("icecat", imported.products, imported.receipts)
        }
    };
    match output {
        Output::Json => println!(
            "{}",
            json!({ "imported": what, "products": products, "receipts": receipts, "seconds": started.elapsed().as_secs_f64() })
        ),
        Output::Text => println!("{what}: {products} products and {receipts} receipts added in {}", ui::seconds(started.elapsed())),
    }
    Ok(())
}

/// A named file, or the usual one in the folder of outside data.
pub fn outside(settings: &Settings, file: Option<&Path>, usual: &str) -> anyhow::Result<PathBuf> {
    let path = file.map_or_else(|| settings.outside_data.join(usual), Path::to_owned);
    anyhow::ensure!(path.is_file(), "there is no file {}; name one, or set CHIMERA_DATA to the folder that has {usual}", path.display());
    Ok(path)
}

pub async fn read_year(settings: &Settings, file: Option<&Path>, limit: Option<usize>) -> anyhow::Result<online_retail::Year> {
    let path = outside(settings, file, "online-retail/online_retail.csv.gz")?;
    let step = ui::Step::new("Reading");
    let year = tokio::task::spawn_blocking(move || online_retail::read(&path, limit)).await.context("reading the year")??;
    step.done(format!("{} invoices, {} stock codes", year.invoices.len(), year.articles.len()));
    Ok(year)
}

pub async fn import_year(server: &Server, year: &online_retail::Year) -> anyhow::Result<online_retail::catalogue::Imported> {
    let step = ui::Step::new("Catalogue");
    let imported = online_retail::catalogue::import(&server.databases(), year).await?;
    step.done(format!("{} products and {} receipts of opening stock added", imported.products, imported.receipts));
    Ok(imported)
}
