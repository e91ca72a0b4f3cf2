//! `chimera pipelines list|check|explain|diff|rebuild|graph`.

mod graph;

use std::path::{Path, PathBuf};

use anyhow::Context;
use chimera_pipelines::Definition;
use chimera_sql::{Program, ViewStatement};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use self::graph::Format;
use super::instance::{Note, Operator};
use super::{Exit, Output, Settings, table, ui};

/// Pipelines and created views: how they do, what they are made of, what another text would change
#[derive(Debug, Args)]
#[command(after_help = "\
`list`, `diff` and `rebuild` ask the running server, `graph` and `explain` only about views that were created; `check` needs none.

Examples:
  chimera pipelines list
  chimera pipelines check my/pipeline.sql      line and column of every error
  chimera pipelines explain sales
  chimera pipelines diff sales sales.sql       which stores would be built anew
  chimera pipelines graph sales --format dot | dot -Tsvg > sales.svg")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the pipelines that run: how far they are, how large their state is; without a server, those of this binary
    List,
    /// Check pipelines: those in this binary, or files and folders that are named
    Check { paths: Vec<PathBuf> },
    /// Show the plan of a pipeline: its name, or a file
    Explain { pipeline: String },
    /// Show what changes if the text of a file becomes that of a pipeline that runs
    Diff { pipeline: String, file: PathBuf },
    /// Build a created view anew from the log; until that is done, the one that is there is read
    Rebuild { pipeline: String },
    /// Draw sources, operators and stores: of one pipeline, or of all in this binary
    Graph {
        pipeline: Option<String>,
        #[arg(long, value_enum, default_value_t = Format::Mermaid)]
        format: Format,
    },
}

pub async fn run(settings: &Settings, arguments: &Arguments, output: Output) -> anyhow::Result<()> {
    match &arguments.command {
        Command::List => match Note::read(&settings.data_dir) {
            Some(_) => list_running(settings, output).await,
            None => list(output),
        },
        Command::Check { paths } => check(paths, output),
        Command::Explain { pipeline } => explain(settings, pipeline).await,
        Command::Diff { pipeline, file } => diff(settings, pipeline, file, output).await,
        Command::Rebuild { pipeline } => rebuild(settings, pipeline).await,
        Command::Graph { pipeline, format } => draw(settings, pipeline.as_deref(), *format).await,
    }
}

async fn list_running(settings: &Settings, output: Output) -> anyhow::Result<()> {
    let answer = Operator::new(settings)?.get("/api/v1/pipelines").await?;
    let pipelines = answer["pipelines"].as_array().cloned().unwrap_or_default();
    match output {
        Output::Json => println!("{}", serde_json::to_string_pretty(&answer)?),
        Output::Text => {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let rows: Vec<Vec<String>> = pipelines
                .iter()
                .map(|pipeline| {
                    let stores: Vec<String> = pipeline["stores"].as_array().into_iter().flatten().map(text).collect();
                    let state = pipeline["error"].as_str().map_or_else(|| text(&pipeline["state"]).replace('_', " "), str::to_owned);
                    let state = match pipeline["upload_error"].as_str() {
                        Some(error) => format!("{state}; no upload: {error}"),
                        None => state,
                    };
                    vec![
                        text(&pipeline["name"]),
                        pipeline["owner"].as_str().unwrap_or("-").to_owned(),
                        text(&pipeline["epoch"]),
                        text(&pipeline["age_ms"]),
                        text(&pipeline["rows"]),
                        format!("{:.1}", pipeline["state_bytes"].as_f64().unwrap_or(0.0) / 1e6),
                        format!("{:.1}", pipeline["table_bytes"].as_f64().unwrap_or(0.0) / 1e6),
                        text(&pipeline["checkpoint_epoch"]),
                        state,
                        stores.join(", "),
                        match pipeline["hosts"].as_array().into_iter().flatten().map(text).collect::<Vec<_>>() {
                            hosts if hosts.is_empty() => "here".to_owned(),
                            hosts => hosts.join(", "),
                        },
                    ]
                })
                .collect();
            let headers =
                ["pipeline", "owner", "epoch", "age ms", "changes", "state MB", "tables MB", "checkpoint", "state", "keeps", "computed"];
            println!("{}", table::render(&headers, &rows));
        }
    }
    if pipelines.iter().any(|pipeline| pipeline["error"].is_string()) { Err(Exit::Found.into()) } else { Ok(()) }
}

async fn diff(settings: &Settings, pipeline: &str, file: &Path, output: Output) -> anyhow::Result<()> {
    let sql = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let answer = Operator::new(settings)?.post(&format!("/api/v1/pipelines/{pipeline}/diff"), &json!({ "sql": sql })).await?;
    if output == Output::Json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = answer["stores"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|store| {
            let change = store["change"].as_str().unwrap_or_default();
            let is_built = answer["is_rebuilt"] == true && change != "removed";
            let text = store["store"].as_str().unwrap_or_default();
            vec![text.to_owned(), change.to_owned(), if is_built { "built anew" } else { "-" }.to_owned()]
        })
        .collect();
    println!("{}\n", table::render(&["store", "plan", "rows"], &rows));
    for line in answer["plan"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        println!("{line}");
    }
    Ok(())
}

async fn rebuild(settings: &Settings, pipeline: &str) -> anyhow::Result<()> {
    Operator::new(settings)?.post(&format!("/api/v1/pipelines/{pipeline}/rebuild"), &json!({})).await?;
    eprintln!("{pipeline} is being built anew; `chimera pipelines list` shows how far it is");
    Ok(())
}

async fn draw(settings: &Settings, pipeline: Option<&str>, format: Format) -> anyhow::Result<()> {
    let functions = chimera_pipelines::functions(None);
    let mut graphs = Vec::new();
    for definition in chimera_pipelines::bundled().into_iter().filter(|definition| pipeline.is_none_or(|name| definition.name == name)) {
        let program =
            Program::parse(&definition.sql, &functions).map_err(|error| anyhow::anyhow!("pipeline {}: {error}", definition.name))?;
        graphs.push((definition.name, serde_json::to_value(program.graph())?));
    }
    if let (true, Some(name)) = (graphs.is_empty(), pipeline) {
        graphs.push((name.to_owned(), Operator::new(settings)?.get(&format!("/api/v1/pipelines/{name}/graph")).await?));
    }
    print!("{}", graph::draw(&graphs, format)?);
    Ok(())
}

fn list(output: Output) -> anyhow::Result<()> {
    let functions = chimera_pipelines::functions(None);
    let mut rows = Vec::new();
    for definition in chimera_pipelines::bundled() {
        let program =
            Program::parse(&definition.sql, &functions).map_err(|error| anyhow::anyhow!("pipeline {}: {error}", definition.name))?;
        let names = |tables: &[chimera_sql::Table]| tables.iter().map(|table| table.name.clone()).collect::<Vec<_>>();
        rows.push((definition.name, names(&program.sources), names(&program.sinks)));
    }
    match output {
        Output::Json => {
            let rows: Vec<_> =
                rows.iter().map(|(name, sources, sinks)| json!({ "pipeline": name, "sources": sources, "stores": sinks })).collect();
            println!("{}", serde_json::to_string_pretty(&rows)?);
        }
        Output::Text => {
            let rows: Vec<Vec<String>> =
                rows.into_iter().map(|(name, sources, sinks)| vec![name, sources.join(", "), sinks.join(", ")]).collect();
            println!("{}", table::render(&["pipeline", "reads", "keeps"], &rows));
        }
    }
    Ok(())
}

fn check(paths: &[PathBuf], output: Output) -> anyhow::Result<()> {
    let mut definitions = Vec::new();
    for path in paths {
        definitions.extend(read(path)?);
    }
    if paths.is_empty() {
        definitions = chimera_pipelines::bundled();
    }
    let mut found = false;
    let mut results = Vec::new();
    for definition in &definitions {
        let result = parse(&definition.sql);
        match (&result, output) {
            (Ok(program), Output::Text) => {
                println!("{}: ok, {} sources, {} stores", definition.name, program.sources.len(), program.sinks.len())
            }
            (Err(error), Output::Text) => eprintln!("{} {}: {error}", ui::red("error:"), definition.name),
            (Ok(_), Output::Json) => results.push(json!({ "pipeline": definition.name, "ok": true })),
            (Err(error), Output::Json) => results
                .push(json!({ "pipeline": definition.name, "ok": false, "line": error.line, "column": error.column,
                "message": error.message, "help": error.help })),
        }
        found |= result.is_err();
    }
    if output == Output::Json {
        println!("{}", serde_json::to_string_pretty(&results)?);
    }
    if found { Err(Exit::Found.into()) } else { Ok(()) }
}

async fn explain(settings: &Settings, pipeline: &str) -> anyhow::Result<()> {
    let bundled = chimera_pipelines::bundled().into_iter().find(|definition| definition.name == pipeline);
    let definition = match bundled {
        Some(definition) => definition,
        None if Path::new(pipeline).exists() => read(Path::new(pipeline))?.remove(0),
        None => {
            let answer = Operator::new(settings)
                .with_context(|| format!("`{pipeline}` is neither a pipeline of this binary nor a file"))?
                .get(&format!("/api/v1/pipelines/{pipeline}"))
                .await?;
            println!("{}", answer["plan"].as_str().unwrap_or_default());
            return Ok(());
        }
    };
    let program = parse(&definition.sql).map_err(|error| anyhow::anyhow!("{}: {error}", definition.name))?;
    println!("{}", program.explain());
    Ok(())
}

/// A pipeline, or a CREATE MATERIALIZED VIEW of the source tables.
fn parse(sql: &str) -> Result<Program, chimera_sql::Error> {
    let functions = chimera_pipelines::functions(None);
    match ViewStatement::parse(sql) {
        Ok(_) => Program::view(sql, &[], chimera_pipelines::sources(), &functions),
        Err(_) => Program::parse(sql, &functions),
    }
}

/// A file, or every pipeline of a folder; never empty.
fn read(path: &Path) -> anyhow::Result<Vec<Definition>> {
    if path.is_dir() {
        let definitions = chimera_pipelines::from_dir(path)?;
        anyhow::ensure!(!definitions.is_empty(), "{} has no folder with a pipeline.sql", path.display());
        return Ok(definitions);
    }
    let sql = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(vec![Definition { name: path.display().to_string(), sql }])
}
