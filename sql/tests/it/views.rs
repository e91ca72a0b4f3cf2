//! A view on its own: which columns tell its rows apart, what becomes of rows that nothing tells apart, and what is refused.

use std::sync::Arc;

use arrow::array::{Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use chimera_sql::{DataflowConfig, Delta, Error, Functions, Program, ViewStatement};

const SOURCES: &str = "
CREATE TABLE items (order_id TEXT, line_no INT, sku TEXT, quantity INT, PRIMARY KEY (order_id, line_no)) WITH (format = 'debezium_json');
CREATE TABLE orders (id TEXT PRIMARY KEY, country TEXT) WITH (format = 'debezium_json');
CREATE TABLE clicks (event_id TEXT PRIMARY KEY, sku TEXT) WITH (format = 'json');
";

fn view(statement: &str, others: &[(&str, &str)]) -> Result<Program, Error> {
    let others: Vec<(String, String)> = others.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
    Program::view(statement, &others, SOURCES, &Functions::new())
}

fn keyed(query: &str) -> String {
    let program = view(&format!("CREATE MATERIALIZED VIEW mine.v AS {query}"), &[]).unwrap_or_else(|error| panic!("{query}: {error}"));
    program.sinks[0].primary_key.join(",")
}

#[test]
fn rows_are_told_apart_by_what_their_query_says() {
    for (query, key) in [
        ("SELECT country, count(*) AS n FROM orders GROUP BY country", "country"),
        ("SELECT count(*) AS n, country AS land FROM orders GROUP BY country HAVING count(*) > 1", "land"),
        ("SELECT count(*) AS n FROM orders", "n"),
        ("SELECT country, id FROM orders WHERE country <> 'x'", "id"),
        ("SELECT DISTINCT country FROM orders", "country"),
        ("SELECT i.sku, i.order_id, i.line_no, o.id FROM items i JOIN orders o ON o.id = i.order_id", "order_id,line_no,id"),
        ("SELECT o.id, o.country FROM orders o WHERE EXISTS (SELECT 1 FROM items i WHERE i.order_id = o.id)", "id"),
        ("SELECT id, row_number() OVER (ORDER BY id) AS n FROM orders", "id"),
        // What is grouped by is not shown; a key is only half there; a topic may bring an event twice.
        ("SELECT count(*) AS n FROM orders GROUP BY country", "n"),
        ("SELECT order_id, sku FROM items", "order_id,sku"),
        ("SELECT event_id, sku FROM clicks", "event_id,sku"),
        ("SELECT country FROM orders UNION ALL SELECT sku FROM items", "country"),
    ] {
        assert_eq!(keyed(query), key, "{query}");
    }
    let counted = view("CREATE MATERIALIZED VIEW v AS SELECT order_id, sku FROM items", &[]).expect("a view");
    assert_eq!(counted.sinks[0].schema.field(2).name(), "copies");
    assert_eq!(counted.sources.len(), 1, "what is not read is no source");
}

#[test]
fn columns_have_names_and_types_that_can_be_kept() {
    let text = "CREATE OR REPLACE MATERIALIZED VIEW mine.v AS SELECT country, count(*), max(id) FROM orders GROUP BY country";
    let program = view(text, &[]).expect("a view");
    let columns: Vec<(&str, &DataType)> = program.sinks[0].schema.fields().iter().map(|f| (f.name().as_str(), f.data_type())).collect();
    assert_eq!(columns, [("country", &DataType::Utf8), ("count", &DataType::Int64), ("max", &DataType::Utf8)]);
    let named = view("CREATE MATERIALIZED VIEW v (a, b) AS SELECT country, count(*) FROM orders GROUP BY country", &[]).expect("a view");
    assert_eq!(named.sinks[0].primary_key, ["a"]);
}

#[test]
fn a_view_reads_other_views_by_their_names() {
    let by_order = "CREATE MATERIALIZED VIEW mine.by_order AS SELECT order_id, sum(quantity) AS units FROM items GROUP BY order_id";
    let text = "CREATE MATERIALIZED VIEW mine.by_country AS \
        SELECT o.country, sum(b.units) AS units FROM mine.by_order b JOIN orders o ON o.id = b.order_id GROUP BY o.country";
    let parsed = ViewStatement::parse(text).expect("a statement");
    assert_eq!((parsed.schema.as_deref(), parsed.name.as_str()), (Some("mine"), "by_country"));
    assert!(parsed.reads.contains("mine.by_order") && parsed.reads.contains("orders"), "{:?}", parsed.reads);
    let program = view(text, &[("mine.by_order", by_order)]).expect("a view");
    let mut sources: Vec<&str> = program.sources.iter().map(|table| table.name.as_str()).collect();
    sources.sort();
    assert_eq!((sources, program.sinks.len()), (vec!["items", "orders"], 1));
}

#[test]
fn equal_rows_are_one_with_their_number() {
    let program = view("CREATE MATERIALIZED VIEW v AS SELECT sku FROM items", &[]).expect("a view");
    let mut dataflow = program.start(DataflowConfig::default()).expect("a dataflow");
    let mut step = |rows: &[(&str, i64)]| {
        let skus = StringArray::from_iter_values(rows.iter().map(|row| row.0));
        let nulls = |data_type: &DataType| arrow::array::new_null_array(data_type, rows.len());
        let schema = program.sources[0].schema.clone();
        let schema = Arc::new(arrow::datatypes::Schema::new(
            schema.fields().iter().map(|f| f.as_ref().clone().with_nullable(true)).collect::<Vec<_>>(),
        ));
        let columns = schema.fields().iter().map(|field| match field.name().as_str() {
            "sku" => Arc::new(skus.clone()) as Arc<dyn Array>,
            _ => nulls(field.data_type()),
        });
        let batch = RecordBatch::try_new(schema.clone(), columns.collect()).unwrap();
        dataflow.push("items", Delta { batch, weights: Some(rows.iter().map(|row| row.1).collect()) }).unwrap();
        let changes = dataflow.step().unwrap().remove(0).changes;
        let counts = changes.batch.column(1).as_any().downcast_ref::<Int64Array>().unwrap().clone();
        let skus = changes.batch.column(0).as_any().downcast_ref::<StringArray>().unwrap().clone();
        let mut found: Vec<(String, i64, i64)> = (0..changes.batch.num_rows())
            .map(|row| (skus.value(row).to_owned(), counts.value(row), changes.weights.as_ref().map_or(1, |weights| weights[row])))
            .collect();
        found.sort();
        found
    };
    assert_eq!(step(&[("a", 2), ("b", 1)]), [("a".into(), 2, 1), ("b".into(), 1, 1)]);
    assert_eq!(step(&[("a", -1), ("b", -1)]), [("a".into(), 1, 1), ("a".into(), 2, -1), ("b".into(), 1, -1)]);
    dataflow.stop();
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (text, line, column, message) in [
        ("CREATE MATERIALIZED VIEW v AS\n SELECT contry FROM orders", 2, 9, "contry"),
        ("CREATE MATERIALIZED VIEW v AS SELECT id FROM ordrs", 1, 46, "no table or view `ordrs`"),
        ("CREATE MATERIALIZED VIEW v AS SELECT id FROM mine.nothing", 1, 46, "mine.nothing"),
        ("CREATE MATERIALIZED VIEW v AS SELECT now() AS t FROM orders", 1, 38, "may only bound a time"),
        ("CREATE MATERIALIZED VIEW v (a, b) AS SELECT id FROM orders", 1, 26, "names 2 columns"),
        ("CREATE MATERIALIZED VIEW v AS SELECT INTERVAL '1 day' AS d FROM orders", 1, 47, "cannot keep"),
        ("CREATE MATERIALIZED VIEW v AS SELECT id FROM orders nonsense more", 1, 62, "expected the end"),
        ("CREATE MATERIALIZED VIEW v AS SELECT sku AS copies FROM items", 1, 26, "copies"),
    ] {
        let error = view(text, &[]).err().unwrap_or_else(|| panic!("accepted: {text}"));
        assert_eq!((error.line, error.column), (line, column), "{error}");
        assert!(error.message.contains(message), "{error}");
    }
}
