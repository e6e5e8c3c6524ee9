//! SQL statements that several rules propose.

use super::subject::Subject;
use crate::model::{Bytes, quote_identifier};
use crate::plan::Node;
use crate::remedy::statistics::statistics_name;

/// `SET work_mem = '64MB';`, with the memory rounded up to a size people would type.
pub(super) fn set_work_mem(wanted: Bytes) -> String {
    format!("SET work_mem = '{}';", memory_setting(wanted))
}

/// The next power of two in MB, in a form `SET` takes.
pub(super) fn memory_setting(wanted: Bytes) -> String {
    let megabytes = wanted.0.div_ceil(Bytes::MB).max(1).next_power_of_two();
    if megabytes >= 1024 {
        format!("{}GB", megabytes / 1024)
    } else {
        format!("{megabytes}MB")
    }
}

/// `ANALYZE public.jobs;`
pub(super) fn analyze(subject: &Subject<'_>, node: &Node) -> Option<String> {
    Some(format!("ANALYZE {};", subject.table_name(node)?))
}

/// `CREATE STATISTICS accounts_country_city_stats (dependencies, mcv) ON country, city FROM public.accounts; ANALYZE …;`
pub(super) fn create_statistics(table: &str, kinds: &str, columns: &[String]) -> String {
    let bare_table = table.rsplit('.').next().unwrap_or(table);
    let name = statistics_name(bare_table, columns);
    let name = quote_identifier(&name);
    format!(
        "CREATE STATISTICS {name} ({kinds}) ON {} FROM {table}; ANALYZE {table};",
        columns.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_rounded_up_to_what_people_type() {
        for (bytes, text) in [
            (1, "1MB"),
            (5 * Bytes::MB, "8MB"),
            (64 * Bytes::MB, "64MB"),
            (600 * Bytes::MB, "1GB"),
        ] {
            assert_eq!(memory_setting(Bytes(bytes)), text);
        }
    }

    #[test]
    fn statistics_have_a_name() {
        assert_eq!(
            create_statistics(
                "public.accounts",
                "dependencies",
                &["city".to_owned(), "\"Zip\"".to_owned()]
            ),
            "CREATE STATISTICS accounts_city_zip_stats (dependencies) ON city, \"Zip\" FROM public.accounts; ANALYZE public.accounts;"
        );
    }
}
