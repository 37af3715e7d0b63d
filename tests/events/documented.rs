//! The reference of the environment is printed from the table that the function reads by.

use doorward_authorizer::settings;
use doorward_tests::golden;

#[test]
fn the_reference_of_the_environment_is_fresh() {
    let text = format!(
        "# Environment of the functions\n\n\
         Everything else is in the configuration. A variable that begins with `DOORWARD_` and is not listed for the function is a fault, and so is a value \
         out of range. Names that begin with `DOORWARD_SECRET_` are free: use them for secrets that the configuration refers to as \
         `env:DOORWARD_SECRET_…`.\n\n\
         ## The authorizer\n\n\
         After a fault it refuses every request and names each fault in its log.\n\n{}\n\
         ## Key administration\n\n\
         After a fault it does not start, and says why. The configuration is that of the authorizer.\n\n{}",
        settings::reference(),
        doorward_key_admin::settings::reference()
    );
    golden::check("docs/environment.md", &text);
}
