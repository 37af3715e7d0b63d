//! From `paths` to routes.

use std::collections::{BTreeMap, BTreeSet};

use doorward_engine::routes::{Segment, Template};

use super::{
    document::Doc,
    security::{Opening, Schemes},
};

/// The operations of a path item, and the methods of a route.
const OPERATIONS: [(&str, &str); 8] = [
    ("get", "GET"),
    ("put", "PUT"),
    ("post", "POST"),
    ("delete", "DELETE"),
    ("options", "OPTIONS"),
    ("head", "HEAD"),
    ("patch", "PATCH"),
    ("x-amazon-apigateway-any-method", "ANY"),
];

/// One route of the document.
#[derive(Debug)]
pub(super) struct Imported {
    pub(super) route: String,
    pub(super) name: Option<String>,
    pub(super) comments: Vec<String>,
    pub(super) opening: Opening,
}

/// The routes of a document, and what could not be imported.
#[derive(Debug, Default)]
pub(super) struct Routes {
    pub(super) imported: Vec<Imported>,
    pub(super) notes: Vec<String>,
    seen: BTreeSet<String>,
    names: BTreeSet<String>,
    /// Templates by shape: API Gateway wants one name for one parameter.
    shapes: BTreeMap<String, Template>,
}

impl Routes {
    pub(super) fn of(document: &Doc, schemes: &Schemes) -> Self {
        let mut routes = Self::default();
        let paths = document.member("paths").into_iter().flat_map(Doc::members);
        for (path, item) in paths.filter(|(path, _)| !path.starts_with("x-")) {
            let Some(item) = document.resolve(item) else {
                routes.note(path, "refers to another document");
                continue;
            };
            let (template, changes) = match template(path) {
                Ok(read) => read,
                Err(why) => {
                    routes.note(path, &why);
                    continue;
                }
            };
            let template = routes
                .shapes
                .entry(template.shape())
                .or_insert(template)
                .clone();
            if item.member("trace").is_some() {
                routes.note(
                    &format!("TRACE {path}"),
                    "is a method that no route may name",
                );
            }
            for (operation, method) in OPERATIONS {
                if let Some(operation) = item.member(operation) {
                    let route = format!("{method} {template}");
                    routes.add(route, operation, document, schemes, &changes);
                }
            }
        }
        routes
    }

    fn add(
        &mut self,
        route: String,
        operation: &Doc,
        document: &Doc,
        schemes: &Schemes,
        changes: &[String],
    ) {
        if !self.seen.insert(route.clone()) {
            self.note(
                &route,
                "is there twice, once with another spelling of its path",
            );
            return;
        }
        let declared = operation
            .member("security")
            .or_else(|| document.member("security"));
        let nothing = Doc::List(vec![]);
        let opening = match schemes.opening(declared.unwrap_or(&nothing)) {
            Ok(opening) => opening,
            Err(why) => {
                self.note(&route, &why);
                return;
            }
        };
        let mut comments: Vec<String> = changes.to_vec();
        comments.extend(opening.notes.iter().cloned());
        let is_open = opening.credentials.iter().any(|words| words == "anonymous");
        if is_open {
            let comment = match declared {
                None => "the document declares no security here: open to everybody",
                Some(_) => "open to callers without credentials, as its `security` says",
            };
            comments.push(comment.to_owned());
        }
        for comment in &comments {
            self.notes.push(format!("`{route}`: {comment}"));
        }
        let name = self.name(operation);
        self.imported.push(Imported {
            route,
            name,
            comments,
            opening,
        });
    }

    fn name(&mut self, operation: &Doc) -> Option<String> {
        let id = operation.member("operationId")?.text()?;
        let fits = (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
        (fits && self.names.insert(id.to_owned())).then(|| id.to_owned())
    }

    fn note(&mut self, what: &str, why: &str) {
        self.notes.push(format!("`{what}` is not imported: {why}"));
    }
}

/// The template of a path, and what was changed in it.
fn template(path: &str) -> Result<(Template, Vec<String>), String> {
    let mut changes = vec![];
    let trimmed = match path.strip_suffix('/') {
        Some(rest) if !rest.is_empty() => {
            changes.push(
                "the slash at the end of the path is left out; both spellings are one route"
                    .to_owned(),
            );
            rest
        }
        _ => path,
    };
    let renamed: Vec<String> = trimmed.split('/').map(segment).collect();
    let renamed = renamed.join("/");
    if renamed != trimmed {
        changes.push("parameters are named in letters, digits and `_`".to_owned());
    }
    let template = Template::parse(&renamed)?;
    let takes_rest = template
        .segments
        .iter()
        .any(|segment| matches!(segment, Segment::Greedy(_)));
    if takes_rest {
        changes.push("the last parameter takes all that follows".to_owned());
    }
    Ok((template, changes))
}

/// A segment with its parameter named as a route wants it; `OpenAPI` allows any text between the braces.
fn segment(segment: &str) -> String {
    let inner = segment
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    let Some(inner) = inner.filter(|inner| !inner.contains(['{', '}'])) else {
        return segment.to_owned();
    };
    let (name, plus) = match inner.strip_suffix('+') {
        Some(name) => (name, "+"),
        None => (inner, ""),
    };
    let name: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    format!("{{{name}{plus}}}")
}
