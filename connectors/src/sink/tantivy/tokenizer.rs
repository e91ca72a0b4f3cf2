//! Text as it stands in product catalogues, cut into terms.
//!
//! Lower case, without accents; a model number is findable whole and in parts: `dv7-1211EA` gives `dv71211ea`, `dv7`, `1211ea`, `dv`,
//! `7`, `1211` and `ea`; `Wi-Fi` gives `wifi`, `wi`, `fi`; `4GB` gives `4gb`, `4`, `gb`. A decimal number stays one: `43.2`.

use tantivy::tokenizer::{AsciiFoldingFilter, RawTokenizer, TextAnalyzer, Token, TokenStream, Tokenizer};

use super::stem::stem;

/// Longer ones are not words.
const CHUNK_BYTES_MAX: usize = 128;
/// Text after this is not indexed.
const TEXT_BYTES_MAX: usize = 256 << 10;

/// What stands between two gaps: whole, and the parts that its joints and its changes between letters and digits make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) whole: String,
    /// Between joints (`-`, `_`, `.`, `'`); empty when there is only one.
    pub(crate) segments: Vec<String>,
    /// Runs of letters and of digits; empty when there is only one, or when they are the segments.
    pub(crate) runs: Vec<String>,
}

impl Chunk {
    /// The finest parts; empty when the chunk is one.
    pub(crate) fn parts(&self) -> &[String] {
        if self.runs.is_empty() { &self.segments } else { &self.runs }
    }

    fn new(text: &str) -> Option<Self> {
        let text = text.strip_suffix("'s").unwrap_or(text);
        let text = text.trim_matches(is_joint);
        if text.is_empty() || text.len() > CHUNK_BYTES_MAX {
            return None;
        }
        if is_decimal(text) {
            return Some(Self { whole: text.to_owned(), segments: Vec::new(), runs: Vec::new() });
        }
        let mut segments: Vec<String> = text.split(is_joint).filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let whole = segments.concat();
        let mut runs: Vec<String> = Vec::new();
        for segment in &segments {
            let mut last: Option<bool> = None;
            for character in segment.chars() {
                let digit = character.is_ascii_digit();
                match runs.last_mut().filter(|_| last == Some(digit)) {
                    Some(run) => run.push(character),
                    None => runs.push(character.to_string()),
                }
                last = Some(digit);
            }
        }
        // A serial number in many pieces is not looked for by its pieces.
        if runs.len() == segments.len() || runs.len() > 6 {
            runs.clear();
        }
        if segments.len() == 1 {
            segments.clear();
        }
        Some(Self { whole, segments, runs })
    }
}

fn is_joint(character: char) -> bool {
    matches!(character, '-' | '_' | '.' | '\'' | '’' | '‐' | '‑')
}

/// `43.2`, `802.11`.
fn is_decimal(text: &str) -> bool {
    text.split_once('.').is_some_and(|(whole, fraction)| {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits(whole) && digits(fraction)
    })
}

/// The chunks of a text, folded to lower case without accents.
pub(crate) fn chunks(text: &str) -> Vec<Chunk> {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let folded = fold(&text[..end]);
    folded
        .split(|character: char| !character.is_alphanumeric() && !is_joint(character))
        .filter(|part| !part.is_empty())
        .filter_map(Chunk::new)
        .collect()
}

fn fold(text: &str) -> String {
    // ™ and ® are not letters; everything else is folded by Tantivy's table.
    let lower = text.to_lowercase();
    if lower.is_ascii() {
        return lower;
    }
    let lower = lower.replace(['™', '®', '©'], " ");
    let mut analyzer = TextAnalyzer::builder(RawTokenizer::default()).filter(AsciiFoldingFilter).build();
    let mut stream = analyzer.token_stream(&lower);
    if stream.advance() { stream.token().text.to_lowercase() } else { String::new() }
}

/// The tokenizer of indexed fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProductTokenizer {
    /// Whether words are cut to their stems.
    pub(crate) stemmed: bool,
}

impl ProductTokenizer {
    /// Tantivy's analyzer around it.
    pub(crate) fn analyzer(self) -> TextAnalyzer {
        TextAnalyzer::builder(self).build()
    }
}

impl Tokenizer for ProductTokenizer {
    type TokenStream<'a> = Tokens;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Tokens {
        let mut tokens: Vec<(usize, String)> = Vec::new();
        let mut position = 0;
        for chunk in chunks(text) {
            let parts = chunk.parts().len().max(1);
            let at = |index: usize| position + index.min(parts - 1);
            let (segments, runs) = (chunk.segments.into_iter().enumerate(), chunk.runs.into_iter().enumerate());
            let smaller: Vec<_> = segments.chain(runs).map(|(index, part)| (at(index), part)).collect();
            let first = tokens.len();
            for (position, mut text) in std::iter::once((position, chunk.whole)).chain(smaller) {
                if self.stemmed {
                    stem(&mut text);
                }
                // `a-1` has the run `a` and the segment `a`.
                if !tokens[first..].contains(&(position, text.clone())) {
                    tokens.push((position, text));
                }
            }
            position += parts;
        }
        tokens.sort_by_key(|(position, _)| *position);
        Tokens { tokens: tokens.into_iter(), token: Token::default() }
    }
}

/// Tokens that were cut before.
pub(crate) struct Tokens {
    tokens: std::vec::IntoIter<(usize, String)>,
    token: Token,
}

impl TokenStream for Tokens {
    fn advance(&mut self) -> bool {
        let Some((position, text)) = self.tokens.next() else { return false };
        self.token.position = position;
        self.token.text = text;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<(usize, String)> {
        let mut tokens = Vec::new();
        ProductTokenizer { stemmed: true }.token_stream(text).process(&mut |token| tokens.push((token.position, token.text.clone())));
        tokens
    }

    fn terms(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|(_, term)| term).collect()
    }

    #[test]
    fn model_numbers_are_whole_and_in_parts() {
        let mut found = terms("dv7-1211EA");
        found.sort();
        assert_eq!(found, ["1211", "1211ea", "7", "dv", "dv7", "dv71211ea", "ea"]);
        assert_eq!(terms("006R90321")[0], "006r90321");
        assert_eq!(tokens("Wi-Fi cable"), [(0, "wifi".into()), (0, "wi".into()), (1, "fi".into()), (2, "cabl".into())]);
        assert_eq!(tokens("4GB"), [(0, "4gb".into()), (0, "4".into()), (1, "gb".into())]);
    }

    #[test]
    fn words_are_folded_stemmed_and_cut_at_signs() {
        assert_eq!(terms("Crème BRÛLÉE, Batteries (AA/AAA)"), ["crem", "brulee", "battery", "aa", "aaa"]);
        assert_eq!(
            terms("43.2 cm (17\") Intel® Core™"),
            ["43.2", "cm", "17", "intel", "core"].map(|term| if term == "core" { "cor" } else { term })
        );
        assert_eq!(terms("Children's toys - new!"), ["children", "toy", "new"]);
        assert!(terms(" - . ' ").is_empty());
    }

    #[test]
    fn the_length_of_what_is_cut_is_bounded() {
        assert!(terms(&"x".repeat(1_000)).is_empty());
        assert!(terms(&"wort ".repeat(200_000)).len() <= TEXT_BYTES_MAX / 5 + 1);
    }
}
