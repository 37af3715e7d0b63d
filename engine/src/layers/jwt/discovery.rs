//! Finding the address of a key set in the metadata of its issuer.

use super::{
    json::{Object, Value},
    shown::shown,
    source::{FetchError, KeySetSource, Origin},
};

/// The address of the key set that the metadata of `issuer` names. `OpenID` Connect Discovery 1.0 section 4 is tried
/// first, then RFC 8414 section 3; the errors of both are told.
pub(super) async fn discover(
    source: &dyn KeySetSource,
    issuer: &str,
    origin: Origin,
) -> Result<String, FetchError> {
    let [openid, oauth] = metadata_addresses(issuer);
    let first = match key_set_address(source, &openid, issuer, origin).await {
        Ok(address) => return Ok(address),
        // An address that is forbidden does not become better under another path.
        Err(error @ FetchError::Forbidden(..)) => return Err(error),
        Err(error) => error,
    };
    key_set_address(source, &oauth, issuer, origin)
        .await
        .map_err(|second| match second {
            FetchError::Failed(url, why) => {
                FetchError::Failed(url, format!("{why}; before that, {first}"))
            }
            forbidden @ FetchError::Forbidden(..) => forbidden,
        })
}

/// `{issuer}/.well-known/openid-configuration`, and the well-known part of RFC 8414 between host and path. A slash at
/// the end of the issuer goes away first.
fn metadata_addresses(issuer: &str) -> [String; 2] {
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    let (scheme, rest) = base.split_once("://").unwrap_or(("https", base));
    let (host, path) = match rest.split_once('/') {
        Some((host, path)) => (host, format!("/{path}")),
        None => (rest, String::new()),
    };
    [
        format!("{base}/.well-known/openid-configuration"),
        format!("{scheme}://{host}/.well-known/oauth-authorization-server{path}"),
    ]
}

async fn key_set_address(
    source: &dyn KeySetSource,
    url: &str,
    issuer: &str,
    origin: Origin,
) -> Result<String, FetchError> {
    let failed = |why: String| FetchError::Failed(url.to_owned(), why);
    let fetched = source.fetch(url, origin).await?;
    let metadata = Object::document(&fetched.body).map_err(failed)?;
    // RFC 8414 section 3.3: whoever answers must speak for exactly the issuer that was asked for.
    match metadata.get("issuer").and_then(Value::as_text) {
        Some(named) if named == issuer => {}
        Some(other) => {
            return Err(failed(format!(
                "it describes the issuer {}, not {}",
                shown(other),
                shown(issuer)
            )));
        }
        None => return Err(failed("it names no `issuer`".to_owned())),
    }
    let address = metadata
        .get("jwks_uri")
        .and_then(Value::as_text)
        .ok_or_else(|| failed("it names no `jwks_uri`".to_owned()))?;
    if origin == Origin::Public && !address.starts_with("https://") {
        return Err(FetchError::Forbidden(
            shown(address),
            "`jwks_uri` of the metadata is not https",
        ));
    }
    Ok(address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_the_well_known_part_where_each_standard_wants_it() {
        assert_eq!(
            metadata_addresses("https://a.example/t/1/"),
            [
                "https://a.example/t/1/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server/t/1",
            ]
        );
        assert_eq!(
            metadata_addresses("https://a.example"),
            [
                "https://a.example/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server",
            ]
        );
    }
}
