//! `chimera sql`: in a terminal, with statements given, and in a pipe.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::platform::chimera;
use crate::psql::Shop;

fn sql(shop: &Shop, arguments: &[&str], input: Option<&str>) -> Output {
    let mut command = chimera(shop.home.path());
    command.arg("sql").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the shell starts");
    child.stdin.take().expect("piped").write_all(input.unwrap_or_default().as_bytes()).expect("written");
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_shell_works_in_a_terminal_and_in_a_pipe() {
    let shop = Shop::start();
    let expected = shop.ask("SELECT country, orders FROM sales.by_country ORDER BY country");
    let query = "SELECT country, orders FROM sales.by_country ORDER BY country";

    let csv = sql(&shop, &["--format", "csv", "-c", query], None);
    assert_eq!(text(&csv.stdout), format!("country,orders\n{}\n", expected.replace('|', ",")), "{}", text(&csv.stderr));
    assert_eq!(text(&csv.stderr), "", "only rows");
    let json = sql(&shop, &["--output", "json", "-c", query], None);
    let rows: Vec<serde_json::Value> = text(&json.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let rows: Vec<String> = rows.iter().map(|row| format!("{}|{}", row["country"].as_str().expect("a text"), row["orders"])).collect();
    assert_eq!(rows.join("\n"), expected);

    // From a pipe and from a file, several statements; no semicolon at the end.
    let script = "-- what a report asks;\nSELECT 'a;b' AS x;\n\\format csv\nSELECT NULL AS x, '' AS y;\nSELECT 2\n  AS z";
    let piped = sql(&shop, &[], Some(script));
    assert_eq!(text(&piped.stdout), "x\n───\na;b\nx,y\n,\"\"\nz\n2\n", "{}", text(&piped.stderr));
    let path = shop.home.path().join("report.sql");
    std::fs::write(&path, script).expect("written");
    let from_file = sql(&shop, &["-f", path.to_str().expect("a path")], None);
    assert_eq!(from_file.stdout, piped.stdout);
    let included = sql(&shop, &["-c", &format!("\\i {}", path.display())], None);
    assert_eq!(included.stdout, piped.stdout);

    // An error ends it, on stderr, with a caret at its place.
    let wrong = sql(&shop, &["-c", "SELECT 1 AS x;\nSELECT 2 2; SELECT 3"], None);
    assert_eq!((wrong.status.code(), text(&wrong.stdout)), (Some(1), "x\n─\n1\n".to_owned()));
    let said = text(&wrong.stderr);
    assert!(
        said.contains("error:") && said.contains("line 1: SELECT 2 2\n") && said.lines().last().expect("a caret").ends_with('^'),
        "{said}"
    );
    let refused = sql(&shop, &["--as", "reader", "-c", "CREATE MATERIALIZED VIEW mine.a AS SELECT id FROM orders"], None);
    assert!(!refused.status.success() && text(&refused.stderr).contains("may only read"), "{refused:?}");
    let created = sql(&shop, &["-c", "CREATE MATERIALIZED VIEW mine.skus AS SELECT sku FROM order_items"], None);
    assert!(text(&created.stderr).contains("copies"), "the notice is said: {created:?}");
    let file = shop.home.path().join("out.csv");
    let out = format!("\\format csv\n\\o {}\nSELECT 1 AS x;\n\\o\nSELECT 2 AS y;\n\\df lpad\n", file.display());
    let out = sql(&shop, &[], Some(&out));
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), "x\n1\n", "{}", text(&out.stderr));
    assert!(text(&out.stdout).starts_with("y\n2\nfunction,kind\nlpad,"), "{}", text(&out.stdout));
    let nowhere = chimera(tempfile::tempdir().expect("a folder").path()).args(["sql", "-c", "SELECT 1"]).output().expect("it runs");
    assert_eq!(nowhere.status.code(), Some(3), "{nowhere:?}");

    in_a_terminal(&shop);
}

fn in_a_terminal(shop: &Shop) {
    let driver = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/drivers/shell.py");
    let python = Command::new("python3").args([driver, env!("CARGO_BIN_EXE_chimera"), shop.home.path().to_str().expect("a path")]).output();
    let Ok(done) = python else { return eprintln!("skipped: Python is not installed") };
    assert!(done.status.success(), "{}{}", text(&done.stdout), text(&done.stderr));
}
