//! Commands with a backslash.

use std::fs::File;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::ValueEnum;
use tokio::signal::unix::{SignalKind, signal};

use super::Format;
use super::shell::{Expanded, Next, Shell};
use crate::commands::ui;

/// Each with what it takes and what it does.
pub const COMMANDS: [(&str, &str, &str); 15] = [
    ("?", "", "says this"),
    ("q", "", "leaves (also Ctrl-D)"),
    ("d", "[NAME]", "lists views; of one, its columns and indexes"),
    ("dv", "", "lists views with how they do"),
    ("di", "[VIEW]", "lists indexes"),
    ("dn", "", "lists schemas"),
    ("df", "[PART]", "lists functions"),
    ("x", "[on|off|auto]", "shows a value a line; auto: where rows are wider than the terminal"),
    ("format", "table|json|csv", "how rows are written"),
    ("timing", "[on|off]", "says how long statements take"),
    ("watch", "[SECONDS]", "runs the last statement again and again, until Ctrl-C"),
    ("i", "FILE", "runs the statements of a file"),
    ("o", "[FILE]", "writes rows into a file; without one, to the terminal again"),
    ("e", "", "edits the last statement with $EDITOR, then runs it"),
    ("conninfo", "", "says as whom this is"),
];

/// Runs a line that begins with a backslash.
pub async fn run(shell: &mut Shell, line: &str) -> anyhow::Result<Next> {
    let line = line.trim_end_matches(';').trim();
    let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    match command.trim_start_matches('\\') {
        "q" => return Ok(Next::Quit),
        "?" => COMMANDS.iter().for_each(|(command, takes, does)| eprintln!("  {:<26} {does}", format!("\\{command} {takes}"))),
        "d" if !rest.is_empty() => describe(shell, rest).await?,
        "d" => show(shell, VIEWS).await?,
        "dv" => show(shell, PIPELINES).await?,
        "di" => indexes(shell, rest).await?,
        "dn" => show(shell, SCHEMAS).await?,
        "df" => show(shell, &functions(rest)).await?,
        "x" => {
            let toggled = if shell.expanded == Expanded::Off { Expanded::On } else { Expanded::Off };
            shell.expanded = match rest {
                "" => toggled,
                "on" => Expanded::On,
                "off" => Expanded::Off,
                "auto" => Expanded::Auto,
                other => bail!("\\x takes on, off or auto, not `{other}`"),
            };
        }
        "timing" => {
            shell.timing = match rest {
                "" => !shell.timing,
                "on" => true,
                "off" => false,
                other => bail!("\\timing takes on or off, not `{other}`"),
            };
        }
        "format" => shell.format = Format::from_str(rest, true).map_err(|_| anyhow::anyhow!("\\format takes table, json or csv"))?,
        "watch" => watch(shell, rest).await?,
        "i" => {
            let text = std::fs::read_to_string(rest).with_context(|| format!("cannot read {rest}"))?;
            return shell.run_lines(&text).await;
        }
        "o" if rest.is_empty() => shell.file = None,
        "o" => shell.file = Some(File::create(rest).with_context(|| format!("cannot write {rest}"))?),
        "e" => {
            let text = edited(&shell.last)?;
            return shell.run_lines(&text).await;
        }
        "conninfo" => show(shell, "SELECT current_user AS \"user\", current_database() AS \"database\"").await?,
        other => bail!("there is no command `\\{other}`; \\? lists them"),
    }
    Ok(Next::GoOn)
}

const VIEWS: &str = "SELECT table_schema AS \"schema\", table_name AS \"view\", count(*) AS \"columns\" FROM information_schema.columns \
    WHERE table_schema NOT IN ('information_schema', 'pg_catalog', 'chimera') GROUP BY 1, 2 ORDER BY 1, 2";
const PIPELINES: &str = "SELECT * FROM chimera.views ORDER BY 1, 2";
const SCHEMAS: &str = "SELECT schema_name AS \"schema\" FROM information_schema.schemata ORDER BY 1";

fn functions(part: &str) -> String {
    let filter = if part.is_empty() { String::new() } else { format!("WHERE routine_name LIKE {} ", text(&format!("%{part}%"))) };
    format!("SELECT DISTINCT routine_name AS \"function\", function_type AS \"kind\" FROM information_schema.routines {filter}ORDER BY 1")
}

/// A text of SQL.
fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// A query of the shell's own: not the one that `\watch` repeats.
async fn show(shell: &mut Shell, query: &str) -> anyhow::Result<()> {
    let last = std::mem::take(&mut shell.last);
    let done = shell.run(query).await;
    shell.last = last;
    done
}

/// `schema.view`, or a view of any schema.
fn which(name: &str, schema: &str, view: &str) -> String {
    match name.split_once('.') {
        Some((of, name)) => format!("{schema} = {} AND {view} = {}", text(of), text(name)),
        None => format!("{schema} NOT IN ('information_schema', 'pg_catalog') AND {view} = {}", text(name)),
    }
}

async fn describe(shell: &mut Shell, name: &str) -> anyhow::Result<()> {
    let which_columns = which(name, "table_schema", "table_name");
    let there = shell.session.rows(&format!("SELECT table_schema FROM information_schema.tables WHERE {which_columns}")).await?;
    if there.is_empty() {
        bail!("there is no view `{name}`; \\d lists them");
    }
    let columns = format!(
        "SELECT table_schema || '.' || table_name AS \"view\", column_name AS \"column\", data_type AS \"type\", is_nullable AS \"null\" \
        FROM information_schema.columns WHERE {which_columns} ORDER BY table_schema, ordinal_position"
    );
    show(shell, &columns).await?;
    indexes(shell, name).await
}

async fn indexes(shell: &mut Shell, name: &str) -> anyhow::Result<()> {
    let filter = if name.is_empty() { String::new() } else { format!("WHERE {} ", which(name, "view_schema", "view_name")) };
    show(shell, &format!("SELECT * FROM chimera.indexes {filter}ORDER BY 1, 2, 3")).await
}

async fn watch(shell: &mut Shell, seconds: &str) -> anyhow::Result<()> {
    let seconds: f64 = if seconds.is_empty() { 2.0 } else { seconds.parse().context("\\watch takes a number of seconds")? };
    let pause = Duration::try_from_secs_f64(seconds.max(0.1)).context("\\watch takes a number of seconds")?;
    let statement = shell.last.clone();
    if statement.is_empty() {
        bail!("\\watch repeats the last statement, and there is none yet");
    }
    let mut interrupts = signal(SignalKind::interrupt()).context("Ctrl-C cannot be listened to")?;
    loop {
        eprintln!("{}", ui::dim(&chrono::Local::now().format("%F %T").to_string()));
        shell.run(&statement).await?;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = interrupts.recv() => return Ok(()),
        }
    }
}

fn edited(text: &str) -> anyhow::Result<String> {
    let file = tempfile::Builder::new().suffix(".sql").tempfile().context("cannot make a file to edit")?;
    std::fs::write(file.path(), text).context("cannot write the file to edit")?;
    let editor = std::env::var("VISUAL").or_else(|_| std::env::var("EDITOR")).unwrap_or_else(|_| "vi".to_owned());
    let status = std::process::Command::new("sh").arg("-c").arg(format!("{editor} \"$0\"")).arg(file.path()).status();
    if !status.with_context(|| format!("cannot start `{editor}`"))?.success() {
        bail!("`{editor}` ended with an error: nothing is run");
    }
    std::fs::read_to_string(file.path()).context("cannot read what was edited")
}
