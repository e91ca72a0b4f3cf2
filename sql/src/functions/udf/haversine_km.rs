use arroyo_udf_plugin::udf;

/// `haversine_km(latitude, longitude, latitude, longitude)`: how far two places are from each other, in kilometres as the crow flies, from
/// degrees. It is at most 0.6 % off: the Earth is taken for a ball of 6,371.0088 km radius.
///
/// The formula: R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68 (1984).
#[udf]
fn haversine_km(latitude: f64, longitude: f64, to_latitude: f64, to_longitude: f64) -> f64 {
    let half = |from: f64, to: f64| ((to - from).to_radians() / 2.0).sin().powi(2);
    let across = latitude.to_radians().cos() * to_latitude.to_radians().cos() * half(longitude, to_longitude);
    2.0 * 6_371.008_8 * (half(latitude, to_latitude) + across).clamp(0.0, 1.0).sqrt().asin()
}
