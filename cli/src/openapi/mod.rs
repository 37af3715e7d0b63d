//! Routes from an `OpenAPI` document: `paths`, `security` and `securitySchemes` become a configuration.
//!
//! 1. JSON or YAML, `OpenAPI` 3.0 or 3.1. References inside the document are followed, others are not.
//! 2. `apiKey` becomes `api_key`; bearer tokens, OAuth 2.0 and `OpenID` Connect become `jwt` with their scopes; `{}`, an
//!    empty list and no declaration at all become `anonymous`, as `OpenAPI` defines them, and are named in the notes.
//! 3. What cannot be said in a route is left out or made stricter, and named in the notes. Nothing is widened: a `security`
//!    of another shape than the specification gives it opens nothing.
//! 4. What the document does not say, such as the audience of its tokens, is filled with names that open nothing and
//!    marked `replace`.

mod document;
mod routes;
mod security;
mod write;

#[cfg(test)]
mod tests;

use self::{document::Doc, routes::Routes, security::Schemes};

/// The longest document that is read, in bytes.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// What was made of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The configuration, with comments.
    pub toml: String,
    /// What was left out, changed or opened, a line each.
    pub notes: Vec<String>,
}

/// Why a document cannot be imported at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The text is too long.
    #[error("the document is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// The text is neither JSON nor YAML.
    #[error("the document is not valid {language}: {message}")]
    Syntax {
        /// What the text was taken for.
        language: &'static str,
        /// What the parser says.
        message: String,
    },
    /// The document is something else, or of a version that is not read.
    #[error("the document must be OpenAPI 3.0 or 3.1, found {found}; convert older ones first")]
    Version {
        /// What the document says it is.
        found: String,
    },
    /// There is nothing to import.
    #[error("no route of the document can be imported{}", because(.notes))]
    Empty {
        /// Why not, route by route.
        notes: Vec<String>,
    },
}

fn because(notes: &[String]) -> String {
    match notes.first() {
        Some(first) => format!("; the first: {first}"),
        None => ": it has no paths".to_owned(),
    }
}

/// Imports an `OpenAPI` document.
///
/// # Errors
/// When the text cannot be read, is no `OpenAPI` 3 document, or holds no route that can be imported.
pub fn import(text: &str) -> Result<Import, ImportError> {
    if text.len() > MAX_BYTES {
        return Err(ImportError::TooLong);
    }
    let document = Doc::parse(text)?;
    check_version(&document)?;
    let schemes = Schemes::of(&document);
    let routes = Routes::of(&document, &schemes);
    if routes.imported.is_empty() {
        let notes = routes.notes;
        return Err(ImportError::Empty { notes });
    }
    let mut notes = routes.notes;
    notes.extend(base_path(&document));
    let toml = write::toml(&document, &schemes, &routes.imported, &notes);
    Ok(Import { toml, notes })
}

fn check_version(document: &Doc) -> Result<(), ImportError> {
    let found = match (document.member("openapi"), document.member("swagger")) {
        (Some(Doc::Text(version)), _)
            if version.starts_with("3.0") || version.starts_with("3.1") =>
        {
            return Ok(());
        }
        (Some(Doc::Text(version)), _) => format!("`{version}`"),
        (Some(_), _) => "a version that is not text".to_owned(),
        (None, Some(_)) => "Swagger 2.0".to_owned(),
        (None, None) => "no `openapi` member".to_owned(),
    };
    Err(ImportError::Version { found })
}

/// Paths of a document are relative to its servers; routes are relative to the stage.
fn base_path(document: &Doc) -> Option<String> {
    let server = document.member("servers")?.items().first()?;
    let url = server.member("url")?.text()?;
    let after_host = url.split_once("://").map_or(url, |(_, rest)| {
        rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("")
    });
    let path = after_host.trim_end_matches('/');
    (!path.is_empty()).then(|| {
        format!(
            "the server has the path `{path}`; routes begin behind the stage and a base path mapping: where the API itself has `{path}` as a resource, put it before every route"
        )
    })
}
