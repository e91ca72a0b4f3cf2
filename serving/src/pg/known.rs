//! Queries for metadata that drivers send in words that the planner does not have, in words of the tables that there are.

use std::borrow::Cow;

/// What tools ask of a type: whether it is a row of a table. No type is.
const IS_ROW_TYPE: &str = "(SELECT c.relkind = 'c' FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid)";

/// Whether it is an array: a function is told by its name here.
const IS_ARRAY: &str = "typinput='pg_catalog.array_in'::regproc";

/// Up to how many columns an index has.
const MAX_INDEX_KEYS: &str = "SELECT setting FROM pg_catalog.pg_settings WHERE name='max_index_keys'";

/// JDBC's `getImportedKeys` and its kin: no view refers to another one.
const NO_FOREIGN_KEYS: &str = "SELECT CAST(NULL AS VARCHAR) AS pktable_cat, '' AS pktable_schem, '' AS pktable_name, '' AS pkcolumn_name, \
    CAST(NULL AS VARCHAR) AS fktable_cat, '' AS fktable_schem, '' AS fktable_name, '' AS fkcolumn_name, CAST(0 AS SMALLINT) AS key_seq, \
    CAST(0 AS SMALLINT) AS update_rule, CAST(0 AS SMALLINT) AS delete_rule, '' AS fk_name, '' AS pk_name, CAST(0 AS SMALLINT) AS deferrability \
    WHERE false";

/// The query to run in the place of `text`.
pub(super) fn known(text: &str) -> Cow<'_, str> {
    let keys = text.contains("_pg_expandarray(i.indkey)");
    if keys && text.contains("KEY_SEQ") && text.contains("i.indisprimary") {
        return Cow::Owned(primary_keys(text));
    }
    if keys && text.contains("NON_UNIQUE") {
        return Cow::Owned(indexes(text));
    }
    if text.trim() == MAX_INDEX_KEYS {
        return Cow::Borrowed("SELECT '32' AS setting");
    }
    if text.contains("AS PKTABLE_CAT") && text.contains("pg_catalog.pg_constraint") {
        return Cow::Borrowed(NO_FOREIGN_KEYS);
    }
    if text.contains(IS_ROW_TYPE) || text.contains(IS_ARRAY) {
        return Cow::Owned(text.replace(IS_ROW_TYPE, "false").replace(IS_ARRAY, "typinput='array_in'"));
    }
    Cow::Borrowed(text)
}

/// JDBC's `getPrimaryKeys`.
fn primary_keys(text: &str) -> String {
    format!(
        "SELECT CAST(NULL AS VARCHAR) AS table_cat, view_schema AS table_schem, view_name AS table_name, column_name, \
        CAST(ordinal_position AS SMALLINT) AS key_seq, index_name AS pk_name FROM chimera.index_columns WHERE is_primary{} ORDER BY 3, 6, 5",
        filters(text)
    )
}

/// JDBC's `getIndexInfo`.
fn indexes(text: &str) -> String {
    let unique = if text.contains("i.indisunique = ") || text.contains("AND i.indisunique") { " AND is_primary" } else { "" };
    format!(
        "SELECT CAST(NULL AS VARCHAR) AS table_cat, view_schema AS table_schem, view_name AS table_name, NOT is_primary AS non_unique, \
        CAST(NULL AS VARCHAR) AS index_qualifier, index_name, CAST(3 AS SMALLINT) AS type, CAST(ordinal_position AS SMALLINT) AS ordinal_position, \
        column_name, 'A' AS asc_or_desc, CAST(0 AS BIGINT) AS cardinality, CAST(0 AS BIGINT) AS pages, CAST(NULL AS VARCHAR) AS filter_condition \
        FROM chimera.index_columns WHERE true{}{unique} ORDER BY 4, 6, 8",
        filters(text)
    )
}

/// What the query says about schema and table.
fn filters(text: &str) -> String {
    let filter = |column: &str, ours: &str| {
        let value = text.split_once(&format!("{column} = ")).and_then(|(_, rest)| quoted(rest.strip_prefix('E').unwrap_or(rest)));
        value.map(|value| format!(" AND {ours} = {value}")).unwrap_or_default()
    };
    filter("n.nspname", "view_schema") + &filter("ct.relname", "view_name")
}

/// The text in quotes with which `rest` begins, quotes and all.
fn quoted(rest: &str) -> Option<&str> {
    let mut quotes = rest.char_indices().filter(|(_, character)| *character == '\'').map(|(at, _)| at).peekable();
    quotes.next_if_eq(&0)?;
    while let Some(at) = quotes.next() {
        // Two of them stand for one.
        if quotes.next_if_eq(&(at + 1)).is_none() {
            return Some(&rest[..=at]);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_of_drivers_are_put_in_our_words() {
        let text = "SELECT (information_schema._pg_expandarray(i.indkey)).n AS KEY_SEQ WHERE n.nspname = 'sa''les' AND ct.relname = E'a' AND i.indisprimary";
        let known_text = known(text);
        assert!(known_text.contains("view_schema = 'sa''les' AND view_name = 'a' ORDER"), "{known_text}");
        assert_eq!(known("SELECT 1"), "SELECT 1");
        assert_eq!(quoted("'open"), None);
    }
}
