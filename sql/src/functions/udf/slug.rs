use arroyo_udf_plugin::udf;

/// `slug(text)`: a name as part of an address: small letters and digits, everything else between them one hyphen: 'Möbel & Mehr' is
/// 'möbel-mehr'.
#[udf]
fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for sign in text.chars().flat_map(char::to_lowercase) {
        if sign.is_alphanumeric() {
            slug.push(sign);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}
