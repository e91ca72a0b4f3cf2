//! State that is dropped when nothing touched its key for a time.
//!
//! What an operator keeps of a key (a group, a partition, the key of a join, a row of DISTINCT) is dropped once no change of the key came
//! for the time to live, by the circuit's clock. Nothing is retracted further on: what was given out of the key stays given out. A row
//! that went after its key was dropped changes nothing; one that comes makes the key anew, as if it had never been there.

use crate::plan::{NodeId, Numbering, Operator, Part, Plan};
use crate::{Side, Term};
use arrow::datatypes::SchemaRef;

/// Adds `operator` so that it drops keys that nothing touched for `ttl` nanoseconds.
///
/// Where the state is in tables of our own and rows only come, these drop it. Elsewhere the rows go through [`Operator::Fresh`], which takes
/// those of idle keys back, and [`Operator::Quiet`] says nothing of that to the operators further on.
pub(crate) fn add(plan: &mut Plan, ttl: i64, operator: Operator, schema: SchemaRef) -> NodeId {
    let append_only = plan.append_only();
    let all_columns = |plan: &Plan, input: NodeId| {
        let fields = plan.node(input).schema.fields().clone();
        fields.iter().enumerate().map(|(index, field)| Term::column(index, field.name(), field.data_type().clone())).collect::<Vec<_>>()
    };
    let is_forgetful = match &operator {
        Operator::Aggregate { input, group, parts, closes: None } => {
            append_only[input.0] && !group.is_empty() && parts.iter().all(|part| !matches!(part, Part::Rows { .. }))
        }
        Operator::Top { input, partition, numbering: Numbering::RowNumber, limit: Some(_), .. } => {
            append_only[input.0] && !partition.is_empty()
        }
        _ => false,
    };
    if is_forgetful {
        return plan.insert(Operator::Forgetful { operator: Box::new(operator), ttl }, schema);
    }
    let keys: Vec<(NodeId, Vec<Term>)> = match &operator {
        Operator::Aggregate { input, group, closes: None, .. } => vec![(*input, group.clone())],
        Operator::Top { input, partition, .. } | Operator::Window { input, partition, .. } => vec![(*input, partition.clone())],
        Operator::Distinct { input } => vec![(*input, all_columns(plan, *input))],
        Operator::Join { left, right, .. } | Operator::Semi { left, right, .. } => {
            vec![(left.input, left.key.clone()), (right.input, right.key.clone())]
        }
        _ => vec![],
    };
    // One key for all rows is touched by every row.
    if keys.iter().all(|(_, key)| key.is_empty()) {
        return plan.insert(operator, schema);
    }
    let mut fresh = (0..keys.len()).map(|side| {
        let schema = plan.node(keys[side].0).schema.clone();
        plan.insert(Operator::Fresh { inputs: keys.clone(), side, ttl }, schema)
    });
    let first = fresh.next().unwrap_or(NodeId(0));
    let second = fresh.next().unwrap_or(first);
    drop(fresh);
    // Whether rows would only come out if none were dropped.
    let only_grows = match &operator {
        Operator::Semi { anti, .. } => !anti,
        Operator::Join { kind, .. } => *kind == crate::JoinKind::Inner,
        Operator::Distinct { .. } => true,
        _ => false,
    };
    let append_only = only_grows && keys.iter().all(|(input, _)| append_only[input.0]);
    let of = |side: Side, input: NodeId| Side { input, ..side };
    let operator = match operator {
        Operator::Aggregate { group, parts, closes, .. } => Operator::Aggregate { input: first, group, parts, closes },
        Operator::Top { partition, order, value, numbering, skip, limit, .. } => {
            Operator::Top { input: first, partition, order, value, numbering, skip, limit }
        }
        Operator::Window { partition, order, value, function, .. } => Operator::Window { input: first, partition, order, value, function },
        Operator::Distinct { .. } => Operator::Distinct { input: first },
        Operator::Join { kind, left, right, null_is_equal, with_key } => {
            Operator::Join { kind, left: of(left, first), right: of(right, second), null_is_equal, with_key }
        }
        Operator::Semi { left, right, anti, null_is_equal } => {
            Operator::Semi { left: of(left, first), right: of(right, second), anti, null_is_equal }
        }
        other => other,
    };
    let node = plan.insert(operator, schema.clone());
    plan.insert(Operator::Quiet { input: node, append_only }, schema)
}

/// A time to live as it is shown: in the largest unit that it is whole in.
pub(crate) fn shown(ttl: i64) -> String {
    const UNITS: [(i64, &str); 5] =
        [(86_400_000_000_000, "d"), (3_600_000_000_000, "h"), (60_000_000_000, "min"), (1_000_000_000, "s"), (1_000_000, "ms")];
    let unit = UNITS.iter().find(|(length, _)| ttl >= *length && ttl % length == 0);
    unit.map_or_else(|| format!("{ttl} ns"), |(length, unit)| format!("{} {unit}", ttl / length))
}
