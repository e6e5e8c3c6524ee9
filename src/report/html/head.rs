//! What every page has.

/// What every page begins and ends with.
#[derive(Debug)]
pub(super) struct Head {
    pub title: String,
    pub kicker: String,
    pub heading: String,
    pub below: String,
    pub closing: String,
    /// The parts of the page: anchor and name.
    pub parts: Vec<(String, String)>,
    pub version: &'static str,
    pub style: &'static str,
    pub script: &'static str,
}

impl Head {
    /// Under this heading.
    pub(super) fn new(heading: String) -> Head {
        Head {
            title: format!("pgrehearse: {heading}"),
            kicker: String::new(),
            heading,
            below: String::new(),
            closing: String::new(),
            parts: Vec::new(),
            version: env!("CARGO_PKG_VERSION"),
            style: include_str!("../../../templates/style.css"),
            script: include_str!("../../../templates/script.js"),
        }
    }
}

/// A share as the width of a bar, in per cent.
pub(super) fn heat(share: f64) -> u8 {
    (100.0 * share.clamp(0.0, 1.0)).round() as u8
}
