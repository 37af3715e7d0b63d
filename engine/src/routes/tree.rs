//! The shapes of a table as a tree, to find those that a glob reaches without looking at all of them.

use std::{collections::BTreeMap, sync::Arc};

use super::shape::{Piece, Shape};

/// The most segments that a template may have: the reach of a glob is kept in one bit for each piece.
pub(crate) const MAX_SEGMENTS: usize = 100;

/// One segment of the tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    ends: Option<usize>,
    open: Option<usize>,
    wild: Option<Box<Node>>,
    literals: BTreeMap<Arc<str>, Node>,
}

impl Node {
    /// Puts `shape` in under `id`.
    pub(crate) fn insert(&mut self, shape: &Shape, id: usize) {
        let closed = shape.len().saturating_sub(usize::from(shape.is_open()));
        let mut node = self;
        for piece in shape.pieces().iter().take(closed) {
            node = match piece {
                Piece::Literal(text) => node.literals.entry(Arc::clone(text)).or_default(),
                Piece::Wild => node.wild.get_or_insert_default(),
            };
        }
        if shape.is_open() {
            node.open = Some(id);
        } else {
            node.ends = Some(id);
        }
    }

    /// The shapes that match a path which the glob of `shape` covers.
    pub(crate) fn under_glob(&self, shape: &Shape) -> Vec<usize> {
        let mut found = Vec::new();
        self.collect(&Glob(shape.pieces()), 1, &mut found);
        found.sort_unstable();
        found
    }

    /// `at` holds a bit for each number of pieces that can have been used up on the way to this node.
    fn collect(&self, glob: &Glob<'_>, at: u128, found: &mut Vec<usize>) {
        if at == 0 {
            return;
        }
        if glob.is_done(at) {
            found.extend(self.ends);
        }
        if glob.can_go_on(at) {
            found.extend(self.open);
        }
        if let Some(wild) = &self.wild {
            wild.collect(glob, glob.step(at, None), found);
        }
        match glob.only_literal(at) {
            Some(text) => {
                if let Some(node) = self.literals.get(text) {
                    node.collect(glob, glob.step(at, Some(text)), found);
                }
            }
            None => {
                for (text, node) in &self.literals {
                    node.collect(glob, glob.step(at, Some(text)), found);
                }
            }
        }
    }
}

/// Pieces of which the wild ones stretch.
struct Glob<'a>(&'a [Piece]);

impl Glob<'_> {
    fn bit(i: usize) -> u128 {
        u32::try_from(i)
            .ok()
            .and_then(|i| 1_u128.checked_shl(i))
            .unwrap_or(0)
    }

    fn is_done(&self, at: u128) -> bool {
        at & Self::bit(self.0.len()) != 0
    }

    /// Whether the rest can lie over one or more segments of any text.
    fn can_go_on(&self, at: u128) -> bool {
        at & !Self::bit(self.0.len()) != 0
            || self.is_done(at) && self.0.last() == Some(&Piece::Wild)
    }

    /// What is used up after one more segment: one with this text, or one that may have any.
    fn step(&self, at: u128, text: Option<&str>) -> u128 {
        let mut next = 0;
        for (i, piece) in self.0.iter().enumerate() {
            let after = Self::bit(i.saturating_add(1));
            let (fits, stretches) = match (piece, text) {
                (Piece::Wild, _) => (true, at & after != 0),
                (Piece::Literal(_), None) => (true, false),
                (Piece::Literal(mine), Some(text)) => (**mine == *text, false),
            };
            if fits && (at & Self::bit(i) != 0 || stretches) {
                next |= after;
            }
        }
        next
    }

    /// The text that the next segment must have, when there is but one way to go on.
    fn only_literal(&self, at: u128) -> Option<&str> {
        if at.count_ones() != 1 {
            return None;
        }
        let i = usize::try_from(at.trailing_zeros()).ok()?;
        let stretches = i
            .checked_sub(1)
            .is_some_and(|i| self.0.get(i) == Some(&Piece::Wild));
        match self.0.get(i) {
            Some(Piece::Literal(text)) if !stretches => Some(text),
            _ => None,
        }
    }
}
