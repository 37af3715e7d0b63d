//! Name lookup that refuses names with addresses inside. The addresses it returns are the ones that are connected to, so
//! a name cannot change between the check and the use.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// A name resolves to an address that is not public.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the name resolves to an address that is not public")]
pub(super) struct RefusedAddress;

/// Resolves names whose addresses are all public.
#[derive(Clone, Copy, Debug)]
pub(super) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // Port 0 is replaced by the one of the address.
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One bad address refuses the name: which one is taken is nothing to rely on.
            if found.iter().all(|address| is_public(address.ip())) {
                Ok(Box::new(found.into_iter()) as Addrs)
            } else {
                Err(RefusedAddress.into())
            }
        })
    }
}
