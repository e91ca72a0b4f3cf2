use arroyo_udf_plugin::udf;

/// `gini(value)`: how unequally a total is spread over the rows, from 0 (all are equal) to almost 1 (one has all): revenue over customers,
/// sales over products. NULL without rows, of a total of nought, and if a value is negative or no number.
///
/// The mean difference of two rows over twice the mean, after C. Gini, "Variabilità e mutabilità" (1912), from the sorted values.
#[udf]
fn gini(mut values: Vec<f64>) -> Option<f64> {
    let total: f64 = values.iter().sum();
    if !(total > 0.0 && total.is_finite()) || values.iter().any(|value| *value < 0.0) {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let rows = values.len() as f64;
    let weighted: f64 = values.iter().zip(1u32..).map(|(value, rank)| value * f64::from(rank)).sum();
    Some(2.0 * weighted / (rows * total) - (rows + 1.0) / rows)
}
