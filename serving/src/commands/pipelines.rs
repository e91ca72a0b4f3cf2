//! `chimera pipelines list|check|explain`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use chimera_pipelines::Definition;
use chimera_sql::Program;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Exit, Output, table, ui};

/// List, check or explain pipelines, without running them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chimera pipelines list
  chimera pipelines check my/pipeline.sql      line and column of every error
  chimera pipelines explain sales")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the pipelines in this binary with the stores that they keep
    List,
    /// Check pipelines: those in this binary, or files and folders that are named
    Check { paths: Vec<PathBuf> },
    /// Show the plan of a pipeline: its name, or a file
    Explain { pipeline: String },
}

pub fn run(arguments: &Arguments, output: Output) -> anyhow::Result<()> {
    match &arguments.command {
        Command::List => list(output),
        Command::Check { paths } => check(paths, output),
        Command::Explain { pipeline } => explain(pipeline),
    }
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
    let functions = chimera_pipelines::functions(None);
    let mut found = false;
    let mut results = Vec::new();
    for definition in &definitions {
        let result = Program::parse(&definition.sql, &functions);
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

fn explain(pipeline: &str) -> anyhow::Result<()> {
    let bundled = chimera_pipelines::bundled().into_iter().find(|definition| definition.name == pipeline);
    let definition = match bundled {
        Some(definition) => definition,
        None => {
            read(Path::new(pipeline)).with_context(|| format!("`{pipeline}` is neither a pipeline of this binary nor a file"))?.remove(0)
        }
    };
    let program = Program::parse(&definition.sql, &chimera_pipelines::functions(None))
        .map_err(|error| anyhow::anyhow!("{}: {error}", definition.name))?;
    println!("{}", program.explain());
    Ok(())
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
