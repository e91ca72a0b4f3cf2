//! What letters say: `serving/templates/<topic>.txt`, whose first line is the subject, and `<topic>.html`, in which all that is put in is escaped.

use std::sync::LazyLock;

use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};
use serde_json::Value as Json;

macro_rules! templates {
    ($($name:literal),* $(,)?) => { &[$(($name, include_str!(concat!("../../../templates/", $name)))),*] };
}

const TEMPLATES: &[(&str, &str)] = templates![
    "layout.html",
    "items.html",
    "items.txt",
    "account.verify_email.html",
    "account.verify_email.txt",
    "account.reset_password.html",
    "account.reset_password.txt",
    "account.password_changed.html",
    "account.password_changed.txt",
    "account.second_factor_changed.html",
    "account.second_factor_changed.txt",
    "order.confirmation.html",
    "order.confirmation.txt",
    "order.shipped.html",
    "order.shipped.txt",
    "order.delivered.html",
    "order.delivered.txt",
    "order.cancelled.html",
    "order.cancelled.txt",
    "order.return_received.html",
    "order.return_received.txt",
    "order.return_refused.html",
    "order.return_refused.txt",
    "order.refunded.html",
    "order.refunded.txt",
];

/// A letter, but for its addresses.
#[derive(Debug)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
}

static ENVIRONMENT: LazyLock<Result<Environment<'static>, Error>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    // A letter with a hole in it is not sent.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
    environment.add_filter("money", money);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    Ok(environment)
});

/// # Errors
/// If there is no such topic, or the data are not what its templates need.
pub fn render(topic: &str, data: &Json, public_url: &str) -> Result<Rendered, Error> {
    let environment = ENVIRONMENT.as_ref().map_err(|error| Error::new(ErrorKind::SyntaxError, error.to_string()))?;
    let mut context: Vec<(String, Value)> = vec![("public_url".to_owned(), Value::from(public_url))];
    context.extend(data.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), convert(value))));
    let context: Value = context.into_iter().collect();
    let text = environment.get_template(&format!("{topic}.txt"))?.render(&context)?;
    let html = environment.get_template(&format!("{topic}.html"))?.render(&context)?;
    let first_line = text.split_once('\n').and_then(|(first, rest)| Some((first.strip_prefix("Subject: ")?, rest)));
    let (subject, text) = first_line.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "the first line of the text is no subject"))?;
    // In a header a control character is an end, or nothing good.
    let subject = subject.chars().filter(|c| !c.is_control()).collect();
    Ok(Rendered { subject, text: text.trim_start().to_owned(), html })
}

/// By hand: numbers of serde_json keep their digits here, and serialise as maps in every format but JSON.
fn convert(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::from(whole),
            (None, Some(float)) => Value::from(float),
            (None, None) => Value::from(number.to_string()),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(convert).collect(),
        Json::Object(members) => members.iter().map(|(name, value)| (name.as_str(), convert(value))).collect(),
    }
}

/// `{{ 123456 | money("GBP") }}`: `1,234.56 GBP`.
fn money(cents: i64, currency: &str) -> String {
    let (units, cents, sign) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100, if cents < 0 { "-" } else { "" });
    let digits = units.to_string();
    let grouped: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    format!("{sign}{}.{cents:02} {currency}", grouped.join(","))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::auth::outbox::Topic as Account;
    use crate::api::orders::outbox::Topic as Order;

    const URL: &str = "https://shop.example.com";

    fn data() -> Json {
        let order = json!({ "number": "W-1", "currency": "GBP", "subtotal_cents": 123_450, "discount_cents": 450, "shipping_cents": 499,
            "tax_cents": 20_583, "total_cents": 123_499, "items": [
                { "line_no": 1, "sku": "MUG", "name": "A mug <b>& more</b>", "quantity": 3, "paid_cents": 123_000 }] });
        json!({ "order": order, "token": "cho_x-y", "is_on": true, "refund_cents": 123_499, "reason": "<script>",
            "shipment": { "carrier": "Royal \"Mail\"", "tracking_number": "RM1", "is_last": false, "items": [{ "line_no": 1, "quantity": 2 }] },
            "return": { "items": [{ "line_no": 1, "quantity": 1 }] } })
    }

    fn topics() -> Vec<&'static str> {
        let accounts = [Account::VerifyEmail, Account::ResetPassword, Account::PasswordChanged, Account::SecondFactorChanged];
        accounts.into_iter().map(Account::name).chain(Order::ALL.into_iter().map(Order::name)).collect()
    }

    #[test]
    fn every_topic_has_a_letter_in_text_and_html() {
        for topic in topics() {
            let letter = render(topic, &data(), URL).unwrap_or_else(|error| panic!("{topic}: {error:#}"));
            assert!(letter.subject.len() > 5 && letter.text.len() > 20 && letter.html.contains("</html>"), "{letter:#?}");
            assert!(!letter.html.contains("<script>") && !letter.html.contains("<b>& more"), "{}", letter.html);
            // Nothing is shown as what it is not: `arbitrary_precision` would leave its mark.
            assert!(!format!("{letter:?}").contains("private::Number"), "{letter:#?}");
        }
        assert!(render("order.unknown", &data(), URL).is_err());
    }

    #[test]
    fn links_and_amounts_stand_in_both() {
        let letter = render("account.verify_email", &data(), URL).expect("a letter");
        assert!(letter.text.contains("\nhttps://shop.example.com/account/verify-email?token=cho_x-y\n"), "{}", letter.text);
        let html = letter.html.replace("&#x2f;", "/");
        assert!(html.contains("href=\"https://shop.example.com/account/verify-email?token=cho_x-y\""), "{html}");
        let letter = render("account.reset_password", &data(), URL).expect("a letter");
        assert!(letter.text.contains("\nhttps://shop.example.com/account/reset-password?token=cho_x-y\n"), "{}", letter.text);
        let letter = render("order.confirmation", &data(), URL).expect("a letter");
        for part in [&letter.text, &letter.html] {
            assert!(part.contains("1,234.99 GBP") && part.contains("1,230.00 GBP") && part.contains("4.99 GBP"), "{part}");
        }
        assert!(letter.html.contains("A mug &lt;b&gt;&amp; more&lt;&#x2f;b&gt;"), "{}", letter.html);
        assert!(letter.text.contains("A mug <b>& more</b>"), "plain text is shown as it is: {}", letter.text);
    }

    #[test]
    fn what_is_missing_is_an_error_and_a_subject_is_one_line() {
        assert!(render("account.verify_email", &json!({}), URL).is_err());
        let mut data = data();
        data["order"]["number"] = json!("W-1\u{b}\u{7f}");
        assert_eq!(render("order.refunded", &data, URL).expect("a letter").subject, "Your refund for order W-1");
    }

    #[test]
    fn amounts_are_written_with_their_cents() {
        for (cents, text) in
            [(0, "0.00 EUR"), (5, "0.05 EUR"), (-1999, "-19.99 EUR"), (100_000, "1,000.00 EUR"), (123_456_789, "1,234,567.89 EUR")]
        {
            assert_eq!(money(cents, "EUR"), text);
        }
    }
}
