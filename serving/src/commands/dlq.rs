//! `chimera dlq`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::instance::Operator;
use super::{Exit, Output, Settings, table, ui};

/// List or replay dead letters: records that no pipeline could take, kept with their cause
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chimera dlq list
  chimera dlq list --output json | jq -r '.letters[].error'
  chimera dlq replay 17                 put one letter back into its topic
  chimera dlq replay --all              after the cause is repaired, put all back

A replayed record is appended to its topic with the header `chimera-replayed-from`. Only the tables that had put it aside take it: one that
could read it has it, and a pipeline whose text was changed so that it can was built anew and has it, too.
Ends with 1 if a letter cannot be replayed.")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show dead letters that were not replayed yet, oldest first
    List {
        /// Begin with the letter of this number
        #[arg(long, default_value_t = 0, value_name = "NUMBER")]
        from: u64,
        /// At most so many
        #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: u32,
    },
    /// Put letters back into the topics that they came from, for the tables that could not take them; those that fail again become new letters
    Replay {
        /// Numbers, as `list` shows them
        #[arg(required_unless_present_any = ["all", "topic"], conflicts_with_all = ["all", "topic"])]
        letters: Vec<u64>,
        /// All letters of this topic
        #[arg(long, conflicts_with = "all")]
        topic: Option<String>,
        /// All letters
        #[arg(long)]
        all: bool,
    },
}

pub async fn run(settings: &Settings, arguments: &Arguments, output: Output) -> anyhow::Result<()> {
    let operator = Operator::new(settings)?;
    match &arguments.command {
        Command::List { from, limit } => {
            let answer = operator.get(&format!("/api/v1/dlq?from={from}&limit={limit}")).await?;
            list(&answer, output)
        }
        Command::Replay { letters, topic, all } => {
            let body = match (topic, all) {
                (Some(topic), _) => json!({ "topic": topic }),
                (None, true) => json!({ "all": true }),
                (None, false) => json!({ "letters": letters }),
            };
            let answer = operator.post("/api/v1/dlq/replay", &body).await?;
            match output {
                Output::Json => println!("{}", serde_json::to_string_pretty(&answer)?),
                Output::Text => println!("{} letters replayed; `chimera dlq list` shows those that failed again", answer["replayed"]),
            }
            let refused = answer["refused"].as_array().cloned().unwrap_or_default();
            for letter in &refused {
                eprintln!("{} letter {} stays: {}", ui::red("refused:"), letter["position"], letter["reason"].as_str().unwrap_or(""));
            }
            if refused.is_empty() { Ok(()) } else { Err(Exit::Found.into()) }
        }
    }
}

fn list(answer: &Value, output: Output) -> anyhow::Result<()> {
    if output == Output::Json {
        println!("{}", serde_json::to_string_pretty(answer)?);
        return Ok(());
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let letters = answer["letters"].as_array().cloned().unwrap_or_default();
    let rows: Vec<Vec<String>> = letters
        .iter()
        .map(|letter| {
            let place = format!("{}/{}@{}", text(&letter["topic"]), letter["partition"], letter["offset"]);
            vec![letter["position"].to_string(), text(&letter["failed_at"]), place, text(&letter["error"])]
        })
        .collect();
    println!("{}", table::render(&["number", "failed at", "topic/partition@offset", "cause"], &rows));
    Ok(())
}
