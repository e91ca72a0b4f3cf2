//! Names of the document as names of Rust.

/// `get_product`, `feature-flags`, `createdAt` → `GetProduct`, `FeatureFlags`, `CreatedAt`.
pub fn camel(name: &str) -> String {
    let mut camel = String::new();
    let mut up = true;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() {
            up = true;
        } else if up {
            camel.push(c.to_ascii_uppercase());
            up = false;
        } else {
            camel.push(c);
        }
    }
    camel
}

/// `GetProduct`, `feature-flags` → `get_product`, `feature_flags`; words of Rust's own get an `r#`.
pub fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    }
    let is_word = ["type", "in", "ref", "match", "move", "for", "use", "where", "as", "loop", "enum", "struct", "fn", "impl", "mod", "box"]
        .contains(&snake.as_str());
    if is_word { format!("r#{snake}") } else { snake }
}

/// A description as the lines of a comment.
pub fn doc(text: Option<&str>, indent: &str) -> String {
    let lines = text.unwrap_or_default().trim().lines();
    lines.map(|line| format!("{indent}/// {}", line.trim()).trim_end().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_rust() {
        assert_eq!([camel("get_product"), camel("feature-flags"), camel("NewOrder")], ["GetProduct", "FeatureFlags", "NewOrder"]);
        assert_eq!([snake("NewOrder"), snake("if-match"), snake("type")], ["new_order", "if_match", "r#type"]);
        assert_eq!(doc(Some("One.\n\n Two."), "  "), "  /// One.\n  ///\n  /// Two.\n");
    }
}
