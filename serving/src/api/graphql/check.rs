//! What is looked at in a query before it is run, or even parsed.
//!
//! The library's parser and validation follow nested selections by recursion, and put fragments in wherever they are named: a query of a few
//! kilobytes could exhaust the stack, or name fragments that name fragments, each twice. So brackets are counted first, and fields before
//! fragments are put in.

use std::collections::HashMap;

use async_graphql::Request;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationType, Selection, SelectionSet};

use crate::api::problem::{Problem, Result, kinds};

/// Brackets within brackets.
const MAX_NESTING: usize = 50;
/// Selections, once fragments are put in.
const MAX_SELECTIONS: usize = 2000;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Query,
    Mutation,
    Subscription,
}

/// # Errors
/// `bad-query`.
pub fn check(request: &mut Request) -> Result<Operation> {
    if nesting(&request.query) > MAX_NESTING {
        return Err(bad(format!("The query is nested deeper than {MAX_NESTING} brackets.")));
    }
    let name = request.operation_name.clone();
    let document = request.parsed_query().map_err(|error| bad(format!("{}.", error.message.trim_end_matches('.'))))?;
    let mut sizes = HashMap::new();
    for (_, operation) in document.operations.iter() {
        if size(&operation.node.selection_set.node, document, &mut sizes)? > MAX_SELECTIONS {
            return Err(bad(format!("The query selects more than {MAX_SELECTIONS} fields, with fragments put in.")));
        }
    }
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => operation,
        (DocumentOperations::Multiple(of), Some(name)) => {
            of.get(name.as_str()).ok_or_else(|| bad(format!("There is no operation `{}`.", name.escape_debug())))?
        }
        (DocumentOperations::Multiple(of), None) if of.len() == 1 => {
            of.values().next().ok_or_else(|| bad("There is no operation.".into()))?
        }
        (DocumentOperations::Multiple(_), None) => {
            return Err(bad("There are several operations: `operationName` says which to run.".into()));
        }
    };
    Ok(match operation.node.ty {
        OperationType::Query => Operation::Query,
        OperationType::Mutation => Operation::Mutation,
        OperationType::Subscription => Operation::Subscription,
    })
}

fn bad(detail: String) -> Problem {
    Problem::new(&kinds::BAD_QUERY, detail)
}

/// How deep brackets stand in brackets; those in strings and comments are not counted.
fn nesting(query: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut rest = query;
    while let Some(at) = rest.find(['{', '}', '[', ']', '(', ')', '"', '#']) {
        let found = rest.as_bytes()[at];
        rest = &rest[at + 1..];
        match found {
            b'{' | b'[' | b'(' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'"' => rest = after_string(rest),
            b'#' => rest = rest.find(['\n', '\r']).map_or("", |end| &rest[end..]),
            _ => depth = depth.saturating_sub(1),
        }
    }
    deepest
}

/// What follows a string whose first quote was read.
fn after_string(text: &str) -> &str {
    if let Some(block) = text.strip_prefix("\"\"") {
        let mut from = 0;
        while let Some(end) = block[from..].find("\"\"\"").map(|end| from + end) {
            if !block[..end].ends_with('\\') {
                return &block[end + 3..];
            }
            from = end + 3;
        }
        return "";
    }
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' | b'\n' | b'\r' => return &text[at + 1..],
            _ => {}
        }
    }
    ""
}

/// How many selections a set has once fragments are put in. `sizes`: of fragments; `None` while one is looked at.
fn size<'a>(set: &'a SelectionSet, document: &'a ExecutableDocument, sizes: &mut HashMap<&'a str, Option<usize>>) -> Result<usize> {
    let mut sum = 0_usize;
    for selection in &set.items {
        let below = match &selection.node {
            Selection::Field(field) => size(&field.node.selection_set.node, document, sizes)?,
            Selection::InlineFragment(fragment) => size(&fragment.node.selection_set.node, document, sizes)?,
            Selection::FragmentSpread(spread) => {
                let name = spread.node.fragment_name.node.as_str();
                match (sizes.get(name), document.fragments.get(name)) {
                    (Some(Some(known)), _) => *known,
                    (Some(None), _) => return Err(bad(format!("The fragment `{name}` is a part of itself."))),
                    // The library says so.
                    (None, None) => 0,
                    (None, Some(fragment)) => {
                        sizes.insert(name, None);
                        let known = size(&fragment.node.selection_set.node, document, sizes)?;
                        sizes.insert(name, Some(known));
                        known
                    }
                }
            }
        };
        sum = sum.saturating_add(1).saturating_add(below);
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(query: &str) -> String {
        check(&mut Request::new(query)).expect_err("a refusal").detail().to_owned()
    }

    #[test]
    fn brackets_count_but_not_in_strings_and_comments() {
        assert_eq!(nesting("{a(b:[1,{c:2}]){d}}"), 4);
        assert_eq!(nesting(r#"{a(b:"{{{\"{{",c:"""[[[ \""" [[ """){d}} # ((("#), 2);
        assert_eq!(nesting("\"{{{\n{"), 1);
        assert_eq!(nesting("\"\"\"{{{"), 0);
        assert_eq!(nesting("}}}{"), 1);
    }

    #[test]
    fn what_is_too_deep_to_be_parsed_is_not() {
        for open in ["{a", "{a(b:[", "{a(b:{c:", "query($a:["] {
            assert!(told(&open.repeat(10_000)).contains("nested deeper"), "{open}");
        }
    }

    #[test]
    fn fragments_that_grow_or_go_in_circles_are_refused() {
        let mut bomb = "{ ...f0 }".to_owned();
        for i in 0..40 {
            bomb.push_str(&format!(" fragment f{i} on Query {{ ...f{} ...f{} }}", i + 1, i + 1));
        }
        bomb.push_str(" fragment f40 on Query { __typename }");
        assert!(told(&bomb).contains("with fragments put in"), "{}", told(&bomb));
        assert!(told("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }").contains("a part of itself"));
        assert!(told("{").ends_with('.'));
        assert!(told("query a { __typename } query b { __typename }").contains("operationName"));
    }

    #[test]
    fn the_operation_is_the_one_that_is_named() {
        let query = "query a { __typename } mutation b { __typename } subscription c { __typename }";
        for (name, operation) in [("a", Operation::Query), ("b", Operation::Mutation), ("c", Operation::Subscription)] {
            assert_eq!(check(&mut Request::new(query).operation_name(name)).expect("good"), operation);
        }
        assert!(check(&mut Request::new(query).operation_name("d")).is_err());
    }
}
