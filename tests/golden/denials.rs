//! `docs/denials.md` is made from the reasons.

use std::fmt::Write as _;

use doorward_engine::{Class, Reason};
use doorward_tests::golden::check;

const HEAD: &str = "\
# Reasons to refuse

Made from `Reason` in the engine; do not edit. The caller learns the class of a refusal only. The reason stands in the log \
line of the decision as `reason`, with one line of `detail`.
";

#[test]
fn the_committed_list_of_reasons_is_fresh() {
    let mut text = HEAD.to_owned();
    for (class, caller) in [
        (
            Class::Unauthenticated,
            "The caller has not proved who they are. The gateway answers 401 and caches nothing (so says AWS of REST APIs; of HTTP APIs no page says it); an HTTP API with simple \
             responses gets `isAuthorized: false` and answers 403, AppSync gets the same and answers 401.",
        ),
        (
            Class::Forbidden,
            "The caller may not do this. The gateway gets a policy that denies what was asked and answers 403; an HTTP API \
             with simple responses gets `isAuthorized: false` and answers 403, AppSync gets the same and answers 401.",
        ),
        (
            Class::Throttled,
            "The caller is known and has asked too often. With `answers.rate_limited = \"deny\"` the gateway gets a policy that \
             denies what was asked until `retryAfter` is over, and answers 403 or the status that the API gives to `ACCESS_DENIED`; \
             with `penalty_key` and `backend` there is no refusal here, and the gateway or the backend answers 429.",
        ),
        (
            Class::Unavailable,
            "Doorward could not find out. The function fails, the gateway answers 500 and caches nothing.",
        ),
    ] {
        let _ = write!(text, "\n## {}\n\n{caller}\n\n", class.as_str());
        text += "| reason | meaning | what to do |\n|---|---|---|\n";
        for reason in Reason::ALL.iter().filter(|reason| reason.class() == class) {
            let (word, meaning, mend) = (reason.as_str(), reason.meaning(), reason.mend());
            assert!(
                !format!("{meaning}{mend}").contains('|'),
                "`{word}` breaks the table"
            );
            let _ = writeln!(text, "| `{word}` | {meaning} | {mend} |");
        }
    }
    check("docs/denials.md", &text);
}

#[test]
fn every_reason_has_its_own_word_and_says_what_to_do() {
    let mut words: Vec<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    let count = words.len();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), count);
    for reason in Reason::ALL {
        assert!(
            !reason.meaning().is_empty() && !reason.mend().is_empty(),
            "{reason:?}"
        );
    }
}
