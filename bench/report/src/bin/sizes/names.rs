//! Which crate a symbol is of.

/// The crate and the size of a line of `nm --print-size --demangle`; `None` of a symbol that takes no room in the file.
pub(crate) fn symbol(line: &str) -> Option<(String, u64)> {
    let mut words = line.splitn(4, ' ');
    let (_, size, kind, name) = (words.next()?, words.next()?, words.next()?, words.next()?);
    // `b` is room that the loader makes.
    let takes_room = matches!(
        kind,
        "t" | "T" | "w" | "W" | "r" | "R" | "d" | "D" | "V" | "v"
    );
    let bytes = u64::from_str_radix(size, 16).ok()?;
    takes_room.then(|| (of(name).to_owned(), bytes))
}

/// What is not of Rust.
const C: &str = "aws-lc (C and assembly)";

/// The crate of a demangled name; what is generic counts for the crate that wrote it down, not for that of its types.
fn of(name: &str) -> &str {
    // Names of Rust have a path. aws-lc is all but a few hundred bytes of the rest.
    if name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$'))
    {
        return C;
    }
    let start = name.trim_start_matches(|letter: char| "<&*([".contains(letter));
    let start = ["dyn ", "mut ", "const ", "impl "]
        .into_iter()
        .fold(start, |text, word| text.strip_prefix(word).unwrap_or(text));
    let end = start.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let (first, rest) = end.map_or((start, ""), |end| {
        start.split_at_checked(end).unwrap_or((start, ""))
    });
    match first {
        "core" | "alloc" | "std" | "compiler_builtins" | "gimli" | "addr2line"
        | "rustc_demangle" | "__rustc" => "the standard library",
        // A type of no crate, such as a tuple or a pointer to bytes.
        _ if !rest.starts_with("::") => "names in no crate",
        _ => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_is_of_the_crate_that_wrote_it() {
        for (name, expected) in [
            (
                "doorward_engine::pipeline::Engine::decide",
                "doorward_engine",
            ),
            ("<lru::LruCache<K,V> as core::ops::Drop>::drop", "lru"),
            (
                "<&mut rustls::conn::Reader as std::io::Read>::read",
                "rustls",
            ),
            (
                "core::ptr::drop_in_place<aws_config::Thing>",
                "the standard library",
            ),
            ("aws_lc_0_47_0_SHA256_Init", C),
            ("p224_point_add.constprop.0", C),
            ("<(A,B) as http::Thing>::of", "names in no crate"),
        ] {
            assert_eq!(of(name), expected, "{name}");
        }
    }

    #[test]
    fn only_what_takes_room_counts() {
        let line =
            |kind: &str| format!("0000000000001000 0000000000000010 {kind} http::uri::parse");
        assert_eq!(symbol(&line("t")), Some(("http".to_owned(), 16)));
        assert_eq!(symbol(&line("b")), None);
        assert_eq!(symbol("                 U malloc"), None);
        assert_eq!(symbol(""), None);
    }
}
