//! A plan as text: the dataflow, and what each operator keeps.

use crate::plan::{NodeId, Operator, Part, Plan};
use std::fmt::Write as _;

/// The dataflow of every sink as a tree, with what each operator keeps and whether that is bounded by the data it reads now.
pub fn explain(plan: &Plan) -> String {
    let mut text = String::new();
    let mut shown = vec![false; plan.nodes.len()];
    let readers = plan.readers();
    for sink in &plan.sinks {
        let _ = writeln!(text, "{} =", sink.table);
        tree(plan, sink.node, 1, &readers, &mut shown, &mut text);
    }
    text
}

fn tree(plan: &Plan, id: NodeId, depth: usize, readers: &[usize], shown: &mut [bool], text: &mut String) {
    let operator = &plan.node(id).operator;
    let indent = "  ".repeat(depth);
    let is_shared = readers[id.0] > 1;
    let name = if is_shared { format!("#{} ", id.0) } else { String::new() };
    if is_shared && shown[id.0] {
        let _ = writeln!(text, "{indent}{name}(shared, see above)");
        return;
    }
    shown[id.0] = true;
    let _ = writeln!(text, "{indent}{name}{}", operator.describe());
    if let Some(kept) = keeps(operator) {
        let _ = writeln!(text, "{indent}  · keeps {kept}");
    }
    for input in operator.inputs() {
        tree(plan, input, depth + 1, readers, shown, text);
    }
}

/// What an operator keeps between steps, and what that grows with; `None`: nothing.
pub fn keeps(operator: &Operator) -> Option<String> {
    Some(match operator {
        Operator::Input { .. }
        | Operator::Constant { .. }
        | Operator::Round { .. }
        | Operator::Map { .. }
        | Operator::Union { .. }
        | Operator::OrElse { .. } => {
            return None;
        }
        Operator::Distinct { .. } => "every different row; grows with its input".into(),
        Operator::Join { .. } => "the rows of both sides by key; grows with its inputs".into(),
        Operator::Semi { .. } => "the left rows and the right keys; grows with its inputs".into(),
        Operator::Aggregate { group, parts, .. } => {
            let unit = if group.is_empty() { "in all" } else { "a group" };
            let mut kept: Vec<String> = parts.iter().map(|part| kept_by(part, unit)).collect();
            if kept.is_empty() {
                kept.push("every different group".into());
            }
            format!("{}; grows with {}", kept.join(" and "), grows_with(group.is_empty(), parts))
        }
        Operator::Top { partition, limit, .. } => {
            let unit = if partition.is_empty() { "" } else { " of each partition" };
            match limit {
                Some(limit) => format!("all rows in order, and the first {limit}{unit}; grows with its input"),
                None => format!("all rows in order, twice, and renumbers them{unit} at each change; grows with its input"),
            }
        }
        Operator::Fixpoint { .. } => {
            "what each round brought, and the rows it joins with by key; grows with its result and the rounds that led to it".into()
        }
        Operator::Window { partition, .. } => {
            let unit = if partition.is_empty() { "all of them" } else { "its partition" };
            format!("all rows in order, before and after, and computes {unit} again when a row changes; grows with its input")
        }
    })
}

fn kept_by(part: &Part, unit: &str) -> String {
    match part {
        Part::Linear(items) => format!("{} total(s) {unit}", items.len()),
        Part::CountDistinct(_) => format!("the different values {unit}"),
        Part::First(_) => format!("the values in order {unit}"),
        Part::Rows { .. } => format!("the rows {unit}, all read again at each change"),
    }
}

fn grows_with(is_global: bool, parts: &[Part]) -> &'static str {
    let is_linear = parts.iter().all(|part| matches!(part, Part::Linear(_)));
    match (is_linear, is_global) {
        (true, true) => "nothing: bounded",
        (true, false) => "the number of groups",
        (false, _) => "its input",
    }
}
