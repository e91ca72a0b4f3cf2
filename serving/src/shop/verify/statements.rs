//! Takes a `verify.sql` apart: before each SELECT stands a line that names the stores it recomputes.

/// A SELECT and the stores that should hold its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// `inventory.stock`.
    pub stores: Vec<String>,
    pub sql: String,
}

const MARK: &str = "-- store:";

/// The statements of a file, in order. What stands before the first mark is for the reader only.
pub fn parse(text: &str) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    for line in text.lines() {
        if let Some(names) = line.trim_start().strip_prefix(MARK) {
            let stores = names.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect();
            statements.push(Statement { stores, sql: String::new() });
        } else if let Some(statement) = statements.last_mut() {
            statement.sql.push_str(line);
            statement.sql.push('\n');
        }
    }
    for statement in &mut statements {
        statement.sql = statement.sql.trim().trim_end_matches(';').trim_end().to_owned();
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_select_belongs_to_the_stores_above_it() {
        let text = "-- What it should be.\n\n-- store: a.one, a.two\nSELECT 1 AS x;\n-- store: a.three\nSELECT\n  2 AS x\n;\n";
        let statements = parse(text);
        assert_eq!(statements[0].stores, ["a.one", "a.two"]);
        assert_eq!(statements[1], Statement { stores: vec!["a.three".to_owned()], sql: "SELECT\n  2 AS x".to_owned() });
        assert_eq!(parse("SELECT 1"), []);
    }
}
