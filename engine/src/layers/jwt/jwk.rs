//! One entry of a key set (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2): a signing key that is fit for
//! use, or the reason why it is not.

use aws_lc_rs::signature::ParsedPublicKey;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    algorithm::{Algorithm, Curve, Material},
    header::MAX_KEY_ID,
    json::{Object, Value},
};

const MIN_RSA_BITS: usize = 2048;
const MAX_RSA_BITS: usize = 8192;
/// Larger exponents exist on paper only and make every check slow.
const MAX_RSA_EXPONENT_BYTES: usize = 4;

/// A public key with its parsed form for each algorithm it may be used with.
#[derive(Debug)]
pub(in crate::layers) struct Key {
    pub(in crate::layers) id: Option<String>,
    pub(in crate::layers) material: Material,
    // INVARIANT: not empty, every algorithm fits the material and is on the list of the issuer.
    verifiers: Vec<(Algorithm, ParsedPublicKey)>,
}

impl Key {
    /// Reads an entry for an issuer that uses `algorithms`.
    pub(in crate::layers) fn parse(
        entry: &Object<'_>,
        algorithms: &[Algorithm],
    ) -> Result<Self, &'static str> {
        let id = key_id(entry)?;
        let stated = intended_use(entry)?;
        let material = material(entry)?;
        let verifiers: Vec<_> = algorithms
            .iter()
            .filter(|algorithm| stated.is_none_or(|stated| stated == **algorithm))
            .filter_map(|algorithm| Some((*algorithm, algorithm.parse(&material)?)))
            .collect();
        if verifiers.is_empty() {
            return Err("fits none of the `algorithms` of the issuer, or its numbers are no key");
        }
        Ok(Self {
            id,
            material,
            verifiers,
        })
    }

    /// The parsed key for `algorithm`, if this key may be used with it.
    pub(in crate::layers) fn verifier(&self, algorithm: Algorithm) -> Option<&ParsedPublicKey> {
        self.verifiers
            .iter()
            .find_map(|(fits, verifier)| (*fits == algorithm).then_some(verifier))
    }

    /// Takes over the algorithms of the same key published twice.
    pub(in crate::layers) fn absorb(&mut self, twin: Self) {
        for (algorithm, verifier) in twin.verifiers {
            if self.verifier(algorithm).is_none() {
                self.verifiers.push((algorithm, verifier));
            }
        }
    }

    /// Whether the other key is the same, for the same uses.
    pub(in crate::layers) fn is_same(&self, other: &Self) -> bool {
        let algorithms = |key: &Self| key.verifiers.iter().map(|(a, _)| *a).collect::<Vec<_>>();
        self.id == other.id
            && self.material == other.material
            && algorithms(self) == algorithms(other)
    }
}

/// Reads `kid`: absent, or text of bounded length.
pub(in crate::layers) fn key_id(entry: &Object<'_>) -> Result<Option<String>, &'static str> {
    match entry.get("kid") {
        None => Ok(None),
        Some(Value::Text(id)) if id.len() <= MAX_KEY_ID => Ok(Some(id.clone().into_owned())),
        Some(_) => Err("`kid` is not text, or too long"),
    }
}

/// Checks that the entry is meant for verifying signatures, and reads the algorithm it is bound to, if any.
fn intended_use(entry: &Object<'_>) -> Result<Option<Algorithm>, &'static str> {
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        if entry.has(private) {
            return Err("holds private members; a published key that does is nobody's secret");
        }
    }
    match entry.get("use") {
        None => {}
        Some(Value::Text(sig)) if sig == "sig" => {}
        Some(_) => return Err("`use` is not `sig`"),
    }
    match entry.get("key_ops") {
        None => {}
        Some(Value::List(operations))
            if operations.iter().any(|o| o.as_text() == Some("verify")) => {}
        Some(_) => return Err("`key_ops` is without `verify`"),
    }
    match entry.get("alg") {
        None => Ok(None),
        Some(Value::Text(name)) => Algorithm::named(name)
            .map(Some)
            .ok_or("`alg` is not an algorithm for signatures with public keys"),
        Some(_) => Err("`alg` is not text"),
    }
}

fn material(entry: &Object<'_>) -> Result<Material, &'static str> {
    let curve = entry.get("crv").and_then(Value::as_text);
    match entry.get("kty").and_then(Value::as_text) {
        Some("RSA") => rsa(entry),
        Some("EC") => {
            let curve = curve
                .and_then(Curve::named)
                .ok_or("`crv` is not P-256, P-384 or P-521")?;
            // RFC 7518 section 6.2.1.2: coordinates have full length, leading zeros included.
            let mut point = vec![4];
            for name in ["x", "y"] {
                let coordinate = bytes(entry, name)?;
                if coordinate.len() != curve.coordinate_bytes() {
                    return Err("`x` or `y` has not the length that the curve asks for");
                }
                point.extend(coordinate);
            }
            Ok(Material::Ec { curve, point })
        }
        Some("OKP") => {
            if curve != Some("Ed25519") {
                return Err("`crv` is not Ed25519");
            }
            let public = bytes(entry, "x")?;
            if public.len() != 32 {
                return Err("`x` is not 32 bytes long");
            }
            Ok(Material::Ed25519(public))
        }
        _ => Err("`kty` is not RSA, EC or OKP"),
    }
}

fn rsa(entry: &Object<'_>) -> Result<Material, &'static str> {
    // Some issuers put a zero byte before the modulus (RFC 7518 section 6.3.1.1 warns of it); it changes nothing.
    let modulus = without_leading_zeros(bytes(entry, "n")?);
    let exponent = without_leading_zeros(bytes(entry, "e")?);
    let bits = modulus.first().map_or(0, |first| {
        modulus.len() * 8 - first.leading_zeros() as usize
    });
    if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
        return Err("an RSA key needs 2048 to 8192 bits");
    }
    let odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    let sane = odd(&exponent) && exponent != [1] && exponent.len() <= MAX_RSA_EXPONENT_BYTES;
    if !odd(&modulus) || !sane {
        return Err("an RSA key needs an odd modulus and an odd exponent above 1, at most 32 bits");
    }
    Ok(Material::Rsa { modulus, exponent })
}

fn bytes(entry: &Object<'_>, name: &str) -> Result<Vec<u8>, &'static str> {
    let text = entry
        .get(name)
        .and_then(Value::as_text)
        .ok_or("a member that the key type needs is missing")?;
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| "a member is not canonical base64url")
}

fn without_leading_zeros(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
}
