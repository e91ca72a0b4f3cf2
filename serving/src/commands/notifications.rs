//! `chimera notifications`.

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

use super::instance::Operator;
use super::{Exit, Output, Settings, table, ui};

const REPLAY: &str = "/api/v1/notifications/replay";
/// What a request takes.
const IDS_AT_ONCE: usize = 100;

/// List mail and calls of webhooks that were sent or put aside, and give those that were put aside another chance
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chimera notifications list                                  what was put aside, and why
  chimera notifications list --status waiting --channel webhook
  chimera notifications list --recipient ada@example.com --status sent --output json | jq -r '.notifications[].topic'
  chimera notifications replay 0199b0c2-…                     send one again, with all its chances
  chimera notifications replay --all                          after the cause is repaired, send all again

What a message said is not shown: it may hold secrets. `replay` ends with 1 if a message that was named is not put aside.")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show messages of one status, newest first
    List {
        /// What became of them
        #[arg(long, default_value = "dead", value_parser = ["dead", "waiting", "sending", "sent", "dropped"])]
        status: String,
        /// Of this way
        #[arg(long, value_parser = ["email", "webhook"])]
        channel: Option<String>,
        /// About this, such as `order.shipped`
        #[arg(long)]
        topic: Option<String>,
        /// To this address or URL
        #[arg(long)]
        recipient: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
    /// Send messages again that were put aside; those that fail for good are put aside anew
    Replay {
        /// Ids, as `list` shows them
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<Uuid>,
        /// All that are put aside
        #[arg(long)]
        all: bool,
    },
}

pub async fn run(settings: &Settings, arguments: &Arguments, output: Output) -> anyhow::Result<()> {
    let operator = Operator::new(settings)?;
    match &arguments.command {
        Command::List { status, channel, topic, recipient, limit } => {
            let mut query = vec![("status", status.clone()), ("limit", limit.to_string())];
            let given = [("channel", channel), ("topic", topic), ("recipient", recipient)];
            query.extend(given.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
            // Only its query is used.
            let url = reqwest::Url::parse_with_params("http://localhost/", query)?;
            list(&operator.get(&format!("/api/v1/notifications?{}", url.query().unwrap_or_default())).await?, output)
        }
        Command::Replay { ids, all } => {
            let told = if *all { replay_all(&operator).await? } else { replay(&operator, ids).await? };
            match output {
                Output::Json => println!("{}", serde_json::to_string_pretty(&told)?),
                Output::Text => println!("{} messages are on their way again; {} are still put aside", told["replayed"], told["left"]),
            }
            let missing = ids.len() as u64 > count(&told, "replayed")?;
            if missing {
                eprintln!("{} not all of these are put aside; `chimera notifications list` shows those that are", ui::red("not found:"));
                return Err(Exit::Found.into());
            }
            Ok(())
        }
    }
}

fn list(answer: &Value, output: Output) -> anyhow::Result<()> {
    if output == Output::Json {
        println!("{}", serde_json::to_string_pretty(answer)?);
        return Ok(());
    }
    let messages = answer["notifications"].as_array().context("the server did not list messages")?;
    let rows: Vec<Vec<String>> = messages
        .iter()
        .map(|message| {
            let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
            let attempts = message["attempts"].to_string();
            vec![text("id"), text("updated_at"), text("topic"), text("recipient"), attempts, text("error")]
        })
        .collect();
    println!("{}", table::render(&["id", "last tried", "topic", "recipient", "attempts", "error"], &rows));
    if answer["next"].is_string() {
        eprintln!("there are older ones; --limit shows more, the API's `before` pages on");
    }
    Ok(())
}

async fn replay(operator: &Operator, ids: &[Uuid]) -> anyhow::Result<Value> {
    let (mut replayed, mut left) = (0, 0);
    for some in ids.chunks(IDS_AT_ONCE) {
        let answer = operator.post(REPLAY, &json!({ "ids": some })).await?;
        replayed += count(&answer, "replayed")?;
        left = count(&answer, "left")?;
    }
    Ok(json!({ "replayed": replayed, "left": left }))
}

/// As many as lay there at the beginning: what is put aside anew meanwhile stays, else this might never end.
async fn replay_all(operator: &Operator) -> anyhow::Result<Value> {
    let (mut replayed, mut at_first) = (0, None);
    loop {
        let answer = operator.post(REPLAY, &json!({})).await?;
        let (now, left) = (count(&answer, "replayed")?, count(&answer, "left")?);
        replayed += now;
        if now == 0 || left == 0 || replayed >= *at_first.get_or_insert(now + left) {
            return Ok(json!({ "replayed": replayed, "left": left }));
        }
    }
}

fn count(answer: &Value, name: &str) -> anyhow::Result<u64> {
    answer[name].as_u64().with_context(|| format!("the server did not say how many are {name}"))
}
