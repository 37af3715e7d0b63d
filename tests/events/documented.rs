//! The reference of the environment is printed from the table that the function reads by.

use doorward_authorizer::settings;
use doorward_tests::golden;

#[test]
fn the_reference_of_the_environment_is_fresh() {
    let text = format!(
        "# Environment of the authorizer\n\n\
         Everything else is in the configuration. A variable that begins with `DOORWARD_` and is not listed here is a fault, and so is a value \
         out of range: the function then refuses every request and names each fault in its log. Names that begin with `DOORWARD_SECRET_` are free: use \
         them for secrets that the configuration refers to as `env:DOORWARD_SECRET_…`.\n\n{}",
        settings::reference()
    );
    golden::check("docs/environment.md", &text);
}
