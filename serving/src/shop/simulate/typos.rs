//! How people mistype: a letter left out, doubled, swapped with its neighbour, or the key beside it.

use rand::Rng;

const ROWS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// `word` with one mistake; short words stay as they are, since nobody could read them any more.
pub fn mistype(word: &str, random: &mut impl Rng) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    if letters.len() < 4 {
        return word.to_owned();
    }
    // First letters are seldom wrong.
    let at = random.random_range(1..letters.len());
    match random.random_range(0..4) {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, letters[at]),
        2 if at + 1 < letters.len() => letters.swap(at, at + 1),
        _ => letters[at] = neighbour(letters[at], random),
    }
    letters.into_iter().collect()
}

fn neighbour(letter: char, random: &mut impl Rng) -> char {
    let row = ROWS.iter().find(|row| row.contains(letter.to_ascii_lowercase()));
    let Some(row) = row else { return letter };
    let keys: Vec<char> = row.chars().collect();
    let at = keys.iter().position(|key| *key == letter.to_ascii_lowercase()).unwrap_or(0);
    let beside = if at == 0 || (at + 1 < keys.len() && random.random()) { at + 1 } else { at - 1 };
    keys[beside]
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn one_mistake_is_one_mistake() {
        let mut random = StdRng::seed_from_u64(1);
        let mut changed = 0;
        for _ in 0..200 {
            let typed = mistype("lantern", &mut random);
            let length = typed.chars().count();
            assert!((6..=8).contains(&length) && typed.starts_with('l'), "{typed}");
            changed += usize::from(typed != "lantern");
        }
        assert!(changed > 150, "{changed}");
        assert_eq!(mistype("mug", &mut random), "mug");
    }
}
