//! What is asked of other servers.

use crate::advise::Followed;
use crate::advise::foreign::ForeignServer;

/// What the reader should know about the advice for another server; none where that is proved.
pub fn foreign_server(server: &ForeignServer, followed: Option<&Followed>) -> Option<String> {
    let name = &server.name;
    if !server.is_postgres {
        return Some(format!(
            "{name} is reached by {}, whose tables are not advised on.",
            server.wrapper
        ));
    }
    match followed {
        Some(Followed::Advised { .. }) => None,
        Some(Followed::Failed(error)) => Some(format!("{name} could not be asked: {error}")),
        None if server.to_try.is_empty() => Some(format!(
            "No condition is sent to {name}, so no index there can help."
        )),
        None => Some(format!(
            "Unproved: {name} was not asked, and may have these indexes already. --follow-foreign connects to it and tests them there."
        )),
    }
}

/// Why rows are fetched that are thrown away here.
pub fn not_pushed_down(filter: &str, server: &str) -> String {
    format!(
        "{filter} is checked here, on every row that {server} sends: only built-in immutable operators and functions, and those of \
         extensions in the server's option extensions, are sent there"
    )
}
