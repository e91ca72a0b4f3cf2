//! From what a shopper typed to queries, strictest first.
//!
//! Each word may be found as it is (its stem in any text column), joined with its neighbour or split in two (`head set`, `headset`),
//! as the beginning of a longer word if it is the last one, and with typing errors. A document has to have every word; when few have,
//! those that lack one come after them, and when none has, most of the words do.

use tantivy::query::{BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, Occur, PhraseQuery, Query, TermQuery, TermSetQuery};
use tantivy::schema::{Field, IndexRecordOption, Term};

use super::schema::Fields;
use super::stem::stem;
use super::tokenizer::{Chunk, chunks};
use super::vocabulary::Vocabulary;

/// Words after this are not looked at.
const WORDS_MAX: usize = 12;
/// Of the scores that a word gets in several columns the best counts whole, the others this much.
const TIE_BREAKER: f32 = 0.1;
/// A match with one typing error counts this much of an exact one, with two its square.
const TYPO_WEIGHT: f32 = 0.4;
/// A word that merely begins with what was typed, where that is a word too.
const PREFIX_SCORE: f32 = 0.05;
/// A word that begins with what was typed, where that is no word.
const COMPLETION_WEIGHT: f32 = 0.8;
/// Words joined or split.
const COMPOUND_WEIGHT: f32 = 0.9;
/// Two words that follow each other in the most important column.
const PHRASE_WEIGHT: f32 = 0.5;
/// What puts a document with the word as typed above any with a corrected one: more than all words together can score.
pub(crate) const EXACT_BONUS: f32 = 4_096.0;
/// A word may be left out if the others make up at least this share of what the words say together (of their idf).
const SHARE_MIN: f64 = 0.4;
/// Words that say little, asked for only if there is nothing else.
const SMALL_WORDS: [&str; 16] = ["a", "an", "and", "at", "by", "for", "from", "in", "is", "of", "on", "or", "the", "to", "with", "&"];

/// How much is let pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leniency {
    /// Every word, as typed; corrected only if the index does not have it.
    AsTyped,
    /// Every word, corrected ones too.
    Corrected,
    /// As `Corrected`; after those, documents that lack one word that says little.
    AlmostAll,
    /// Most words.
    Some,
}

pub(crate) struct Words {
    chunks: Vec<Chunk>,
    /// Whether the last one may be only the beginning of a word.
    unfinished: bool,
}

impl Words {
    pub(crate) fn parse(query: &str) -> Self {
        let mut chunks: Vec<Chunk> = chunks(query);
        chunks.truncate(WORDS_MAX);
        let unfinished = query.chars().next_back().is_some_and(char::is_alphanumeric);
        if chunks.iter().any(|chunk| !is_small(chunk)) {
            let last = chunks.len() - 1;
            let mut position = 0;
            chunks.retain(|chunk| {
                // The last one may still become a longer word: `in` → `ink`.
                let keep = !is_small(chunk) || (unfinished && position == last && chunk.whole.len() > 1);
                position += 1;
                keep
            });
        }
        Self { chunks, unfinished }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }
}

fn is_small(chunk: &Chunk) -> bool {
    SMALL_WORDS.contains(&chunk.whole.as_str())
}

/// Builds queries against one searcher.
pub(crate) struct QueryBuilder<'a> {
    pub(crate) fields: &'a Fields,
    pub(crate) vocabulary: Vocabulary<'a>,
}

type Clause = Box<dyn Query>;

impl QueryBuilder<'_> {
    /// The query for all words.
    pub(crate) fn build(&self, words: &Words, leniency: Leniency) -> tantivy::Result<Clause> {
        let ways: Vec<Clause> =
            (0..words.chunks.len()).map(|position| self.word(words, position, leniency)).collect::<tantivy::Result<_>>()?;
        let found: Clause = match leniency {
            Leniency::AsTyped | Leniency::Corrected => Box::new(BooleanQuery::intersection(ways)),
            Leniency::AlmostAll => self.almost_all(words, ways)?,
            Leniency::Some => {
                let wanted = if ways.len() <= 2 { 1 } else { ways.len().div_ceil(2) };
                Box::new(BooleanQuery::union_with_minimum_required_clauses(ways, wanted))
            }
        };
        let mut clauses = vec![(Occur::Must, found)];
        for pair in words.chunks.windows(2) {
            if let Some((field, boost)) = self.fields.text.first() {
                let mut phrase = PhraseQuery::new(vec![self.stem_term(*field, &pair[0].whole), self.stem_term(*field, &pair[1].whole)]);
                phrase.set_slop(1);
                clauses.push((Occur::Should, Box::new(BoostQuery::new(Box::new(phrase), boost * PHRASE_WEIGHT))));
            }
        }
        Ok(Box::new(BooleanQuery::new(clauses)))
    }

    /// Documents with all words, and below them those that lack one of the less telling ones.
    fn almost_all(&self, words: &Words, ways: Vec<Clause>) -> tantivy::Result<Clause> {
        let all: Clause = Box::new(BooleanQuery::intersection(ways.iter().map(|way| way.box_clone()).collect()));
        if ways.len() < 2 {
            return Ok(all);
        }
        let weights: Vec<f64> = words.chunks.iter().map(|chunk| self.weight(chunk)).collect::<tantivy::Result<_>>()?;
        let total: f64 = weights.iter().sum();
        let mut tiers = vec![self.above_all(vec![all], EXACT_BONUS * WORDS_MAX as f32)];
        for (left_out, weight) in weights.iter().enumerate() {
            if total - weight >= SHARE_MIN * total {
                let others = ways.iter().enumerate().filter(|(position, _)| *position != left_out).map(|(_, way)| way.box_clone());
                tiers.push(Box::new(BooleanQuery::intersection(others.collect())));
            }
        }
        Ok(Box::new(DisjunctionMaxQuery::with_tie_breaker(tiers, TIE_BREAKER)))
    }

    /// How much a word says: its inverse document frequency.
    fn weight(&self, chunk: &Chunk) -> tantivy::Result<f64> {
        let all = self.vocabulary.searcher.num_docs() as f64;
        let mut documents = self.vocabulary.documents(&chunk.whole)?;
        if documents == 0 {
            for part in chunk.parts() {
                let with_part = self.vocabulary.documents(part)?;
                documents = if documents == 0 { with_part } else { documents.min(with_part) };
            }
        }
        Ok((1.0 + (all + 0.5) / (documents as f64 + 0.5)).ln())
    }

    /// Everything that word may be found as.
    fn word(&self, words: &Words, position: usize, leniency: Leniency) -> tantivy::Result<Clause> {
        let chunk = &words.chunks[position];
        let mut ways: Vec<Clause> = vec![self.exact(chunk)];
        let known = self.is_known(chunk)?;
        let unfinished = words.unfinished && position + 1 == words.chunks.len();
        self.compounds(words, position, &mut ways)?;
        let mut completed = false;
        if unfinished {
            let longer = self.vocabulary.beginning_with(&chunk.whole, if known { 40 } else { 60 })?;
            completed = !longer.is_empty();
            if known {
                ways.push(self.any_of(longer.iter().map(|candidate| candidate.word.as_str()), PREFIX_SCORE));
            } else {
                for candidate in longer.iter().take(8) {
                    ways.push(Box::new(BoostQuery::new(self.anywhere(&candidate.word), COMPLETION_WEIGHT)));
                }
                ways.push(self.any_of(longer.iter().skip(8).map(|candidate| candidate.word.as_str()), PREFIX_SCORE));
            }
        }
        let distance = typos(&chunk.whole);
        if distance > 0 && ((!known && !completed) || leniency != Leniency::AsTyped) {
            let mut near = self.vocabulary.near(&chunk.whole, distance, false, 8)?;
            if near.is_empty() && unfinished {
                near = self.vocabulary.near(&chunk.whole, distance, true, 8)?;
            }
            if !near.is_empty() && known {
                ways = vec![self.above_all(ways, EXACT_BONUS)];
            }
            for candidate in near {
                let weight = TYPO_WEIGHT.powi(candidate.distance.max(1) as i32);
                ways.push(Box::new(BoostQuery::new(self.anywhere(&candidate.word), weight)));
            }
        }
        Ok(Box::new(DisjunctionMaxQuery::new(ways)))
    }

    /// Written together with a neighbour, or as two words.
    fn compounds(&self, words: &Words, position: usize, ways: &mut Vec<Clause>) -> tantivy::Result<()> {
        let chunks = &words.chunks;
        let neighbours =
            [position.checked_sub(1).map(|before| (before, position)), (position + 1 < chunks.len()).then_some((position, position + 1))];
        for (first, second) in neighbours.into_iter().flatten() {
            let joined = format!("{}{}", chunks[first].whole, chunks[second].whole);
            if joined.len() >= 5 && self.in_text(&joined)? {
                ways.push(Box::new(BoostQuery::new(self.anywhere(&joined), COMPOUND_WEIGHT)));
            }
        }
        if let Some((first, second)) = self.vocabulary.split(&chunks[position].whole)? {
            let phrases = self.fields.text.iter().map(|(field, boost)| {
                let phrase = PhraseQuery::new(vec![self.stem_term(*field, &first), self.stem_term(*field, &second)]);
                Box::new(BoostQuery::new(Box::new(phrase), boost * COMPOUND_WEIGHT)) as Clause
            });
            ways.push(Box::new(DisjunctionMaxQuery::with_tie_breaker(phrases.collect(), TIE_BREAKER)));
        }
        Ok(())
    }

    /// As typed: whole, or all of its parts.
    fn exact(&self, chunk: &Chunk) -> Clause {
        let mut ways = vec![self.anywhere(&chunk.whole)];
        if !chunk.parts().is_empty() {
            let parts = chunk.parts().iter().map(|part| (Occur::Must, self.anywhere(part))).collect();
            ways.push(Box::new(BoostQuery::new(Box::new(BooleanQuery::new(parts)), 0.5)));
        }
        if ways.len() == 1 { ways.remove(0) } else { Box::new(DisjunctionMaxQuery::new(ways)) }
    }

    /// The word's stem in any text column.
    fn anywhere(&self, word: &str) -> Clause {
        let columns = self.fields.text.iter().map(|(field, boost)| {
            let term = TermQuery::new(self.stem_term(*field, word), IndexRecordOption::WithFreqs);
            Box::new(BoostQuery::new(Box::new(term), *boost)) as Clause
        });
        Box::new(DisjunctionMaxQuery::with_tie_breaker(columns.collect(), TIE_BREAKER))
    }

    /// Any of these words, all worth the same.
    fn any_of<'w>(&self, words: impl Iterator<Item = &'w str>, score: f32) -> Clause {
        let terms = words.map(|word| Term::from_field_text(self.fields.words, word));
        Box::new(ConstScoreQuery::new(Box::new(TermSetQuery::new(terms)), score))
    }

    /// The same matches, with scores above any other's.
    fn above_all(&self, ways: Vec<Clause>, bonus: f32) -> Clause {
        let any: Clause = Box::new(DisjunctionMaxQuery::new(ways));
        let bonus: Clause = Box::new(ConstScoreQuery::new(any.box_clone(), bonus));
        Box::new(BooleanQuery::new(vec![(Occur::Must, any), (Occur::Must, bonus)]))
    }

    fn stem_term(&self, field: Field, word: &str) -> Term {
        let mut word = word.to_owned();
        stem(&mut word);
        Term::from_field_text(field, &word)
    }

    fn is_known(&self, chunk: &Chunk) -> tantivy::Result<bool> {
        if self.in_text(&chunk.whole)? {
            return Ok(true);
        }
        // A model number that the index has only in pieces is known if it has all of them.
        for part in chunk.parts() {
            if !self.in_text(part)? {
                return Ok(false);
            }
        }
        Ok(!chunk.parts().is_empty())
    }

    /// Whether any text column has the word's stem.
    fn in_text(&self, word: &str) -> tantivy::Result<bool> {
        for (field, _) in &self.fields.text {
            if self.vocabulary.searcher.doc_freq(&self.stem_term(*field, word))? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// How many typing errors a word of this length may have.
fn typos(word: &str) -> u8 {
    match word.chars().count() {
        _ if word.bytes().any(|byte| byte.is_ascii_digit()) => 0,
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_words_are_dropped_unless_they_are_all_there_is() {
        let whole = |query: &str| Words::parse(query).chunks.into_iter().map(|chunk| chunk.whole).collect::<Vec<_>>();
        assert_eq!(whole("a case for the phone"), ["case", "phone"]);
        assert_eq!(whole("the"), ["the"]);
        assert_eq!(whole("phone in"), ["phone", "in"]);
        assert_eq!(whole("phone in "), ["phone"]);
        assert!(Words::parse(" -- ").is_empty());
        assert_eq!(Words::parse(&"word ".repeat(500)).chunks.len(), WORDS_MAX);
    }

    #[test]
    fn longer_words_may_have_more_errors_and_numbers_none() {
        assert_eq!([typos("usb"), typos("mous"), typos("keyboard"), typos("dv7000000")], [0, 1, 2, 0]);
    }
}
