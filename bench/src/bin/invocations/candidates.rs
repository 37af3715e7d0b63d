//! What is compared.

use std::{fmt::Write as _, path::Path};

use doorward_backends::dynamodb::TableNames;

use crate::credentials::{DENIED, ISSUER};

/// A program that answers events.
pub(crate) struct Candidate {
    /// Its name in results.
    pub(crate) name: &'static str,
    pub(crate) command: Vec<String>,
    pub(crate) variables: Vec<(String, String)>,
    /// Whether it looks at the event at all.
    pub(crate) decides: bool,
}

/// The name of the floor.
pub(crate) const CONSTANT: &str = "constant";
pub(crate) const DOORWARD: &str = "doorward";
/// Doorward with 500 routes.
pub(crate) const LARGE: &str = "large, 500 routes";

/// All of them, the floor first.
///
/// # Errors
/// Names what is missing.
pub(crate) fn all(
    root: &Path,
    authorizer: Option<&str>,
    (dynamo, tables): (&str, &TableNames),
    key_set: &str,
) -> anyhow::Result<Vec<Candidate>> {
    let at = |path: &str| root.join(path).display().to_string();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let peer = vec![
        pair("ISSUER", ISSUER),
        pair("KEY_SET", key_set),
        pair("KEYS_TABLE", &tables.keys),
        pair("DENIED_ADDRESS", DENIED),
        pair("AWS_ENDPOINT_URL_DYNAMODB", dynamo),
        pair("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let doorward = |routes: usize| {
        vec![
            pair("DOORWARD_CONFIG", &configuration(routes)),
            pair("DOORWARD_KEYS_TABLE", &tables.keys),
            pair("DOORWARD_COUNTERS_TABLE", &tables.counters),
            pair("AWS_ENDPOINT_URL_DYNAMODB", dynamo),
        ]
    };
    let deployed = || at("target/lambda/authorizer/bootstrap");
    let authorizer = vec![authorizer.map_or_else(deployed, str::to_owned)];
    let candidates = [
        (
            CONSTANT,
            vec![at("target/lambda/constant/bootstrap")],
            vec![],
            false,
        ),
        (DOORWARD, authorizer.clone(), doorward(10), true),
        (LARGE, authorizer, doorward(500), true),
        (
            "Node, aws-jwt-verify",
            vec!["node".to_owned(), at("bench/peers/node/runtime.mjs")],
            peer.clone(),
            true,
        ),
        (
            "Python, PyJWT",
            vec![
                at("bench/peers/python/.venv/bin/python"),
                at("bench/peers/python/authorizer.py"),
            ],
            peer,
            true,
        ),
    ];
    let parts = candidates.iter().flat_map(|(_, command, ..)| command);
    if let Some(missing) = parts
        .filter(|part| part.starts_with('/'))
        .find(|part| !Path::new(part).exists())
    {
        anyhow::bail!("`{missing}` is not there: bench/run makes it");
    }
    let candidates = candidates
        .into_iter()
        .map(|(name, command, variables, decides)| Candidate {
            name,
            command,
            variables,
            decides,
        });
    Ok(candidates.collect())
}

/// Two issuers, keys, an address list and so many routes.
fn configuration(routes: usize) -> String {
    let mut text = format!(
        "[api_keys]\nprefix = 'ck'\nenvironments = ['live']\n\
         [addresses]\ndeny = ['{DENIED}']\n\
         [[issuers]]\nname = 'first'\nissuer = '{ISSUER}'\njwks_uri = 'http://$LAMBDA/keys'\ndanger_allow_http = true\n\
         algorithms = ['RS256', 'ES256']\naudiences = ['api']\n\
         [[issuers]]\nname = 'second'\nissuer = 'http://second.test'\njwks_uri = 'http://$LAMBDA/keys'\ndanger_allow_http = true\n\
         algorithms = ['RS256']\naudiences = ['api']\n\
         [[routes]]\nroute = 'GET /orders/{{id}}'\ncredentials = ['jwt', 'api_key']\nscopes = ['orders:read']\n"
    );
    for number in 1..routes {
        // Writing to a text does not fail.
        let _ = write!(
            text,
            "[[routes]]\nroute = 'GET /things-{number}/{{id}}'\ncredentials = ['jwt', 'api_key']\nscopes = ['things:{number}']\n"
        );
    }
    text
}
