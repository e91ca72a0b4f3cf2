//! A plan as text: the dataflow, and what each operator keeps.

use crate::plan::{NodeId, Numbering, Operator, Part, Plan};
use crate::ttl;
use std::fmt::Write as _;

/// The dataflow of every sink as a tree, with what each operator keeps and whether that is bounded by the data it reads now.
pub fn explain(plan: &Plan) -> String {
    let mut text = String::new();
    let mut shown = vec![false; plan.nodes.len()];
    let about = About { plan, readers: plan.readers(), append_only: plan.append_only() };
    for sink in &plan.sinks {
        let _ = writeln!(text, "{} =", sink.table);
        tree(&about, sink.node, 1, &mut shown, &mut text);
    }
    text
}

/// A plan and what is known of its nodes.
struct About<'a> {
    plan: &'a Plan,
    readers: Vec<usize>,
    append_only: Vec<bool>,
}

fn tree(about: &About<'_>, id: NodeId, depth: usize, shown: &mut [bool], text: &mut String) {
    let (plan, readers) = (about.plan, &about.readers);
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
    if let Some(kept) = keeps(plan, id, &about.append_only) {
        let _ = writeln!(text, "{indent}  · keeps {kept}");
    }
    for input in operator.inputs() {
        tree(about, input, depth + 1, shown, text);
    }
}

/// What a node keeps between steps, and what that grows with; `None`: nothing. `append_only`: [`Plan::append_only`].
pub fn keeps(plan: &Plan, node: NodeId, append_only: &[bool]) -> Option<String> {
    let operator = &plan.node(node).operator;
    let bounded = |kept: String, ttl: i64| {
        let what = kept.split_once("; grows with").map_or(kept.as_str(), |(what, _)| what);
        format!("{what}, if its key was touched in the last {} (updating_ttl): bounded by time", ttl::shown(ttl))
    };
    if let Operator::Forgetful { operator, ttl } = operator {
        return kept(operator, append_only).map(|kept| bounded(kept, *ttl));
    }
    let fresh = operator.inputs().into_iter().find_map(|input| match &plan.node(input).operator {
        Operator::Fresh { ttl, .. } => Some(*ttl),
        _ => None,
    });
    match fresh {
        Some(ttl) => kept(operator, append_only).map(|kept| bounded(kept, ttl)),
        None => kept(operator, append_only),
    }
}

fn kept(operator: &Operator, append_only: &[bool]) -> Option<String> {
    Some(match operator {
        Operator::Input { .. }
        | Operator::Constant { .. }
        | Operator::Round { .. }
        | Operator::Map { .. }
        | Operator::Union { .. }
        | Operator::Late { .. }
        | Operator::Quiet { .. }
        | Operator::OrElse { .. } => {
            return None;
        }
        Operator::Distinct { .. } => "every different row; grows with its input".into(),
        Operator::Join { .. } => "the rows of both sides by key; grows with its inputs".into(),
        Operator::Lookup { input, .. } if append_only[input.0] => "nothing, since rows of its input only ever come".into(),
        Operator::Lookup { .. } => "the answer that each row was given, since rows also go; grows with its input".into(),
        Operator::Fresh { ttl, .. } => {
            format!("the rows of keys that were touched in the last {} (updating_ttl); bounded by time", ttl::shown(*ttl))
        }
        Operator::Forgetful { operator, .. } => return kept(operator, append_only),
        Operator::Semi { .. } => "the left rows and the right keys; grows with its inputs".into(),
        Operator::Close { .. } => "its rows until the watermark has passed them; bounded by what is open".into(),
        Operator::Aggregate { input, group, parts, closes } => {
            let is_append_only = append_only[input.0];
            let unit = if group.is_empty() { "in all" } else { "a group" };
            let mut kept: Vec<String> = parts.iter().map(|part| kept_by(part, unit, is_append_only)).collect();
            if kept.is_empty() {
                kept.push("every different group".into());
            }
            if closes.is_some() {
                return Some(format!("{}, until the group closes; bounded by what is open", kept.join(" and ")));
            }
            format!("{}; grows with {}", kept.join(" and "), grows_with(group.is_empty(), parts, is_append_only))
        }
        Operator::Top { input, partition, numbering: Numbering::RowNumber, skip, limit: Some(limit), .. } if append_only[input.0] => {
            let limit = limit.saturating_add(*skip);
            match partition.is_empty() {
                true => format!("the first {limit}, since none is ever deleted; grows with nothing: bounded"),
                false => format!("the first {limit} of each partition, since none is ever deleted; grows with the number of partitions"),
            }
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
        Operator::Aging { after: Some(_), .. } => {
            "the rows that are in, and those to come, by time; forgets what is past: bounded by time".into()
        }
        Operator::Aging { after: None, .. } => "all rows by time; grows with its input".into(),
        Operator::Window { partition, .. } => {
            let unit = if partition.is_empty() { "all of them" } else { "its partition" };
            format!("all rows in order, before and after, and computes {unit} again when a row changes; grows with its input")
        }
    })
}

fn kept_by(part: &Part, unit: &str, is_append_only: bool) -> String {
    match part {
        Part::Linear(items) => format!("{} total(s) {unit}", items.len()),
        Part::CountDistinct(_) => format!("the different values {unit}"),
        Part::First(_) if is_append_only => format!("one value {unit}"),
        Part::First(_) => format!("the values in order {unit}"),
        Part::Rows { .. } => format!("the rows {unit}, all read again at each change"),
    }
}

fn grows_with(is_global: bool, parts: &[Part], is_append_only: bool) -> &'static str {
    let is_linear = |part: &Part| matches!(part, Part::Linear(_)) || is_append_only && matches!(part, Part::First(_));
    let is_linear = parts.iter().all(is_linear);
    match (is_linear, is_global) {
        (true, true) => "nothing: bounded",
        (true, false) => "the number of groups",
        (false, _) => "its input",
    }
}
