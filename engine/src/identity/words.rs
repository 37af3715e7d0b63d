//! Words of a credential, such as its scopes and roles.

use std::fmt;

/// Stands behind each word. No word holds it: claims with control characters are refused.
const END: char = '\n';

/// A set of words in one piece of memory: what is remembered of a token is made and thrown away with each of them.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Words(Box<str>);

impl Words {
    /// All of them, in the order of their bytes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.split_terminator(END)
    }

    /// Those of them that are to be kept.
    pub(crate) fn only(&self, is_kept: impl Fn(&str) -> bool) -> Self {
        Self::written(self.iter().filter(|word| is_kept(word)), self.0.len())
    }

    /// These, which are in order; at most so many bytes.
    fn written<'w>(words: impl Iterator<Item = &'w str>, bytes: usize) -> Self {
        let mut text = String::with_capacity(bytes);
        for word in words {
            text.push_str(word);
            text.push(END);
        }
        Self(text.into())
    }

    /// Whether `word` is one of them.
    pub(crate) fn contains(&self, word: &str) -> bool {
        self.iter().any(|one| one == word)
    }
}

/// What is empty is no word, and what holds [`END`] would be two: both are left out.
impl<T: AsRef<str> + Ord> FromIterator<T> for Words {
    fn from_iter<I: IntoIterator<Item = T>>(words: I) -> Self {
        let is_word = |word: &T| !word.as_ref().is_empty() && !word.as_ref().contains(END);
        let mut words: Vec<T> = words.into_iter().filter(is_word).collect();
        words.sort_unstable();
        words.dedup();
        let bytes = words
            .iter()
            .map(|word| word.as_ref().len().saturating_add(1));
        let bytes = bytes.sum();
        Self::written(words.iter().map(AsRef::as_ref), bytes)
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn leaves_out_what_is_no_word() {
        let words: Words = ["", "b", "a\nadmin", "b", "a"].into_iter().collect();
        assert_eq!(words.iter().collect::<Vec<_>>(), ["a", "b"]);
        assert!(!words.contains("admin") && !words.contains("") && !words.contains("a\nb"));
        assert_eq!(format!("{words:?}"), r#"{"a", "b"}"#);
        assert_eq!(Words::default().iter().count(), 0);
    }

    proptest! {
        #[test]
        fn is_a_set(words in prop::collection::vec("[a-c:]{1,3}", 0..8), asked in "[a-c:]{0,3}") {
            let (plain, set): (BTreeSet<_>, Words) = (words.iter().map(String::as_str).collect(), words.iter().collect());
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), plain.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(set.contains(&asked), plain.contains(asked.as_str()));
            let fewer = set.only(|word| word > asked.as_str());
            prop_assert_eq!(fewer, plain.into_iter().filter(|word| *word > asked.as_str()).collect());
        }
    }
}
