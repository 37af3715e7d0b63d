//! All routes of a configuration, looked up by method and path.

use std::sync::OnceLock;

use matchit::Router;

use super::{
    METHODS, Methods, Place, Route,
    conflict::{Conflict, check},
    shape::{Piece, Shape},
    tree::Node,
};
use crate::request::{Located, path::NormalPath};

/// The routes of one shape: which of them answers which method.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) shape: Shape,
    /// For each of [`METHODS`] the index of the route that answers it.
    answers: [Option<usize>; METHODS.len()],
    under_glob: OnceLock<Box<[usize]>>,
}

impl Entry {
    /// The index of the route that answers the method with this index in [`METHODS`].
    pub(crate) fn answer(&self, method: usize) -> Option<usize> {
        self.answers.get(method).copied().flatten()
    }
}

/// All routes of a configuration. The order in which they are written does not matter:
///
/// 1. The path is matched first, segment by segment, letter case significant. Of the templates that match, a literal goes
///    before a parameter and a parameter before a greedy segment, at the leftmost place where they differ.
/// 2. Then the method: the route that names it, for `HEAD` otherwise the one for `GET`, otherwise the one for `ANY`. A
///    template without the method is no match, and no other template is tried after it.
/// 3. What matches nothing has no route, and is refused.
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    routes: Vec<Route>,
    /// Sorted by shape, so that neighbours share the longest prefixes.
    entries: Vec<Entry>,
    tree: Node,
    exact: Router<usize>,
    /// Templates with a greedy end by the number of segments before it: the router knows only what is before it.
    open: Vec<(usize, Router<usize>)>,
    connect: Option<usize>,
    graphql: Option<usize>,
}

impl RouteTable {
    /// A table of `routes`.
    ///
    /// # Errors
    /// The first [`Conflict`] between them.
    pub fn new(routes: Vec<Route>) -> Result<Self, Conflict> {
        let mut table = Self {
            routes: Vec::new(),
            entries: Vec::new(),
            tree: Node::default(),
            exact: Router::new(),
            open: Vec::new(),
            connect: None,
            graphql: None,
        };
        let mut placed: Vec<(Shape, &Methods, usize)> = Vec::new();
        for (index, route) in routes.iter().enumerate() {
            let single = match &route.place {
                Place::Http(methods, template) => {
                    check(route, methods, template)?;
                    placed.push((Shape::of(template), methods, index));
                    continue;
                }
                Place::Connect => &mut table.connect,
                Place::GraphQl => &mut table.graphql,
            };
            if let Some(first) = single.replace(index) {
                return Err(repeated(&routes, first, index));
            }
        }
        placed.sort_by(|a, b| (&a.0, a.2).cmp(&(&b.0, b.2)));
        for group in placed.chunk_by(|a, b| a.0 == b.0) {
            let answers = answers(&routes, group)?;
            if let Some((shape, _, index)) = group.first() {
                table
                    .add(shape, answers)
                    .ok_or_else(|| Conflict::Malformed {
                        route: key(&routes, *index),
                    })?;
            }
        }
        table.routes = routes;
        Ok(table)
    }

    fn add(&mut self, shape: &Shape, answers: [Option<usize>; METHODS.len()]) -> Option<()> {
        let id = self.entries.len();
        let before_end = shape.len().saturating_sub(usize::from(shape.is_open()));
        let router = if shape.is_open() {
            match self.open.iter().position(|(len, _)| *len == before_end) {
                Some(at) => &mut self.open.get_mut(at)?.1,
                None => &mut self.open.push_mut((before_end, Router::new())).1,
            }
        } else {
            &mut self.exact
        };
        router.insert(pattern(shape, before_end), id).ok()?;
        self.tree.insert(shape, id);
        self.entries.push(Entry {
            shape: shape.clone(),
            answers,
            under_glob: OnceLock::new(),
        });
        Some(())
    }

    /// The routes, in the order in which they were given.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The route that answers a request there.
    pub fn find(&self, located: &Located) -> Option<&Route> {
        let index = match located {
            Located::Http { verb, path } => {
                let method = METHODS.iter().position(|method| *method == verb.as_str())?;
                self.entry(self.entry_of(path)?)?.answer(method)
            }
            Located::Connect => self.connect,
            Located::GraphQl => self.graphql,
        };
        self.route(index?)
    }

    /// The entry whose shape wins on `path`, whatever the method.
    pub(crate) fn entry_of(&self, path: &NormalPath) -> Option<usize> {
        let at =
            |router: &Router<usize>, path: &str| router.at(path).ok().map(|found| *found.value);
        let open = self
            .open
            .iter()
            .filter_map(|(len, router)| at(router, path.before(*len)?));
        let found = at(&self.exact, path.as_str()).into_iter().chain(open);
        let shaped = found.filter_map(|id| self.entry(id).map(|entry| (id, &entry.shape)));
        shaped
            .min_by(|(_, a), (_, b)| a.precedence(b))
            .map(|(id, _)| id)
    }

    /// The route with this index.
    pub(crate) fn route(&self, index: usize) -> Option<&Route> {
        self.routes.get(index)
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn entry(&self, id: usize) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// The entries that match a path which the glob of entry `id` covers, itself among them.
    pub(crate) fn under_glob_of(&self, id: usize) -> &[usize] {
        self.entry(id).map_or(&[], |entry| {
            entry
                .under_glob
                .get_or_init(|| self.under_glob(&entry.shape).into())
        })
    }

    /// The entries that match a path which the glob of `shape` covers.
    pub(crate) fn under_glob(&self, shape: &Shape) -> Vec<usize> {
        self.tree.under_glob(shape)
    }
}

/// Which route answers which method on one shape.
fn answers(
    routes: &[Route],
    group: &[(Shape, &Methods, usize)],
) -> Result<[Option<usize>; METHODS.len()], Conflict> {
    let mut named = [None; METHODS.len()];
    let mut any = None;
    for (_, methods, index) in group {
        let slot = match methods {
            Methods::Any => Some(&mut any),
            Methods::One(name) => named
                .iter_mut()
                .zip(METHODS)
                .find_map(|(slot, method)| (method == *name).then_some(slot)),
        };
        if let Some(first) = slot.and_then(|slot| slot.replace(*index)) {
            return Err(repeated(routes, first, *index));
        }
    }
    let of = |name| {
        METHODS
            .iter()
            .zip(named)
            .find_map(|(m, slot)| slot.filter(|_| *m == name))
    };
    let mut all = named;
    for (slot, method) in all.iter_mut().zip(METHODS) {
        let for_head = (method == "HEAD").then(|| of("GET")).flatten();
        *slot = slot.or(for_head).or(any);
    }
    Ok(all)
}

/// The first `len` pieces in the syntax of the router. One node of its tree takes one name for a parameter, so the name is
/// the position.
fn pattern(shape: &Shape, len: usize) -> String {
    if len == 0 {
        return "/".to_owned();
    }
    let piece = |(i, piece): (usize, &Piece)| match piece {
        Piece::Literal(text) => format!("/{text}"),
        Piece::Wild => format!("/{{p{i}}}"),
    };
    shape
        .pieces()
        .iter()
        .take(len)
        .enumerate()
        .map(piece)
        .collect()
}

fn key(routes: &[Route], index: usize) -> String {
    routes
        .get(index)
        .map_or_else(String::new, |route| route.key.clone())
}

fn repeated(routes: &[Route], first: usize, second: usize) -> Conflict {
    Conflict::Repeated {
        first: key(routes, first),
        second: key(routes, second),
    }
}
