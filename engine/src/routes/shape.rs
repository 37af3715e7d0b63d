//! The algebra of templates: which paths two of them share, and which of them wins there.
//!
//! A [`Shape`] is a template without its parameter names. It stands for two sets of paths: the ones it *matches*, where a
//! piece takes one segment and the last piece of an open shape one or more; and the ones its *glob* covers, where every
//! wild piece takes one or more segments, because `*` in an IAM resource crosses slashes.

use std::{cmp::Ordering, sync::Arc};

use super::{Segment, Template};

/// One piece of a [`Shape`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Piece {
    /// A segment with this text.
    Literal(Arc<str>),
    /// Any segment.
    Wild,
}

/// A template without names. The last piece of an open shape is wild.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Shape {
    pieces: Vec<Piece>,
    open: bool,
}

impl Shape {
    /// The shape that matches every path but `/`.
    pub(crate) fn everything() -> Self {
        Self {
            pieces: vec![Piece::Wild],
            open: true,
        }
    }

    /// The shape of `template`.
    pub(crate) fn of(template: &Template) -> Self {
        let piece = |segment: &Segment| match segment {
            Segment::Literal(text) => Piece::Literal(Arc::from(text.as_str())),
            Segment::Param(_) | Segment::Greedy(_) => Piece::Wild,
        };
        Self {
            pieces: template.segments.iter().map(piece).collect(),
            open: matches!(template.segments.last(), Some(Segment::Greedy(_))),
        }
    }

    /// Everything below the literal pieces `prefix`.
    pub(crate) fn below(prefix: &[Piece]) -> Self {
        let mut pieces = prefix.to_vec();
        pieces.push(Piece::Wild);
        Self { pieces, open: true }
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    pub(crate) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether the last piece takes one or more segments.
    pub(crate) const fn is_open(&self) -> bool {
        self.open
    }

    pub(crate) fn is_wild(&self) -> bool {
        self.pieces.contains(&Piece::Wild)
    }

    pub(crate) fn ends_wild(&self) -> bool {
        self.pieces.last() == Some(&Piece::Wild)
    }

    /// Of two shapes that match one path, the lesser wins there: at the leftmost piece where they differ in kind, a literal
    /// goes before a parameter and a parameter before an open end.
    pub(crate) fn precedence(&self, other: &Self) -> Ordering {
        self.kinds().cmp(other.kinds())
    }

    fn kinds(&self) -> impl Iterator<Item = u8> + '_ {
        let last = self.len().saturating_sub(1);
        self.pieces
            .iter()
            .enumerate()
            .map(move |(i, piece)| match piece {
                Piece::Literal(_) => 0,
                Piece::Wild if self.open && i == last => 2,
                Piece::Wild => 1,
            })
    }

    /// The paths that both match, as a shape; `None` when there are none.
    pub(crate) fn meet(&self, other: &Self) -> Option<Self> {
        let (short, long) = if self.len() <= other.len() {
            (self, other)
        } else {
            (other, self)
        };
        if short.len() < long.len() && !short.open {
            return None;
        }
        let mut pieces = Vec::with_capacity(long.len());
        for (i, piece) in long.pieces.iter().enumerate() {
            pieces.push(match (piece, short.pieces.get(i)) {
                (piece, None | Some(Piece::Wild)) | (Piece::Wild, Some(piece)) => piece.clone(),
                (Piece::Literal(a), Some(Piece::Literal(b))) if a == b => piece.clone(),
                (Piece::Literal(_), Some(Piece::Literal(_))) => return None,
            });
        }
        let open = match short.len().cmp(&long.len()) {
            Ordering::Less => long.open,
            _ => short.open && long.open,
        };
        Some(Self { pieces, open })
    }

    /// Whether every path that `other` matches is matched here as well.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let lengths_fit = if self.open {
            other.len() >= self.len()
        } else {
            other.len() == self.len() && !other.open
        };
        let mut pairs = self.pieces.iter().zip(&other.pieces);
        lengths_fit && pairs.all(|(mine, its)| *mine == Piece::Wild || mine == its)
    }

    /// Whether the glob covers every path that `other` matches. May say no where the answer is yes.
    pub(crate) fn glob_covers(&self, other: &Self) -> bool {
        // `at[i]`: the pieces before `i`, wild ones stretched, are laid over what was read so far.
        let mut at = vec![false; self.len().saturating_add(1)];
        if let Some(first) = at.first_mut() {
            *first = true;
        }
        for piece in &other.pieces {
            let mut next = vec![false; at.len()];
            for (i, mine) in self.pieces.iter().enumerate() {
                let begins = at.get(i) == Some(&true);
                let goes_on = *mine == Piece::Wild && at.get(i.saturating_add(1)) == Some(&true);
                let fits = *mine == Piece::Wild || mine == piece;
                if let Some(slot) = next.get_mut(i.saturating_add(1)) {
                    *slot = fits && (begins || goes_on);
                }
            }
            at = next;
        }
        // Where `other` is open its last piece is wild, so it lies under a wild piece here, which takes the rest.
        at.last() == Some(&true)
    }

    /// The shape that matches, behind its other pieces, all that a wildcard at the end of its glob covers.
    pub(crate) fn opened(&self) -> Self {
        Self {
            pieces: self.pieces.clone(),
            open: self.ends_wild(),
        }
    }

    /// The shapes that take one segment more under the same glob: each run of wild pieces is stretched once. A run that
    /// reaches the open end takes any number already.
    pub(crate) fn stretched(&self) -> Vec<Self> {
        let mut longer = Vec::new();
        for (i, piece) in self.pieces.iter().enumerate() {
            let before = i.checked_sub(1).and_then(|i| self.pieces.get(i));
            let begins_run = *piece == Piece::Wild && before != Some(&Piece::Wild);
            let to_the_end = self.pieces.iter().skip(i).all(|p| *p == Piece::Wild);
            if begins_run && !(self.open && to_the_end) {
                let mut pieces = self.pieces.clone();
                pieces.insert(i, Piece::Wild);
                longer.push(Self {
                    pieces,
                    open: self.open,
                });
            }
        }
        longer
    }

    /// The longest run of wild pieces.
    pub(crate) fn longest_run(&self) -> usize {
        let runs = self.pieces.split(|piece| *piece != Piece::Wild);
        runs.map(<[Piece]>::len).max().unwrap_or(0)
    }

    /// The resource for `verb`: wild pieces take at least one character, and any number of slashes.
    pub(crate) fn glob(&self, verb: &str) -> String {
        let mut text = String::with_capacity(64);
        text.push_str(verb);
        if self.pieces.is_empty() {
            text.push('/');
        }
        for piece in &self.pieces {
            text.push('/');
            text.push_str(match piece {
                Piece::Literal(literal) => literal,
                Piece::Wild => "?*",
            });
        }
        text
    }
}
