//! The corpus `tests/slt/*.slt`: small tables, many queries, and the rows that each query yields.
//!
//! A file is a list of records with empty lines between them:
//!
//! ```text
//! statement                      CREATE TABLE, CREATE VIEW or INSERT INTO … VALUES; these come first
//! query <what it is about>       then the query, `----`, and its rows in the order of their text, with ` | ` between columns
//! error <part of the message>    then a query that is refused
//! ```
//!
//! Between a query and its rows, `---- equals` and another query say how DataFusion, which computes the rows afresh, is asked
//! where it lacks a function of ours; `---- postgres` says that its answer is not PostgreSQL's and not ours.
//!
//! All queries of a file are one program. It is run with all rows at once; row by row, among rows that are deleted again; and
//! with two workers, a checkpoint and a restart. Every run must end with the rows in the file, and so must DataFusion.
//! `SLT_WRITE=1` writes DataFusion's rows (or, where it differs, ours) into the files, to be reviewed in the diff.

use crate::data::Random;
use crate::harness::{Bag, batch_context, block_on, config, integrate, sql_type, texts};
use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{Field, Schema};
use chimera_sql::{Dataflow, DataflowConfig, Delta, Functions, Program};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A query and what must come of it.
struct Query {
    about: String,
    sql: String,
    reference: Reference,
    rows: Vec<String>,
    columns: Vec<String>,
}

enum Reference {
    Same,
    Equals(String),
    /// DataFusion's answer is another than PostgreSQL's.
    Postgres,
}

enum Record {
    Comment(String),
    Statement(String),
    Query(Query),
    Error { message: String, sql: String },
}

fn parse(text: &str) -> Vec<Record> {
    text.split("\n\n").filter(|part| !part.trim().is_empty()).map(|part| record(part.trim_matches('\n'))).collect()
}

fn record(text: &str) -> Record {
    let (head, body) = text.split_once('\n').unwrap_or((text, ""));
    let (kind, rest) = head.split_once(' ').unwrap_or((head, ""));
    match kind {
        "statement" => Record::Statement(body.trim_end().to_string()),
        "error" => Record::Error { message: rest.to_string(), sql: body.to_string() },
        "query" => {
            let (sql, rows) =
                body.split_once("\n----\n").or_else(|| body.strip_suffix("\n----").map(|sql| (sql, ""))).unwrap_or((body, ""));
            let (sql, reference) = match (sql.split_once("\n---- equals\n"), sql.strip_suffix("\n---- postgres")) {
                (Some((sql, reference)), _) => (sql, Reference::Equals(reference.to_string())),
                (None, Some(sql)) => (sql, Reference::Postgres),
                (None, None) => (sql, Reference::Same),
            };
            let rows = rows.lines().map(str::to_string).collect();
            Record::Query(Query { about: rest.to_string(), sql: sql.to_string(), reference, rows, columns: vec![] })
        }
        _ => Record::Comment(text.to_string()),
    }
}

fn written(records: &[Record]) -> String {
    let parts = records.iter().map(|record| match record {
        Record::Comment(text) => text.clone(),
        Record::Statement(sql) => format!("statement\n{sql}"),
        Record::Error { message, sql } => format!("error {message}\n{sql}"),
        Record::Query(query) => {
            let reference = match &query.reference {
                Reference::Same => String::new(),
                Reference::Equals(reference) => format!("\n---- equals\n{reference}"),
                Reference::Postgres => "\n---- postgres".to_string(),
            };
            let rows: String = query.rows.iter().map(|row| format!("\n{row}")).collect();
            format!("query {}\n{}{reference}\n----{rows}", query.about, query.sql)
        }
    });
    parts.collect::<Vec<_>>().join("\n\n") + "\n"
}

/// The tables and views of a file, in both worlds.
struct World {
    context: SessionContext,
    declarations: String,
    tables: Vec<(String, RecordBatch)>,
}

async fn world(records: &[Record]) -> World {
    let context = batch_context();
    let mut declarations = String::new();
    let mut names = vec![];
    for record in records {
        let Record::Statement(sql) = record else { continue };
        if sql.starts_with("INSERT") || sql.starts_with("CREATE VIEW") {
            context.sql(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}")).collect().await.unwrap_or_else(|e| panic!("{sql}: {e}"));
        }
        if sql.starts_with("CREATE") {
            declarations += &format!("{sql};\n");
        }
        if sql.starts_with("CREATE TABLE") {
            let program = Program::parse(&format!("{sql} WITH (type = 'source');"), &Functions::new()).unwrap_or_else(|e| panic!("{e}"));
            let table = &program.sources[0];
            let fields = table.schema.fields().iter().map(|field| Field::new(field.name(), field.data_type().clone(), true));
            let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
            context.register_table(&table.name, Arc::new(MemTable::try_new(schema, vec![vec![]]).unwrap())).unwrap();
            names.push(table.name.clone());
        }
    }
    let mut tables = vec![];
    for name in names {
        let frame = context.table(&name).await.unwrap();
        let schema = Arc::new(frame.schema().as_arrow().clone());
        let batches = frame.collect().await.unwrap();
        tables.push((name, concat_batches(&schema, &batches).unwrap()));
    }
    World { context, declarations, tables }
}

fn lines(bag: &Bag) -> Vec<String> {
    let mut lines = vec![];
    for (row, times) in bag {
        assert!(*times > 0, "row {row:?} is there {times} times");
        lines.extend(std::iter::repeat_n(row.join(" | ").trim_end().to_string(), *times as usize));
    }
    lines.sort();
    lines
}

/// The program of all queries: query `i` goes into sink `q{i}`.
fn program(declarations: &str, queries: &[&Query]) -> Result<Program, chimera_sql::Error> {
    let mut sql = declarations.to_string();
    for (i, query) in queries.iter().enumerate() {
        let columns: String = query.columns.iter().enumerate().map(|(i, column)| format!(", c{i} {column}")).collect();
        sql += &format!("CREATE TABLE q{i} (pk TEXT PRIMARY KEY{columns}) WITH (type = 'sink');\n");
        sql += &format!("INSERT INTO q{i} SELECT 'pk', * FROM (\n{}\n) AS q;\n", query.sql);
    }
    Program::parse(&sql, &Functions::new())
}

/// A row of a table that comes or goes.
struct Change {
    table: usize,
    row: RecordBatch,
    weight: i64,
}

/// Changes in a random order that leave the tables' rows: some rows come, go and come again, and made-up rows come and go.
fn history(tables: &[(String, RecordBatch)], random: &mut Random) -> Vec<Change> {
    let mut placed: Vec<(u64, Change)> = vec![];
    let mut place = |table: usize, row: RecordBatch, weights: &[i64], random: &mut Random| {
        let mut times: Vec<u64> = weights.iter().map(|_| random.below(1_000_000)).collect();
        times.sort_unstable();
        placed.extend(times.into_iter().zip(weights).map(|(time, weight)| (time, Change { table, row: row.clone(), weight: *weight })));
    };
    for (table, (_, batch)) in tables.iter().enumerate() {
        for row in 0..batch.num_rows() {
            let weights: &[i64] = if random.below(3) == 0 { &[1, -1, 1] } else { &[1] };
            place(table, batch.slice(row, 1), weights, random);
            // A row made up of what other rows have in its columns.
            let mixed = batch.columns().iter().map(|column| column.slice(random.below(batch.num_rows() as u64) as usize, 1));
            let mixed = RecordBatch::try_new(batch.schema(), mixed.collect()).unwrap();
            place(table, mixed, &[1, -1], random);
        }
    }
    // Equal times keep the order of a row's changes.
    placed.sort_by_key(|(time, _)| *time);
    placed.into_iter().map(|(_, change)| change).collect()
}

fn push(dataflow: &mut Dataflow, tables: &[(String, RecordBatch)], changes: &[Change]) {
    for (index, (name, batch)) in tables.iter().enumerate() {
        let changes: Vec<_> = changes.iter().filter(|change| change.table == index).collect();
        if changes.is_empty() {
            continue;
        }
        let rows = concat_batches(&batch.schema(), changes.iter().map(|change| &change.row)).unwrap();
        let weights = changes.iter().map(|change| change.weight).collect();
        dataflow.push(name, Delta { batch: rows, weights: Some(weights) }).unwrap();
    }
}

fn step(dataflow: &mut Dataflow, bags: &mut [Bag]) {
    let outputs = dataflow.step().unwrap();
    for (i, bag) in bags.iter_mut().enumerate() {
        integrate(&outputs, &format!("q{i}"), bag);
    }
}

fn all_at_once(program: &Program, world: &World, queries: usize) -> Vec<Bag> {
    let mut random = Random(7);
    let mut bags = vec![Bag::new(); queries];
    let mut dataflow = program.start(config(1, None)).unwrap();
    for (name, batch) in &world.tables {
        let mut order: Vec<u32> = (0..batch.num_rows() as u32).collect();
        order.sort_by_cached_key(|_| random.below(1_000_000));
        dataflow.push(name, Delta::insert(take_record_batch(batch, &UInt32Array::from(order)).unwrap())).unwrap();
    }
    step(&mut dataflow, &mut bags);
    assert_eq!(dataflow.take_row_errors(), vec![]);
    dataflow.stop();
    bags
}

fn row_by_row(program: &Program, world: &World, queries: usize) -> Vec<Bag> {
    let mut bags = vec![Bag::new(); queries];
    let mut dataflow = program.start(config(1, None)).unwrap();
    for change in history(&world.tables, &mut Random(11)) {
        push(&mut dataflow, &world.tables, &[change]);
        step(&mut dataflow, &mut bags);
    }
    dataflow.stop();
    bags
}

fn with_restart(program: &Program, world: &World, queries: usize) -> Vec<Bag> {
    const EPOCHS: usize = 6;
    let folder = tempfile::tempdir().unwrap();
    let mut bags = vec![Bag::new(); queries];
    let mut dataflow = program.start(config(2, Some(folder.path()))).unwrap();
    let changes = history(&world.tables, &mut Random(13));
    for (epoch, changes) in changes.chunks(changes.len().div_ceil(EPOCHS).max(1)).enumerate() {
        push(&mut dataflow, &world.tables, changes);
        step(&mut dataflow, &mut bags);
        if epoch == EPOCHS / 2 {
            let checkpoint = dataflow.checkpoint().unwrap();
            dataflow.stop();
            dataflow = program.start(DataflowConfig { checkpoint: Some(checkpoint), ..config(2, Some(folder.path())) }).unwrap();
        }
    }
    dataflow.stop();
    bags
}

/// Runs a program of so many queries; what each of them yields in the end.
type Run = fn(&Program, &World, usize) -> Vec<Bag>;

/// Runs a file; what is wrong with it, a text a query.
fn check(path: &Path, is_writing: bool) -> Vec<String> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let mut records = parse(&std::fs::read_to_string(path).unwrap());
    let world = block_on(world(&records));
    let mut wrong = vec![];
    for record in &mut records {
        match record {
            Record::Query(query) => {
                let sql = if let Reference::Equals(reference) = &query.reference { reference } else { &query.sql };
                let afresh = block_on(async {
                    let frame = world.context.sql(sql).await?;
                    let columns = frame.schema().fields().iter().map(|field| sql_type(field.data_type())).collect();
                    Ok::<_, datafusion::error::DataFusionError>((columns, frame.collect().await?))
                });
                let (columns, batches): (Vec<String>, _) = match afresh {
                    Ok(afresh) => afresh,
                    Err(error) => {
                        wrong.push(format!("{name}: {}: DataFusion refuses it: {error}", query.about));
                        continue;
                    }
                };
                query.columns = columns;
                let mut bag = Bag::new();
                batches.iter().flat_map(|batch| texts(batch.columns())).for_each(|row| *bag.entry(row).or_default() += 1);
                if is_writing && !matches!(query.reference, Reference::Postgres) {
                    query.rows = lines(&bag);
                }
                if !matches!(query.reference, Reference::Postgres) && lines(&bag) != query.rows {
                    wrong.push(format!("{name}: {}: DataFusion yields\n{}", query.about, lines(&bag).join("\n")));
                }
                if let Err(error) = program(&world.declarations, &[query]) {
                    wrong.push(format!("{name}: {}: {error}", query.about));
                    query.columns.clear();
                }
            }
            Record::Error { message, sql } => {
                let sql = format!(
                    "{}CREATE TABLE q (pk TEXT PRIMARY KEY) WITH (type = 'sink');\nINSERT INTO q SELECT 'pk' FROM ({sql}) AS q;",
                    world.declarations
                );
                match Program::parse(&sql, &Functions::new()) {
                    Err(error) if error.to_string().contains(message.as_str()) && error.line > 0 => {}
                    Err(error) => wrong.push(format!("{name}: another error than `{message}`: {error}")),
                    Ok(_) => wrong.push(format!("{name}: not refused: {sql}")),
                }
            }
            _ => {}
        }
    }
    let planned: Vec<&Query> = records
        .iter()
        .filter_map(|record| if let Record::Query(query) = record { Some(query).filter(|query| !query.columns.is_empty()) } else { None })
        .collect();
    let all = program(&world.declarations, &planned).unwrap_or_else(|e| panic!("{name}: {e}"));
    let runs: [(&str, Run); 3] = [("all at once", all_at_once), ("row by row", row_by_row), ("with a restart", with_restart)];
    let mut ours = vec![];
    for (way, run) in runs {
        let bags = run(&all, &world, planned.len());
        for (query, bag) in planned.iter().zip(&bags) {
            let is_written = is_writing && matches!(query.reference, Reference::Postgres);
            if !is_written && lines(bag) != query.rows {
                wrong.push(format!("{name}: {}: {way} it yields\n{}\nnot\n{}", query.about, lines(bag).join("\n"), query.rows.join("\n")));
            }
        }
        ours = bags;
    }
    if is_writing {
        let about: Vec<(String, Vec<String>)> = planned.iter().zip(&ours).map(|(query, bag)| (query.sql.clone(), lines(bag))).collect();
        for record in &mut records {
            if let Record::Query(query) = record
                && matches!(query.reference, Reference::Postgres)
                && let Some((_, rows)) = about.iter().find(|(sql, _)| *sql == query.sql)
            {
                query.rows = rows.clone();
            }
        }
        std::fs::write(path, written(&records)).unwrap();
    }
    wrong
}

fn folder() -> PathBuf {
    PathBuf::from("tests/slt")
}

/// A test a file.
macro_rules! files {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            let wrong = check(&folder().join(concat!(stringify!($name), ".slt")), std::env::var_os("SLT_WRITE").is_some());
            assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
        })*

        #[test]
        fn every_file_is_tested() {
            let tested = [$(stringify!($name)),*];
            for entry in std::fs::read_dir(folder()).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                assert!(tested.contains(&name.as_str()), "{} is not tested", path.display());
            }
        }
    };
}

files!(
    aggregates,
    expressions,
    grouping,
    joins,
    order_limit,
    recursion,
    set_operations,
    subqueries,
    time_windows,
    unnest,
    window_functions,
);
