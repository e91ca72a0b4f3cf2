//! What a query's filters say about the first columns of a key: which of its rows have to be read at all.

use std::collections::BTreeMap;
use std::ops::Bound;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, SchemaRef};
use chimera_connectors::sink::view::Wanted;
use datafusion::error::Result;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, Operator};
use datafusion::scalar::ScalarValue;

/// More places than this are not looked up one by one.
const PLACES_MAX: usize = 4_096;

/// What is said about one column.
#[derive(Debug, Default)]
struct Said {
    equal: Option<Vec<ScalarValue>>,
    from: Option<Bound<ScalarValue>>,
    to: Option<Bound<ScalarValue>>,
}

/// What all filters say, by column. They are applied to the rows afterwards, so what is not understood may be left out.
#[derive(Debug)]
pub(super) struct Filters(BTreeMap<String, Said>);

/// Whether a filter says something about one column that a key can use.
pub(super) fn is_useful(filter: &Expr) -> bool {
    split_conjunction(filter).into_iter().any(|part| equalities(part).is_some() || bound(part).is_some())
}

impl Filters {
    pub(super) fn new(schema: &SchemaRef, filters: &[Expr]) -> Self {
        let mut said: BTreeMap<String, Said> = BTreeMap::new();
        let fits = |column: &str, value: &ScalarValue| {
            schema.field_with_name(column).is_ok_and(|field| is_ordered(field.data_type()) && value.data_type() == *field.data_type())
        };
        for part in filters.iter().flat_map(split_conjunction) {
            if let Some((column, values)) = equalities(part) {
                if values.iter().all(|value| fits(column, value)) {
                    said.entry(column.to_owned()).or_default().equal.get_or_insert(values);
                }
            } else if let Some(parts) = bound(part) {
                for (column, operator, value) in parts {
                    if !fits(column, &value) {
                        continue;
                    }
                    let said = said.entry(column.to_owned()).or_default();
                    match operator {
                        Operator::Gt => drop(said.from.get_or_insert(Bound::Excluded(value))),
                        Operator::GtEq => drop(said.from.get_or_insert(Bound::Included(value))),
                        Operator::Lt => drop(said.to.get_or_insert(Bound::Excluded(value))),
                        _ => drop(said.to.get_or_insert(Bound::Included(value))),
                    }
                }
            }
        }
        Self(said)
    }

    /// What they say about the first of these columns, and which that are. `None`: nothing about the first one.
    pub(super) fn wanted(&self, schema: &SchemaRef, key: &[usize]) -> Result<Option<(Wanted, Vec<String>)>> {
        let mut wanted = Wanted::default();
        let mut columns = Vec::new();
        let mut places = 1_usize;
        for &column in key {
            let name = schema.field(column).name();
            let Some(said) = self.0.get(name) else { break };
            if let Some(values) = &said.equal {
                places = places.saturating_mul(values.len());
                if places > PLACES_MAX {
                    break;
                }
                wanted.equal.push(ScalarValue::iter_to_array(values.iter().cloned())?);
                columns.push(name.clone());
                continue;
            }
            wanted.between = Some((array(said.from.as_ref())?, array(said.to.as_ref())?));
            columns.push(name.clone());
            break;
        }
        Ok((!columns.is_empty()).then_some((wanted, columns)))
    }
}

fn array(bound: Option<&Bound<ScalarValue>>) -> Result<Bound<ArrayRef>> {
    Ok(match bound {
        Some(Bound::Included(value)) => Bound::Included(value.to_array()?),
        Some(Bound::Excluded(value)) => Bound::Excluded(value.to_array()?),
        _ => Bound::Unbounded,
    })
}

/// Types whose encoding in a key is in their order, and where what is equal has the same bytes.
fn is_ordered(data_type: &DataType) -> bool {
    data_type.is_integer()
        || matches!(
            data_type,
            DataType::Boolean
                | DataType::Utf8
                | DataType::LargeUtf8
                | DataType::Binary
                | DataType::Date32
                | DataType::Timestamp(..)
                | DataType::Decimal128(..)
        )
}

/// `a = 1`, `a IN (1, 2)`, `a = 1 OR a = 2`: the column, and its values.
fn equalities(filter: &Expr) -> Option<(&str, Vec<ScalarValue>)> {
    match filter {
        Expr::BinaryExpr(binary) if binary.op == Operator::Eq => {
            let (column, _, value) = comparison(filter)?;
            Some((column, vec![value]))
        }
        Expr::BinaryExpr(binary) if binary.op == Operator::Or => {
            let (left, mut values) = equalities(&binary.left)?;
            let (right, more) = equalities(&binary.right)?;
            values.extend(more);
            (left == right).then_some((left, values))
        }
        Expr::InList(list) if !list.negated => {
            let Expr::Column(column) = list.expr.as_ref() else { return None };
            let values = list.list.iter().map(literal).collect::<Option<Vec<_>>>()?;
            (!values.is_empty()).then_some((column.name.as_str(), values))
        }
        _ => None,
    }
}

/// `a < 1`, `1 <= a`, `a BETWEEN 1 AND 2`.
fn bound(filter: &Expr) -> Option<Vec<(&str, Operator, ScalarValue)>> {
    match filter {
        Expr::BinaryExpr(binary) if matches!(binary.op, Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq) => {
            comparison(filter).map(|bound| vec![bound])
        }
        Expr::Between(between) if !between.negated => {
            let Expr::Column(column) = between.expr.as_ref() else { return None };
            let (low, high) = (literal(&between.low)?, literal(&between.high)?);
            Some(vec![(column.name.as_str(), Operator::GtEq, low), (column.name.as_str(), Operator::LtEq, high)])
        }
        _ => None,
    }
}

/// A column compared with a value, the column on the left.
fn comparison(filter: &Expr) -> Option<(&str, Operator, ScalarValue)> {
    let Expr::BinaryExpr(binary) = filter else { return None };
    match (binary.left.as_ref(), binary.right.as_ref()) {
        (Expr::Column(column), value) => Some((column.name.as_str(), binary.op, literal(value)?)),
        (value, Expr::Column(column)) => Some((column.name.as_str(), binary.op.swap()?, literal(value)?)),
        _ => None,
    }
}

/// Null is equal to nothing.
fn literal(value: &Expr) -> Option<ScalarValue> {
    match value {
        Expr::Literal(value, _) if !value.is_null() => Some(value.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{Field, Schema};
    use datafusion::prelude::{col, lit};

    use super::*;

    #[test]
    fn filters_say_what_a_key_can_use() {
        let fields = [("a", DataType::Int64), ("b", DataType::Utf8), ("c", DataType::Int64), ("x", DataType::Float64)];
        let schema: SchemaRef = Arc::new(Schema::new(fields.map(|(name, data_type)| Field::new(name, data_type, true)).to_vec()));
        let said = |filters: &[Expr], key: &[usize]| {
            let wanted = Filters::new(&schema, filters).wanted(&schema, key).expect("arrays");
            wanted.map(|(wanted, columns)| {
                (wanted.equal.iter().map(|values| values.len()).collect::<Vec<_>>(), wanted.between.is_some(), columns.join(","))
            })
        };
        let some = |equal: &[usize], between, columns: &str| Some((equal.to_vec(), between, columns.to_owned()));
        let equal = col("a").eq(lit(1_i64));
        assert_eq!(said(std::slice::from_ref(&equal), &[0, 1]), some(&[1], false, "a"));
        assert_eq!(said(std::slice::from_ref(&equal), &[1, 0]), None, "only from the first column on");
        assert_eq!(said(&[equal.clone().and(lit("k").lt(col("b")))], &[0, 1]), some(&[1], true, "a,b"));
        assert_eq!(
            said(&[col("a").in_list(vec![lit(1_i64), lit(2_i64)], false), col("b").eq(lit("k"))], &[0, 1, 2]),
            some(&[2, 1], false, "a,b")
        );
        assert_eq!(said(&[equal.clone().or(col("a").eq(lit(3_i64)))], &[0]), some(&[2], false, "a"));
        assert_eq!(said(&[col("c").between(lit(1_i64), lit(5_i64))], &[2]), some(&[], true, "c"));
        for not_understood in [
            equal.clone().or(col("b").eq(lit("k"))),
            col("a").not_eq(lit(1_i64)),
            col("a").eq(lit(ScalarValue::Int64(None))),
            col("a").eq(lit(1_i32)),
            col("x").eq(lit(1_f64)),
            (col("a") + lit(1_i64)).eq(lit(1_i64)),
            col("a").in_list(vec![lit(1_i64)], true),
        ] {
            assert_eq!(said(std::slice::from_ref(&not_understood), &[0, 3]), None, "{not_understood}");
        }
    }
}
