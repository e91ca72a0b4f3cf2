//! `chimera audit`.

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::instance::{self, Operator};
use super::{Exit, Output, Settings, table, ui};
use crate::audit::{self, Head, Outcome, Seal};

/// Search the trail of all changes of the shop's tables, and show that nobody touched it
#[derive(Debug, Args)]
#[command(after_help = "\
Every second new changes are sealed: a digest of them is chained to the seal before and goes to the log, which SQL does not reach. `verify`
computes all seals again from the table `audit`. It prints the last seal as NUMBER:HASH; noted elsewhere and given to a later check, it
shows that the chain itself was not made anew.

Examples:
  chimera audit list --row 0b3a…              what happened to an order, its lines and its shipments
  chimera audit list --topic catalog.public.products --limit 200 --output json | jq '.changes[].after.name'
  chimera audit verify
  chimera audit verify --head 1207:5d1c…      ends with 1 if that seal is not there any more")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show changes, newest first
    List {
        /// Of this table, such as `catalog.public.products`
        #[arg(long)]
        topic: Option<String>,
        /// Of the row with this key, and of rows whose keys begin with it
        #[arg(long, value_name = "KEY")]
        row: Option<String>,
        /// Of this transaction
        #[arg(long)]
        transaction: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
    /// Compute all seals again; ends with 1 if the trail or the chain was touched
    Verify {
        /// A seal that was noted before; may be given several times
        #[arg(long = "head", value_name = "NUMBER:HASH")]
        heads: Vec<Head>,
    },
}

pub async fn run(settings: &Settings, arguments: &Arguments, output: Output) -> anyhow::Result<()> {
    let operator = Operator::new(settings)?;
    match &arguments.command {
        Command::List { topic, row, transaction, limit } => {
            let mut query = vec![("limit", limit.to_string())];
            let given = [("topic", topic), ("row", row), ("transaction", transaction)];
            query.extend(given.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
            // Only its query is used.
            let url = reqwest::Url::parse_with_params("http://localhost/", query)?;
            list(&operator.get(&format!("/api/v1/audit?{}", url.query().unwrap_or_default())).await?, output)
        }
        Command::Verify { heads } => verify(settings, &operator, heads, output).await,
    }
}

fn list(answer: &Value, output: Output) -> anyhow::Result<()> {
    if output == Output::Json {
        println!("{}", serde_json::to_string_pretty(answer)?);
        return Ok(());
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let changes = answer["changes"].as_array().context("the server did not list changes")?;
    let rows: Vec<Vec<String>> = changes
        .iter()
        .map(|change| {
            let row = [&change["committed_at"], &change["topic"], &change["op"], &change["row"]].map(text);
            row.into_iter().chain([changed_columns(change)]).collect()
        })
        .collect();
    println!("{}", table::render(&["committed at", "table", "op", "row", "columns"], &rows));
    if answer["next"].is_string() {
        eprintln!("there are older ones; --limit shows more, the API's `before` pages on");
    }
    Ok(())
}

/// Those that are not as they were, by name.
fn changed_columns(change: &Value) -> String {
    let (Value::Object(before), Value::Object(after)) = (&change["before"], &change["after"]) else { return String::new() };
    let changed = after.iter().filter(|(name, value)| before.get(*name) != Some(*value));
    changed.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

async fn verify(settings: &Settings, operator: &Operator, heads: &[Head], output: Output) -> anyhow::Result<()> {
    let step = ui::Step::new("Seals");
    let seals = seals(operator).await?;
    step.done(format!("{} in the log", seals.len()));
    let step = ui::Step::new("Changes");
    let mut reporting = instance::server(settings)?.connect("reporting").await?;
    let outcome = audit::check(&mut reporting, &seals, heads).await.context("cannot read the trail")?;
    step.done(if outcome.is_whole() {
        format!("{} sealed, as they were; {} not sealed yet", outcome.sealed, outcome.unsealed)
    } else {
        ui::red(&format!("{} faults", outcome.faults))
    });
    print(&outcome, output)?;
    if outcome.is_whole() { Ok(()) } else { Err(Exit::Found.into()) }
}

async fn seals(operator: &Operator) -> anyhow::Result<Vec<Seal>> {
    let (mut seals, mut next) = (Vec::new(), 0);
    loop {
        let page = operator.get(&format!("/api/v1/topics/{}/records?from={next}&limit=5000", audit::TOPIC)).await?;
        let records = page["records"].as_array().context("the server did not give the seals")?;
        for record in records {
            let seal = record["value"].as_str().and_then(|value| serde_json::from_str(value).ok());
            seals.push(seal.with_context(|| format!("offset {} of the topic {} is no seal", record["offset"], audit::TOPIC))?);
        }
        match page["next_offset"].as_u64() {
            Some(after) if !records.is_empty() && after > next => next = after,
            _ => return Ok(seals),
        }
    }
}

fn print(outcome: &Outcome, output: Output) -> anyhow::Result<()> {
    if output == Output::Json {
        let mut found = serde_json::to_value(outcome)?;
        found["whole"] = json!(outcome.is_whole());
        println!("{}", serde_json::to_string_pretty(&found)?);
        return Ok(());
    }
    if !outcome.is_whole() {
        let number = |value: Option<i64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
        let rows: Vec<Vec<String>> = outcome
            .first
            .iter()
            .map(|fault| {
                let seal = fault.seal.map_or_else(|| "-".to_owned(), |seal| seal.to_string());
                let topic = fault.topic.clone().unwrap_or_else(|| "(the chain)".to_owned());
                vec![seal, topic, number(fault.from), number(fault.to), fault.what.clone()]
            })
            .collect();
        println!("{}", table::render(&["seal", "table", "from", "to", "what"], &rows));
    }
    match &outcome.head {
        Some(head) => println!("head {head}"),
        None => println!("nothing is sealed yet"),
    }
    Ok(())
}
