//! What the fields of commands may be, for the schema. The checks beside it are what counts; these say the same in regular
//! expressions (ECMA-262, as JSON Schema has them).

/// Neither white space nor a control character.
macro_rules! edge {
    () => {
        r"[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
    };
}

/// No control character.
macro_rules! inner {
    () => {
        r"[^\u0000-\u001f\u007f-\u009f]"
    };
}

/// 1 to 128 printable characters of ASCII, no space at the ends.
pub(crate) const PLAIN: &str = "^[!-~]([ -~]{0,126}[!-~])?$";

/// The same up to 64 characters.
pub(crate) const PLAN: &str = "^[!-~]([ -~]{0,62}[!-~])?$";

/// 1 to 100 characters, none of them a control character, no white space at the ends.
pub(crate) const NAME: &str = concat!("^", edge!(), "(", inner!(), "{0,98}", edge!(), ")?$");

/// The same up to 256 characters.
pub(crate) const REASON: &str = concat!("^", edge!(), "(", inner!(), "{0,254}", edge!(), ")?$");

/// 1 to 128 characters, none of them a control character.
pub(crate) const WORD: &str = concat!("^", inner!(), "{1,128}$");

/// 1 to 1024 characters, none of them a control character.
pub(crate) const CLAIM: &str = concat!("^", inner!(), "{1,1024}$");

/// Where the printed successor of a scheduled rotation goes.
pub(crate) const SECRET_PLACE: &str = r"^secretsmanager:[A-Za-z0-9/_+=.@:-]{1,512}$";

/// RFC 6749 section 3.3, without `*`.
pub(crate) const SCOPE: &str = r"^[!#-)+-\[\]-~]{1,128}$";

/// A name of a fact.
pub(crate) const FACT_NAME: &str = "^[A-Za-z][A-Za-z0-9_]{0,39}$";

/// A fact.
pub(crate) const FACT: &str = "^[ -~]{0,256}$";

/// The id of a key.
pub(crate) const ID: &str = "^key_[0-7][0-9A-HJKMNP-TV-Z]{25}$";

/// A digest of ours.
pub(crate) const DIGEST: &str = "^[0-9a-f]{64}$";

/// What a former system kept of a key.
pub(crate) const FORMER: &str = "^([0-9A-Fa-f]{64}|[0-9A-Fa-f]{128})$";

/// The id of a block of tokens.
pub(crate) const BLOCK_ID: &str = "^blk_[0-7][0-9A-HJKMNP-TV-Z]{25}$";

/// A place in a list.
pub(crate) const CURSOR: &str =
    "^c1(23|3[0-9]|4[1-9A-Fa-f]|5[0-9AFaf]|6[1-9A-Fa-f]|7[0-9Aa]){1,96}$";
