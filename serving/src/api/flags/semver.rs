//! Versions of programs, in the order that Semantic Versioning 2.0.0 (semver.org, §11) gives them.

use std::cmp::Ordering;

/// `major.minor.patch`, and what stands behind a `-`. What stands behind a `+` is no part of the order, and is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version<'a> {
    numbers: [u64; 3],
    /// Empty: a release.
    pre_release: Vec<Identifier<'a>>,
}

/// Numbers are before texts, as the variants are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier<'a> {
    Number(u64),
    Text(&'a str),
}

impl<'a> Version<'a> {
    /// `None`: this is not a version.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (text, build) = text.split_once('+').map_or((text, None), |(before, build)| (before, Some(build)));
        if let Some(build) = build
            && !build.split('.').all(is_identifier)
        {
            return None;
        }
        let (numbers, pre_release) = text.split_once('-').map_or((text, None), |(numbers, rest)| (numbers, Some(rest)));
        let mut parts = numbers.split('.').map(number);
        let numbers = [parts.next()??, parts.next()??, parts.next()??];
        if parts.next().is_some() {
            return None;
        }
        let pre_release = match pre_release {
            Some(text) => text.split('.').map(identifier).collect::<Option<Vec<_>>>()?,
            None => Vec::new(),
        };
        Some(Self { numbers, pre_release })
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        // A release is after what led to it.
        let is_release = |version: &Self| version.pre_release.is_empty();
        let numbers = self.numbers.cmp(&other.numbers);
        numbers.then(is_release(self).cmp(&is_release(other))).then_with(|| self.pre_release.cmp(&other.pre_release))
    }
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Without signs, and without a nought in front.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    is_number.then(|| text.parse().ok()).flatten()
}

fn identifier(text: &str) -> Option<Identifier<'_>> {
    if !is_identifier(text) {
        None
    } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
        number(text).map(Identifier::Number)
    } else {
        Some(Identifier::Text(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stand_in_the_order_of_the_specification() {
        let ordered = [
            "0.9.10",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1",
            "1.9.0",
            "1.10.0",
            "2.0.0",
        ];
        let versions: Vec<Version> = ordered.iter().map(|text| Version::parse(text).expect(text)).collect();
        for (at, version) in versions.iter().enumerate() {
            for (other_at, other) in versions.iter().enumerate() {
                assert_eq!(version.cmp(other), at.cmp(&other_at), "{} and {}", ordered[at], ordered[other_at]);
            }
        }
        assert_eq!(Version::parse("1.0.0+a.7"), Version::parse("1.0.0"));
    }

    #[test]
    fn what_is_no_version_is_not_taken_for_one() {
        for text in [
            "",
            "1",
            "1.0",
            "1.0.0.0",
            "01.0.0",
            "1.0.0-",
            "1.0.0-a..b",
            "1.0.0-01",
            "1.0.0+",
            "v1.0.0",
            "1.0.x",
            "-1.0.0",
            "1.0.99999999999999999999",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
