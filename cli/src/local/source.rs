//! Where the configuration of a local gateway comes from.

use doorward_backends::sources::ConfigSource;
use doorward_engine::config::Checked;

use super::issuer::DemoKeys;
use crate::{caching, configuration::Document, exit::Failure};

/// The configuration of the demonstration.
pub const DEMO: &str = include_str!("demo.toml");
/// What stands for the address of the demo issuer in [`DEMO`].
const DEMO_ISSUER: &str = "${issuer}";
/// The audience in [`DEMO`] and of demo tokens.
pub const DEMO_AUDIENCE: &str = "https://api.demo.invalid";

/// The variable that holds a signing key for identity tokens in a [`Source::Text`], made for each run.
pub const DEMO_SIGNING_KEY: &str = "DOORWARD_SECRET_DEMO_SIGNING_KEY";

/// Where the configuration comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// [`DEMO`].
    Demo,
    /// A text. `${issuer}` in it is the address of the demo issuer, wherever it listens, and `env:` with
    /// [`DEMO_SIGNING_KEY`] a fresh key.
    Text(String),
    /// A file, or where a function has it.
    Named(ConfigSource),
}

impl Source {
    /// The text of the configuration, where the demo issuer listens at `issuer`.
    pub(super) async fn document(&self, issuer: &str) -> Result<Document, Failure> {
        Ok(match self {
            Self::Demo => Document::given(demo(issuer), &self.name()),
            Self::Text(text) => {
                let key = DemoKeys::signing_key().map_err(Failure::unavailable)?;
                Document::given(text.replace(DEMO_ISSUER, issuer), &self.name())
                    .with_variable(DEMO_SIGNING_KEY, key)
            }
            Self::Named(source) => Document::fetch(source.clone()).await?,
        })
    }

    /// What the user should know of a configuration of theirs, one line each.
    pub(super) fn warnings(&self, checked: &Checked) -> Vec<String> {
        match self {
            Self::Demo => vec![],
            Self::Text(_) | Self::Named(_) => {
                let name = self.name();
                let of_cache = caching::warnings(&checked.config);
                checked
                    .warnings
                    .iter()
                    .chain(&of_cache)
                    .map(|warning| warning.line(&name))
                    .collect()
            }
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Demo => "demo.toml".to_owned(),
            Self::Text(_) => "configuration".to_owned(),
            Self::Named(source) => source.to_string(),
        }
    }
}

/// [`DEMO`] with the issuer where it really is.
pub fn demo(issuer: &str) -> String {
    DEMO.replace(DEMO_ISSUER, issuer)
}

/// The lines that a configuration needs to trust the demo issuer at `issuer`.
pub fn trust_in_demo_issuer(issuer: &str) -> String {
    format!(
        "[[issuers]]\nname = \"demo\"\nissuer = \"{issuer}\"\nalgorithms = [\"ES256\", \"RS256\"]\n\
         audiences = [\"{DEMO_AUDIENCE}\"]\ndanger_allow_http = true"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_demonstration_has_no_fault_and_trusts_the_demo_issuer_where_it_is() {
        let document = Source::Demo.document("http://127.0.0.1:4321").await;
        let checked = document.unwrap().read().await.unwrap();
        let issuers: Vec<_> = checked
            .config
            .issuers
            .iter()
            .map(|issuer| format!("{issuer:?}"))
            .collect();
        assert!(
            issuers.len() == 1 && issuers[0].contains("http://127.0.0.1:4321"),
            "{issuers:?}"
        );
        assert!(!demo("http://127.0.0.1:4321").contains(DEMO_ISSUER));
    }

    #[tokio::test]
    async fn the_printed_lines_are_a_configuration() {
        let text = format!(
            "{}\n[[routes]]\nroute = \"GET /\"\ncredentials = [\"jwt\"]\n",
            trust_in_demo_issuer("http://127.0.0.1:1")
        );
        let document = Source::Text(text).document("").await.unwrap();
        document.read().await.unwrap();
    }
}
