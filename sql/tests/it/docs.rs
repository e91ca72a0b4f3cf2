//! Every example of docs/sql.md is planned, or refused, as it says.

use chimera_sql::{Error, Functions, Program};

#[test]
fn the_examples_of_the_reference_are_as_it_says() {
    let text = std::fs::read_to_string("../docs/sql.md").expect("the reference");
    let sources = std::fs::read_to_string("../pipelines/sources.sql").expect("the source tables");
    let plan = |example: &str| -> Result<Program, Error> {
        match example.trim_start().starts_with("CREATE MATERIALIZED VIEW") {
            true => Program::view(example, &[], &sources, &Functions::new()),
            false => Program::parse_script(example, &Functions::new(), &|_| None),
        }
    };
    let mut planned = 0;
    for block in text.split("\n```sql").skip(1) {
        let (kind, example) = block.split_once('\n').expect("a block has lines");
        let (example, _) = example.split_once("\n```").expect("a block has an end");
        match (kind.trim(), plan(example)) {
            ("", Ok(program)) => assert!(!program.explain().is_empty()),
            ("", Err(error)) => panic!("{error}\n{example}"),
            ("refused", Err(error)) => assert!(error.help.is_some(), "{error} does not say what to do\n{example}"),
            (kind, _) => panic!("`{kind}` is not what it says\n{example}"),
        }
        planned += 1;
    }
    assert!(planned >= 12, "only {planned} examples were found");
}
