//! English words without their endings of number and tense: `batteries` → `battery`, `gaming` and `games` → `gam`.
//!
//! Only inflection is taken away, as in the first steps of Porter's algorithm (1980): in a catalogue a `printer` is not `printing`,
//! and `wireless` not `wire`.

/// Words that only look inflected.
const AS_THEY_ARE: [&str; 22] = [
    "always",
    "atlas",
    "bias",
    "bus",
    "canvas",
    "ceiling",
    "chassis",
    "christmas",
    "clothing",
    "corsair",
    "earring",
    "gas",
    "glasses",
    "ios",
    "lens",
    "news",
    "plus",
    "rings",
    "series",
    "species",
    "windows",
    "wings",
];

/// Cuts `word`, which is lower case, to its stem.
pub(crate) fn stem(word: &mut String) {
    if word.len() <= 3 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) || AS_THEY_ARE.contains(&word.as_str()) {
        return;
    }
    plural(word);
    if AS_THEY_ARE.contains(&word.as_str()) {
        return;
    }
    tense(word);
    // `case` and `cases`, `charge` and `charging`, `headache` and `headaches` meet without the `e`.
    if word.len() > 3 && word.ends_with('e') && !word.ends_with("ee") && has_vowel(&word[..word.len() - 1]) {
        word.pop();
    }
}

fn plural(word: &mut String) {
    if !word.ends_with('s') || ["ss", "us", "is"].iter().any(|ending| word.ends_with(ending)) {
        return;
    }
    let length = word.len();
    if word.ends_with("ies") {
        // `ties` → `tie`, `batteries` → `battery`.
        word.truncate(if length == 4 { 3 } else { length - 3 });
        if length > 4 {
            word.push('y');
        }
    } else if ["sses", "xes", "ches", "shes", "zzes"].iter().any(|ending| word.ends_with(ending)) {
        word.truncate(length - 2);
    } else {
        word.truncate(length - 1);
    }
}

fn tense(word: &mut String) {
    let cut = if word.ends_with("ing") {
        3
    } else if word.ends_with("ed") && !word.ends_with("eed") {
        2
    } else {
        return;
    };
    let stem = &word[..word.len() - cut];
    if stem.len() < 3 || !has_vowel(stem) {
        return;
    }
    word.truncate(word.len() - cut);
    let bytes = word.as_bytes();
    let [.., before, last] = bytes else { return };
    // `scanned` → `scan`, but `rolling` → `roll`, `pressed` → `press`.
    if before == last && !b"aeioulsz".contains(last) {
        word.pop();
    }
}

fn has_vowel(text: &str) -> bool {
    text.bytes().any(|byte| b"aeiouy".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::stem;

    fn stemmed(word: &str) -> String {
        let mut word = word.to_owned();
        stem(&mut word);
        word
    }

    #[test]
    fn forms_of_a_word_meet() {
        for forms in [
            &["battery", "batteries"][..],
            &["headphone", "headphones"],
            &["game", "games", "gaming", "gamed"],
            &["case", "cases"],
            &["switch", "switches", "switching", "switched"],
            &["watch", "watches"],
            &["headache", "headaches"],
            &["charge", "charging", "charged"],
            &["scan", "scanning", "scanned", "scans"],
            &["tie", "ties"],
            &["box", "boxes"],
            &["lens", "lenses"],
            &["print", "printing", "printed", "prints"],
        ] {
            let stems: Vec<String> = forms.iter().map(|form| stemmed(form)).collect();
            assert!(stems.iter().all(|stem| *stem == stems[0]), "{forms:?} became {stems:?}");
        }
    }

    #[test]
    fn different_words_stay_apart_and_short_ones_whole() {
        for (one, other) in [
            ("printer", "printing"),
            ("wireless", "wire"),
            ("glass", "glasses"),
            ("windows", "window"),
            ("earrings", "ears"),
            ("bus", "bu"),
        ] {
            assert_ne!(stemmed(one), stemmed(other), "{one}, {other}");
        }
        for word in ["led", "usb", "king", "string", "speed", "bed", "ps4s", "wireless", "chassis", "ssd"] {
            assert_eq!(stemmed(word), word);
        }
    }
}
