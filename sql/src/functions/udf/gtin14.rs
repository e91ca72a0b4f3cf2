use arroyo_udf_plugin::udf;

/// `gtin14(code)`: a product's number as on its bar code (EAN-8, UPC-A, EAN-13, GTIN-14; spaces and hyphens do not count) in 14 digits, so
/// that the same product has the same number everywhere. NULL of what is none, or has a wrong check digit.
///
/// The check digit is that of the GS1 General Specifications, 7.9.1.
#[udf]
fn gtin14(code: &str) -> Option<String> {
    let digits: String = code.chars().filter(|sign| !matches!(sign, ' ' | '-')).collect();
    if !matches!(digits.len(), 8 | 12 | 13 | 14) || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let weighted = digits.bytes().rev().enumerate().map(|(place, digit)| u32::from(digit - b'0') * if place % 2 == 0 { 1 } else { 3 });
    (weighted.sum::<u32>() % 10 == 0).then(|| format!("{digits:0>14}"))
}
