//! The words that an index has: how common one is, which begin with some letters, which are a typing error away.

use std::collections::HashMap;

use tantivy::query::FuzzyTermQuery;
use tantivy::schema::{Field, Term};
use tantivy::{Searcher, TantivyError};

/// Terms looked at in one segment for one prefix or correction.
const TERMS_MAX: usize = 50_000;

pub(crate) struct Vocabulary<'a> {
    pub(crate) searcher: &'a Searcher,
    /// Words as they are written.
    pub(crate) words: Field,
}

/// A word of the index that stands in for one of the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) word: String,
    /// Typing errors between the two: letters left out, put in, changed or swapped with the next.
    pub(crate) distance: usize,
    /// Documents with the word.
    pub(crate) documents: u64,
}

impl Vocabulary<'_> {
    /// Documents with the word.
    pub(crate) fn documents(&self, word: &str) -> tantivy::Result<u64> {
        self.searcher.doc_freq(&Term::from_field_text(self.words, word))
    }

    /// The most common words that begin with `prefix` and are longer.
    pub(crate) fn beginning_with(&self, prefix: &str, at_most: usize) -> tantivy::Result<Vec<Candidate>> {
        let mut found: HashMap<String, u64> = HashMap::new();
        for segment in self.searcher.segment_readers() {
            let index = segment.inverted_index(self.words)?;
            // No word has this character, so that it ends the range.
            let mut stream = index.terms().range().gt(prefix).lt(format!("{prefix}\u{10ffff}")).into_stream()?;
            let mut seen = 0;
            while seen < TERMS_MAX && stream.advance() {
                seen += 1;
                let documents = u64::from(stream.value().doc_freq);
                match std::str::from_utf8(stream.key()) {
                    Ok(word) => *found.entry(word.to_owned()).or_default() += documents,
                    Err(_) => continue,
                }
            }
        }
        Ok(best(found.into_iter().map(|(word, documents)| Candidate { word, distance: 0, documents }), at_most))
    }

    /// Words up to `distance` typing errors from `word`, nearest and then most common first. With `unfinished`, words that begin so.
    pub(crate) fn near(&self, word: &str, distance: u8, unfinished: bool, at_most: usize) -> tantivy::Result<Vec<Candidate>> {
        let term = Term::from_field_text(self.words, word);
        let query = if unfinished { FuzzyTermQuery::new_prefix(term, distance, true) } else { FuzzyTermQuery::new(term, distance, true) };
        let automaton = query.automaton()?;
        let mut found: HashMap<String, u64> = HashMap::new();
        for segment in self.searcher.segment_readers() {
            let index = segment.inverted_index(self.words)?;
            let mut stream = index.terms().search(&automaton).into_stream().map_err(TantivyError::from)?;
            let mut seen = 0;
            while seen < TERMS_MAX && stream.advance() {
                seen += 1;
                // A number that is off by one digit is another product.
                let Some(near) = std::str::from_utf8(stream.key()).ok().filter(|near| !near.bytes().any(|byte| byte.is_ascii_digit()))
                else {
                    continue;
                };
                *found.entry(near.to_owned()).or_default() += u64::from(stream.value().doc_freq);
            }
        }
        let near = found.into_iter().filter(|(near, _)| near != word).map(|(near, documents)| {
            let distance = if unfinished { prefix_distance(word, &near) } else { edits(word, &near) };
            // The first letter is rarely the wrong one.
            let first = usize::from(near.chars().next() != word.chars().next());
            Candidate { distance: distance + first, word: near, documents }
        });
        Ok(best(near, at_most))
    }

    /// The most likely place where `word` is two words of the index, written together.
    pub(crate) fn split(&self, word: &str) -> tantivy::Result<Option<(String, String)>> {
        const PART_LETTERS_MIN: usize = 3;
        if word.len() < 2 * PART_LETTERS_MIN || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return Ok(None);
        }
        let mut best: Option<(u64, usize)> = None;
        for at in PART_LETTERS_MIN..=word.len() - PART_LETTERS_MIN {
            let common = self.documents(&word[..at])?.min(self.documents(&word[at..])?);
            if common > best.map_or(0, |(common, _)| common) {
                best = Some((common, at));
            }
        }
        Ok(best.map(|(_, at)| (word[..at].to_owned(), word[at..].to_owned())))
    }
}

fn best(candidates: impl Iterator<Item = Candidate>, at_most: usize) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = candidates.collect();
    candidates.sort_by(|a, b| (a.distance, b.documents, &a.word).cmp(&(b.distance, a.documents, &b.word)));
    candidates.truncate(at_most);
    candidates
}

/// Typing errors between two words: the optimal string alignment distance.
pub(crate) fn edits(a: &str, b: &str) -> usize {
    *last_row(a, b).last().unwrap_or(&0)
}

/// Typing errors between `a` and the nearest beginning of `b`.
fn prefix_distance(a: &str, b: &str) -> usize {
    last_row(a, b).into_iter().min().unwrap_or(0)
}

/// Distances of the whole of `a` to every beginning of `b`.
fn last_row(a: &str, b: &str) -> Vec<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut next = vec![i];
        for j in 1..=b.len() {
            let same = a[i - 1] == b[j - 1];
            let mut distance = (row[j] + 1).min(next[j - 1] + 1).min(row[j - 1] + usize::from(!same));
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                distance = distance.min(before[j - 2] + 1);
            }
            next.push(distance);
        }
        before = std::mem::replace(&mut row, next);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::{edits, prefix_distance};

    #[test]
    fn a_typing_error_counts_one() {
        for (a, b, distance) in [
            ("mouse", "mouse", 0),
            ("mouse", "moues", 1),
            ("mouse", "house", 1),
            ("headphnes", "headphones", 1),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(edits(a, b), distance, "{a} {b}");
            assert_eq!(edits(b, a), distance, "{b} {a}");
        }
        assert_eq!(prefix_distance("hedph", "headphones"), 1);
    }
}
