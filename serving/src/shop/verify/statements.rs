//! Takes a `verify.sql` apart: before each SELECT stands a line that names the stores it is about.

/// What a SELECT gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// The rows that the stores should hold.
    Rows,
    /// A row a difference: `key`, `column` (null: the row itself), `expected` and `found` (null: no such row). For a store that keeps
    /// history, which no SELECT over today's tables can compute.
    Differences,
}

/// A SELECT and its stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub gives: Gives,
    /// `inventory.stock`.
    pub stores: Vec<String>,
    pub sql: String,
}

const MARKS: [(&str, Gives); 2] = [("-- store:", Gives::Rows), ("-- history:", Gives::Differences)];

/// The statements of a file, in order. What stands before the first mark is for the reader only.
pub fn parse(text: &str) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    for line in text.lines() {
        let marked = MARKS.iter().find_map(|(mark, gives)| Some((line.trim_start().strip_prefix(mark)?, *gives)));
        if let Some((names, gives)) = marked {
            let stores = names.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect();
            statements.push(Statement { gives, stores, sql: String::new() });
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
        let text = "-- What it should be.\n\n-- store: a.one, a.two\nSELECT 1 AS x;\n-- store: a.three\nSELECT\n  2 AS x\n;\n-- history: b.past\nSELECT 3;";
        let statements = parse(text);
        assert_eq!(statements[0].stores, ["a.one", "a.two"]);
        let statement = |gives, store: &str, sql: &str| Statement { gives, stores: vec![store.to_owned()], sql: sql.to_owned() };
        assert_eq!(statements[1], statement(Gives::Rows, "a.three", "SELECT\n  2 AS x"));
        assert_eq!(statements[2..], [statement(Gives::Differences, "b.past", "SELECT 3")]);
        assert_eq!(parse("SELECT 1"), []);
    }
}
