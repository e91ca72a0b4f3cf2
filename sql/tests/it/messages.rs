//! What is said about a program that is wrong, and where it points.

use chimera_sql::{Error, Functions, Program};

fn refused(sql: &str) -> Error {
    match Program::parse(sql, &Functions::new()) {
        Err(error) => error,
        Ok(program) => panic!("accepted:\n{sql}\n{}", program.explain()),
    }
}

const TABLES: &str = "\
CREATE TABLE items (order_id TEXT, sku TEXT, quantity INT, price DECIMAL(12, 3)) WITH (type = 'source');
CREATE TABLE out (sku TEXT PRIMARY KEY, q BIGINT) WITH (type = 'sink');
";

/// Line 3 is the first of `sql`.
fn refused_after_tables(sql: &str) -> Error {
    refused(&format!("{TABLES}{sql}"))
}

#[track_caller]
fn assert_error(error: Error, line: u64, column: u64, message: &str, help: &str) {
    assert_eq!((error.line, error.column), (line, column), "{error}");
    assert!(error.message.contains(message), "{error}");
    assert!(error.help.clone().unwrap_or_default().contains(help), "{error}");
}

#[test]
fn an_error_shows_the_line_and_points_at_the_word() {
    let error = refused_after_tables("INSERT INTO out\n  SELECT sku, sum(quantty)\n  FROM items GROUP BY sku;");
    let text = error.to_string();
    let expected = "line 4, column 19: column `quantty` not found\n    SELECT sku, sum(quantty)\n                    ^\nhelp: ";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("quantity"), "{text}");
}

#[test]
fn unknown_names() {
    assert_error(
        refused_after_tables("INSERT INTO out SELECT sku, quantity FROM item;"),
        3,
        43,
        "no table or view `item`",
        "did you mean `items`?",
    );
    assert_error(refused_after_tables("INSERT INTO out SELECT i.skew, 1 FROM items i;"), 3, 24, "skew", "sku");
    assert_error(
        refused_after_tables("INSERT INTO outs SELECT sku, quantity FROM items; INSERT INTO out SELECT sku, 1 FROM items;"),
        3,
        13,
        "no table `outs` to write to",
        "`out`",
    );
    assert_error(refused_after_tables("INSERT INTO out (sku, qq) SELECT sku, quantity FROM items;"), 3, 23, "no column `qq`", "`q`");
    assert_error(refused_after_tables("INSERT INTO out SELECT sku, summ(quantity) FROM items GROUP BY sku;"), 3, 29, "summ", "sum");
    let later = "INSERT INTO out SELECT sku, q FROM v;\nCREATE VIEW v AS SELECT sku, quantity AS q FROM items;";
    assert_error(refused_after_tables(later), 3, 36, "no table or view `v`", "declared further down");
}

#[test]
fn syntax() {
    assert_error(refused_after_tables("INSERT INTO out SELEC sku, quantity FROM items;"), 3, 17, "SELEC", "");
    assert_error(refused_after_tables("INSERT INTO out SELECT sku quantity, FROM items;"), 3, 38, "FROM", "");
    assert_error(refused("CREATE TABLE t (a TEXT, b WIBBLE(3) );"), 1, 27, "WIBBLE", "TEXT");
    assert_error(refused("CREATE TABLE t (a TEXT) WITH (type = source);"), 1, 38, "must be quoted", "type = 'source'");
    assert_error(refused("CREATE TABLE t (a TEXT) WITH (type = 'source', type = 'sink');"), 1, 48, "given twice", "");
    assert_error(refused("CREATE TABLE t (a 'text');"), 1, 19, "found", "");
    assert_error(
        refused("\n\nDROP TABLE t;"),
        3,
        1,
        "expected CREATE TABLE, CREATE VIEW, CREATE FUNCTION or INSERT INTO, found `DROP`",
        "",
    );
    assert_error(refused("SELECT 1;"), 1, 1, "a query on its own yields nothing", "INSERT INTO");
    assert_error(refused("SET parallelism = '4';"), 1, 5, "no setting `parallelism`", "WITH options");
    assert_error(refused("CREATE TABLE t (a TEXT); 'abc"), 1, 26, "nterminated", "");
}

#[test]
fn declarations() {
    assert_error(refused("CREATE TABLE t (a TEXT);\nCREATE VIEW t AS SELECT 1 AS a;"), 2, 13, "declared twice, first on line 1", "");
    assert_error(refused("CREATE TABLE t (a TEXT, a INT);"), 1, 25, "column `a` is declared twice", "");
    assert_error(refused("CREATE TABLE t (a TEXT, PRIMARY KEY (b));"), 1, 38, "does not have", "its columns are a");
    assert_error(refused("CREATE TABLE t (a TEXT PRIMARY KEY, b TEXT PRIMARY KEY);"), 1, 44, "two primary keys", "PRIMARY KEY (a, b)");
    assert_error(refused("CREATE TABLE t (a TEXT, WATERMARK FOR b AS b);"), 1, 39, "does not have", "");
    assert_error(refused("CREATE TABLE t (a TEXT) WITH (type = 'sink');"), 1, 14, "no PRIMARY KEY", "by their key");
    assert_error(refused("CREATE TABLE t (a TEXT PRIMARY KEY) WITH (type = 'sink');"), 1, 14, "nothing is written", "INSERT INTO t");
    assert_error(refused("CREATE TABLE t (a TEXT) WITH (type = 'table');"), 1, 14, "'table'", "'lookup'");
    assert_error(refused("CREATE TABLE t (a DECIMAL(50, 2));"), 1, 19, "DECIMAL(50, 2)", "");
    let view =
        "CREATE VIEW v AS SELECT a.sku, b.sku FROM items a JOIN items b ON a.order_id = b.order_id;\nINSERT INTO out SELECT sku, 1 FROM v;";
    assert_error(refused_after_tables(view), 3, 13, "two columns named `sku`", "AS");
}

#[test]
fn inserts_that_do_not_fit() {
    assert_error(refused_after_tables("INSERT INTO out SELECT sku FROM items;"), 3, 17, "1 columns, sink `out` takes 2", "sku, q");
    let error = refused_after_tables("INSERT INTO out\nSELECT sku,\n  price FROM items;");
    assert_error(error, 5, 3, "column 2 of the query is DECIMAL(12, 3), but column `q` of sink `out` is BIGINT", "CAST(… AS BIGINT)");
    assert_error(
        refused_after_tables("INSERT INTO out SELECT quantity, 1 FROM items;"),
        3,
        24,
        "INT, but column `sku` of sink `out` is TEXT",
        "CAST",
    );
    assert_error(refused_after_tables("INSERT INTO out (q) SELECT quantity FROM items;"), 3, 13, "column `sku` of the primary key", "");
    assert_error(
        refused_after_tables("INSERT INTO items SELECT * FROM items;\nINSERT INTO out SELECT sku, 1 FROM items;"),
        3,
        13,
        "is a source",
        "sink",
    );
    assert_error(refused_after_tables("INSERT INTO out SELECT sku, q FROM out;"), 3, 36, "is a sink and cannot be read", "CREATE VIEW");
}

#[test]
fn types_and_groups() {
    assert_error(refused_after_tables("INSERT INTO out SELECT sku, quantity FROM items GROUP BY sku;"), 3, 29, "quantity", "");
    let error = refused_after_tables("INSERT INTO out SELECT sku, quantity - DATE '2020-01-01' FROM items;");
    assert_eq!(error.line, 3, "{error}");
}

#[test]
fn what_is_not_supported_says_the_way_out() {
    let refused = |query: &str| refused_after_tables(&format!("INSERT INTO out\n{query};"));
    assert_error(refused("SELECT sku, CAST(random() * 5 AS BIGINT) FROM items"), 4, 18, "`random` gives another result each time", "");
    assert_error(
        refused("SELECT sku, 1 FROM items WHERE now() > TIMESTAMP '2020-01-01'"),
        4,
        32,
        "`now` may only bound a time",
        "WHERE at > now()",
    );
    assert_error(
        refused("SELECT sku, CASE WHEN TIMESTAMP '2020-01-01' > now() THEN 1 END FROM items"),
        4,
        48,
        "`now` may only bound a time",
        "AND",
    );
    assert_error(
        refused("SELECT sku, 1 FROM items WHERE CAST(sku AS TIMESTAMP) = now()"),
        4,
        57,
        "condition that cannot be maintained",
        "INTERVAL",
    );
    let count_by = |window: &str| refused(&format!("SELECT sku, count(*) FROM items GROUP BY sku, {window}"));
    assert_error(count_by("hop(INTERVAL '1 minute')"), 4, 47, "`hop` takes 2 interval(s) and a time, found 1 argument", "time_column");
    let timed = "SELECT sku, count(*) FROM (SELECT sku, TIMESTAMP '2020-01-01' AS t FROM items) AS q GROUP BY sku, ";
    assert_error(refused(&format!("{timed}hop(INTERVAL '1 day', INTERVAL '1 year', t)")), 4, 99, "months or years", "");
    assert_error(
        refused("SELECT sku, session(INTERVAL '1 day', TIMESTAMP '2020-01-01') FROM items"),
        4,
        13,
        "`session` windows are those of a group",
        "GROUP BY",
    );
    assert_error(
        refused("SELECT 'x', count(*) FROM items GROUP BY tumble(INTERVAL '1 minute')"),
        4,
        42,
        "which time to use",
        "time_column",
    );
    assert_error(
        refused("WITH RECURSIVE r AS (SELECT sku, 1 AS n FROM items UNION SELECT sku, max(n) FROM r GROUP BY sku) SELECT sku, n FROM r"),
        4,
        6,
        "the recursive part",
        "reads the recursion",
    );
}

#[test]
fn explain_says_what_is_kept() {
    let sql = format!("{TABLES}INSERT INTO out SELECT sku, sum(quantity) FROM items WHERE quantity > 0 GROUP BY sku;");
    let text = Program::parse(&sql, &Functions::new()).unwrap().explain();
    assert!(text.starts_with("out =\n"), "{text}");
    assert!(text.contains("keeps 1 total(s) a group; grows with the number of groups"), "{text}");
    assert!(text.contains("input items"), "{text}");
}

#[test]
fn explain_says_where_a_program_can_run() {
    let cases = [
        ("SELECT sku, sum(quantity) FROM items GROUP BY sku", "runs on Arroyo: yes"),
        (
            "SELECT a.sku, a.n FROM (SELECT sku, count(*) AS n FROM items GROUP BY sku) AS a JOIN items AS b ON a.sku = b.sku",
            "joins with a side that changes",
        ),
        (
            "SELECT sku, max(quantity) FROM (SELECT sku, quantity FROM items ORDER BY quantity LIMIT 3) AS i GROUP BY sku",
            "refuses ORDER BY and LIMIT",
        ),
        (
            "SELECT sku, sum(n) FROM (SELECT sku, count(*) AS n FROM items GROUP BY sku, quantity) AS i GROUP BY sku",
            "aggregates over rows that change",
        ),
    ];
    for (query, expected) in cases {
        let text =
            Program::parse(&format!("{TABLES}INSERT INTO out {query};"), &Functions::new()).unwrap_or_else(|e| panic!("{e}")).explain();
        assert!(text.contains("runs on this engine: yes") && text.contains(expected), "{query}: {text}");
    }
}

#[test]
fn tables_are_read_as_declared() {
    let sql = r#"
        CREATE TABLE t (
            "Value" TEXT, "offset" BIGINT METADATA FROM 'offset', ts TIMESTAMP NOT NULL, f FLOAT[], j JSONB, u UUID,
            WATERMARK FOR ts AS ts - INTERVAL '5 seconds', PRIMARY KEY ("offset", u)
        ) WITH (connector = 'kafka', 'Fields.Text' = 'name^3', "format" = 'json', 'n' = 5);
        CREATE TABLE out (a TEXT PRIMARY KEY) WITH (connector = 'view');
        INSERT INTO out SELECT "Value" FROM t;"#;
    let program = Program::parse(sql, &Functions::new()).unwrap_or_else(|e| panic!("{e}"));
    let table = &program.sources[0];
    let columns: Vec<String> =
        table.schema.fields().iter().map(|f| format!("{} {} {}", f.name(), f.data_type(), f.is_nullable())).collect();
    assert_eq!(columns[0], "Value Utf8 true");
    assert_eq!(columns[1], "offset Int64 false");
    assert!(columns[2].starts_with("ts Timestamp(ns) false"), "{columns:?}");
    assert!(columns[3].starts_with("f List("), "{columns:?}");
    assert_eq!(columns[4..], ["j Utf8 true", "u Utf8 false"]);
    assert_eq!(table.primary_key, ["offset", "u"]);
    assert_eq!(table.metadata.iter().collect::<Vec<_>>(), [(&"offset".to_string(), &"offset".to_string())]);
    assert_eq!(table.event_time.as_deref(), Some("ts"));
    assert_eq!(table.options["fields.text"], "name^3");
    assert_eq!(table.options["n"], "5");
    assert_eq!(program.sinks[0].name, "out");
}
