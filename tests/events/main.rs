//! Events as others captured or documented them, each decoded to a written expectation; and what no event may ever do.

mod captured;
mod documented;
mod hostile;
