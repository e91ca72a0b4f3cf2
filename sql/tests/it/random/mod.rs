//! Random queries over tables that change at random: what is maintained is what PostgreSQL computes.
//!
//! A case is some queries in one program, and some commits; after each of them every result is compared. Its seed says everything
//! about it. `CHIMERA_CASES=2000` runs so many cases, `CHIMERA_SEED=17` that case alone, `CHIMERA_QUERY=3` of it that query alone.

mod expressions;
mod queries;
mod tables;

use crate::data::Random;
use crate::harness::{Bag, config, integrate, rounded};
use chimera_local::TestPostgres;
use chimera_sql::{DataflowConfig, Functions, Program};
use queries::{Generator, Query};
use serde_json::Value as Json;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tables::{Changes, Database, Kind};

/// Cases of a run that is not told how many.
const CASES: u64 = 60;
const QUERIES: usize = 8;
const COMMITS: usize = 5;

/// What a program may refuse; anything else that it refuses is a fault.
const REFUSALS: [&str; 3] = [
    // To DataFusion a column and a cast of it have one name.
    "Projections require unique expression names",
    "Schema contains duplicate unqualified field name",
    "a subquery that depends on the row outside in this way is not supported",
];

struct Case {
    seed: u64,
    view: Query,
    queries: Vec<Query>,
    commits: Vec<Changes>,
    workers: usize,
    /// After this commit it is stopped, with or without one more that the checkpoint does not have, and started again.
    restart: Option<(usize, bool)>,
}

impl Case {
    fn new(seed: u64) -> Self {
        let mut random = Random((seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut generator = Generator::new(&mut random);
        let view = generator.nested(1);
        generator.views.push(("w".into(), view.kinds.clone()));
        let queries = (0..QUERIES).map(|_| generator.query()).collect();
        let mut database = Database::default();
        let commits = (0..COMMITS).map(|_| database.change(&mut random)).collect();
        let restart = random.one_in(2).then(|| (random.below(COMMITS as u64 - 1) as usize, random.one_in(2)));
        Case { seed, view, queries, commits, workers: 1 + random.below(3) as usize, restart }
    }

    /// Query `index` of it goes into sink `q{index}`.
    fn program(&self, queries: &[usize]) -> Result<Program, chimera_sql::Error> {
        let mut sql = format!("{}CREATE VIEW w AS {};\n", tables::sources(), self.view.sql);
        for index in queries {
            let Query { sql: query, kinds, .. } = &self.queries[*index];
            let columns: String = kinds.iter().enumerate().map(|(i, kind)| format!(", c{i} {}", kind.sql())).collect();
            let values: String = kinds.iter().enumerate().map(|(i, kind)| format!(", {}", value(i, *kind))).collect();
            sql += &format!("CREATE TABLE q{index} (pk TEXT PRIMARY KEY{columns}) WITH (type = 'sink');\n");
            sql += &format!("INSERT INTO q{index} SELECT 'pk'{values} FROM (\n{query}\n) AS q;\n");
        }
        Program::parse(&sql, &Functions::new())
    }

    /// What the queries yield after each commit.
    fn maintained(&self, program: &Program, queries: &[usize]) -> Vec<Vec<Bag>> {
        let folder = tempfile::tempdir().unwrap();
        let folder = self.restart.is_some().then(|| folder.path());
        let mut dataflow = program.start(config(self.workers, folder)).unwrap();
        let mut bags = vec![Bag::new(); queries.len()];
        let mut results = vec![];
        for (number, commit) in self.commits.iter().enumerate() {
            commit.pushes.iter().for_each(|(table, delta)| dataflow.push(table, delta.clone()).unwrap());
            let outputs = dataflow.step().unwrap();
            queries.iter().zip(&mut bags).for_each(|(index, bag)| integrate(&outputs, &format!("q{index}"), bag));
            assert_eq!(dataflow.take_row_errors(), vec![]);
            results.push(bags.clone());
            let Some((_, is_ahead)) = self.restart.filter(|(place, _)| *place == number) else { continue };
            let checkpoint = dataflow.checkpoint().unwrap();
            if is_ahead {
                self.commits[number + 1].pushes.iter().for_each(|(table, delta)| dataflow.push(table, delta.clone()).unwrap());
                dataflow.step().unwrap();
            }
            dataflow.stop();
            let again = DataflowConfig { checkpoint: Some(checkpoint), ..config(self.workers, folder) };
            dataflow = program.start(again).unwrap();
        }
        dataflow.stop();
        results
    }

    /// The same, computed by PostgreSQL each time.
    fn afresh(&self, postgres: &TestPostgres, queries: &[usize]) -> Result<Vec<Vec<Bag>>, String> {
        let mut sql = tables::TABLES.map(|table| format!("TRUNCATE {}_rows;\n", table.name)).concat();
        sql += &format!("CREATE TEMP VIEW w AS {};\n", self.view.sql);
        for index in queries {
            let query = &self.queries[*index];
            let query = query.postgres.as_ref().unwrap_or(&query.sql);
            sql += &format!("PREPARE q{index} AS SELECT row_to_json(q) FROM (\n{query}\n) AS q;\n");
        }
        for commit in &self.commits {
            sql += &commit.sql;
            queries.iter().for_each(|index| sql += &format!("EXECUTE q{index}; SELECT '{END}';\n"));
        }
        let answer = postgres.query(DATABASE, &sql).map_err(|error| {
            let error = error.to_string();
            error[error.find("ERROR:").unwrap_or(0)..].to_string()
        })?;
        let mut lines = answer.lines();
        let mut results = vec![];
        for _ in &self.commits {
            let bag = |index: &usize| {
                let mut bag = Bag::new();
                let rows = lines.by_ref().take_while(|line| *line != END);
                rows.for_each(|row| *bag.entry(texts(row, &self.queries[*index].kinds)).or_default() += 1);
                bag
            };
            results.push(queries.iter().map(bag).collect());
        }
        Ok(results)
    }
}

const DATABASE: &str = "random";
const END: &str = "--";

/// Column `index` as its sink wants it.
fn value(index: usize, kind: Kind) -> String {
    match kind {
        Kind::Ints | Kind::Texts => format!("c{index}"),
        kind => format!("CAST(c{index} AS {})", kind.sql()),
    }
}

/// A row that PostgreSQL wrote as JSON.
fn texts(row: &str, kinds: &[Kind]) -> Vec<String> {
    let row: Json = serde_json::from_str(row).unwrap_or_else(|e| panic!("{row}: {e}"));
    kinds.iter().enumerate().map(|(index, kind)| text(&row[format!("c{index}")], *kind)).collect()
}

/// A value as the harness writes those of a sink.
fn text(value: &Json, kind: Kind) -> String {
    match value {
        Json::Null if matches!(kind, Kind::Ints | Kind::Texts) => String::new(),
        Json::String(text) => text.clone(),
        Json::Number(number) => match (kind, number.as_f64().unwrap()) {
            (Kind::Int | Kind::Ints, _) => number.to_string(),
            (Kind::Decimal, number) => format!("{number:.6}"),
            (_, number) => rounded(number).to_string(),
        },
        Json::Array(items) => {
            let items = items.iter().map(|item| if item.is_null() { String::new() } else { text(item, kind) });
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[derive(Default)]
struct Report {
    queries: usize,
    refused: Vec<String>,
    wrong: usize,
}

impl Report {
    fn wrong(&mut self, text: &str) {
        eprintln!("{text}\n");
        self.wrong += 1;
    }
}

fn check(case: &Case, postgres: &TestPostgres, only: Option<usize>, report: &mut Report) {
    let mut planned = vec![];
    if let Err(error) = case.program(&[]) {
        return report.wrong(&format!("CHIMERA_SEED={}: {error}\n{}", case.seed, case.view.sql));
    }
    for index in (0..case.queries.len()).filter(|index| only.is_none_or(|only| only == *index)) {
        match case.program(&[index]) {
            Ok(_) => planned.push(index),
            Err(error) => {
                let text = format!(
                    "CHIMERA_SEED={} CHIMERA_QUERY={index}: {error}\nwith w AS {}\n{}",
                    case.seed, case.view.sql, case.queries[index].sql
                );
                let is_known = REFUSALS.iter().any(|known| error.message.contains(known));
                if is_known { report.refused.push(text) } else { report.wrong(&text) }
            }
        }
    }
    report.queries += planned.len();
    let program = case.program(&planned).unwrap_or_else(|e| panic!("seed {}: {e}", case.seed));
    let expected = match case.afresh(postgres, &planned) {
        Ok(expected) => expected,
        Err(error) => return report.wrong(&format!("CHIMERA_SEED={}: PostgreSQL says {error}", case.seed)),
    };
    let found = match catch_unwind(AssertUnwindSafe(|| case.maintained(&program, &planned))) {
        Ok(found) => found,
        Err(panic) => {
            let message = panic.downcast_ref::<String>().cloned().unwrap_or_default();
            return report.wrong(&format!("CHIMERA_SEED={}: {message}", case.seed));
        }
    };
    for (place, index) in planned.iter().enumerate() {
        let Some(commit) = (0..COMMITS).find(|commit| found[*commit][place] != expected[*commit][place]) else { continue };
        let (found, expected) = (&found[commit][place], &expected[commit][place]);
        let changes: String = case.commits[..=commit].iter().map(|commit| format!("BEGIN;\n{}COMMIT;\n", commit.sql)).collect();
        report.wrong(&format!(
            "CHIMERA_SEED={} CHIMERA_QUERY={index}, {} worker(s), restart {:?}: after commit {commit} of\n{changes}with w AS {}\n{}\nyields {}\nnot {}",
            case.seed, case.workers, case.restart, case.view.sql, case.queries[*index].sql, apart(found, expected), apart(expected, found),
        ));
    }
}

/// The rows of a result, and first those that the other one has not.
fn apart(bag: &Bag, other: &Bag) -> String {
    let (same, own): (Vec<_>, Vec<_>) = bag.iter().partition(|(row, times)| other.get(*row) == Some(*times));
    format!("{own:?}\n  and {same:?}")
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|e| panic!("{name}={text}: {e}")))
}

#[test]
fn random_queries_equal_those_of_postgresql() {
    let postgres = match TestPostgres::start() {
        Ok(postgres) => postgres,
        Err(error) if error.is_missing() => return eprintln!("skipped: {error}"),
        Err(error) => panic!("{error}"),
    };
    postgres.create_database(DATABASE).unwrap();
    postgres.query(DATABASE, &tables::postgres_tables()).unwrap();
    let seeds = match number("CHIMERA_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("CHIMERA_CASES").unwrap_or(CASES),
    };
    let only = number("CHIMERA_QUERY").map(|query| query as usize);
    let mut report = Report::default();
    for seed in seeds {
        check(&Case::new(seed), &postgres, only, &mut report);
    }
    let Report { queries, refused, wrong } = report;
    println!("{queries} queries compared, {} refused", refused.len());
    assert_eq!(wrong, 0, "wrong results, see above");
    assert!(refused.len() * 10 <= queries, "too many are refused:\n{}", refused.join("\n\n"));
}
