//! Addresses of e-mail, as far as a server can judge them: whether one is real, only a message to it shows.

use std::fmt;

/// As it was given, without spaces around it. Two that differ only in the case of letters that PostgreSQL knows (of ASCII, where the server is ours)
/// are one account's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// What SMTP carries (RFC 5321, 4.5.3.1).
    const MAX_BYTES: usize = 254;
    const MAX_LOCAL_BYTES: usize = 64;

    /// Says what is wrong with one that no mail server would take.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() > Self::MAX_BYTES {
            return Err(format!("an address has at most {} bytes, this one has {}", Self::MAX_BYTES, text.len()));
        }
        let (local, domain) = text.rsplit_once('@').ok_or("an address has an @, as in ada@example.com")?;
        if local.is_empty() || local.len() > Self::MAX_LOCAL_BYTES {
            return Err(format!("before the @ stand 1 to {} bytes", Self::MAX_LOCAL_BYTES));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control() || "()<>[]:;,\\\"".contains(c)) || local.contains('@') {
            return Err("an address has neither spaces nor any of ()<>[]:;,\\\"".into());
        }
        let is_label = |label: &str| !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-');
        if !domain.contains('.') || !domain.split('.').all(is_label) {
            return Err("after the @ stands the name of a domain, as in ada@example.com".into());
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_what_is_none() {
        for good in ["ada@example.com", " Ada.Lovelace+shop@mail.example.co.uk ", "o'neil@example.com", "jürgen@müller.example"] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in ["", "ada", "ada@", "@example.com", "ada@example", "a b@example.com", "a@b@example.com", "ada@.com", "ada@-x.com", &long]
        {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
        assert!(Email::parse("ada@example.com\r\nBcc: all@example.com").is_err(), "no header can be smuggled in");
    }
}
