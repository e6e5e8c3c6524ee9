//! The sentences of gaps: what the planner twin lacks, and what helps.

use crate::model::{
    Gap, GapCause, HiddenStatistics, Unprotected, group_thousands, quote_identifier,
};

/// Maximum number of tables that are named.
const MAX_TABLES_NAMED: usize = 5;

/// `shop.a, shop.b and 3 more tables: what is missing. What helps: …`
pub fn gap(gap: &Gap) -> String {
    let names = gap.tables.iter().take(MAX_TABLES_NAMED);
    let names: Vec<String> = names.map(ToString::to_string).collect();
    let more = match gap.tables.len().saturating_sub(MAX_TABLES_NAMED) {
        0 => String::new(),
        1 => " and 1 more table".to_owned(),
        more => format!(" and {more} more tables"),
    };
    let about = if names.is_empty() {
        String::new()
    } else {
        format!("{}{more}: ", names.join(", "))
    };
    let remedy = remedy(gap).map(|remedy| format!(". What helps: {remedy}"));
    format!("{about}{}{}", what(&gap.cause), remedy.unwrap_or_default())
}

fn what(cause: &GapCause) -> String {
    match cause {
        GapCause::TableNotReadable { role } => format!(
            "the role {} cannot read the table or some of its columns: statistics and the smallest and largest values are missing, and what \
             indexes bring rests on the planner's defaults",
            quote_identifier(role)
        ),
        GapCause::RowSecurity => {
            "row-level security policies apply to the role. The planner twin plans with them, too, but it does not know the smallest \
             and largest values of all rows"
                .to_owned()
        }
        GapCause::StatisticsHidden { statistics, .. } => hidden(*statistics).to_owned(),
        GapCause::ForeignTable => not_copied("it is a foreign table"),
        GapCause::AccessMethod { access_method } => {
            not_copied(&format!("its access method is {access_method}"))
        }
        GapCause::LibraryMissing {
            library, directory, ..
        } => format!(
            "the library {library} of an extension is not in {directory} on this machine: the planner twin cannot plan what needs its \
             functions"
        ),
        GapCause::LocaleMissing { locale } => format!(
            "the server's locale {locale} is not available on this machine, so the planner twin compares texts as the locale C does: \
             conditions on texts and their order may be planned differently"
        ),
        GapCause::Unconfined(unprotected) => format!(
            "the operating system does not keep the planner twin's processes from {}: only the rights of its role in SQL keep copied \
             functions from them (docs/security.md)",
            match unprotected {
                Unprotected::Files => "other files",
                Unprotected::Network => "the network",
                Unprotected::FilesAndNetwork => "the network and other files",
            }
        ),
        GapCause::ManyPartitions {
            table,
            partitions,
            looked_at,
        } => format!(
            "sizes of candidate indexes on {table} are estimated on {looked_at} of its {} partitions, and extrapolated to the others by their \
             sizes; statements are planned with all partitions",
            group_thousands(*partitions as f64, 0)
        ),
        GapCause::Text { what, .. } => what.clone(),
    }
}

fn hidden(statistics: HiddenStatistics) -> &'static str {
    match statistics {
        HiddenStatistics::OfTable => "row-level security hides the statistics",
        HiddenStatistics::OfExpressions => {
            "only pg_statistic has the statistics of the expressions in indexes"
        }
        HiddenStatistics::Extended => {
            "the role cannot read all extended statistics (CREATE STATISTICS)"
        }
        HiddenStatistics::OfSpecialTypes => {
            "only pg_statistic has the statistics of ranges and of types with an ANALYZE function of their own"
        }
    }
}

fn not_copied(reason: &str) -> String {
    format!(
        "{reason}, which the planner twin does not support: only the server plans statements on it"
    )
}

fn remedy(gap: &Gap) -> Option<String> {
    match &gap.cause {
        GapCause::TableNotReadable { role } => {
            let role = quote_identifier(role);
            let grant = |table| format!("GRANT SELECT ON {table} TO {role};");
            let grants: Vec<String> = gap.tables.iter().map(grant).collect();
            (!grants.is_empty()).then(|| grants.join(" "))
        }
        GapCause::StatisticsHidden {
            role,
            statistics: HiddenStatistics::OfTable,
        } => {
            let role = quote_identifier(role);
            Some(format!(
                "ask as the owner or a superuser (statements of others are planned with their policies), or, with a role that no application \
                 uses, because it shows values of all rows: GRANT SELECT ON pg_catalog.pg_statistic, pg_catalog.pg_statistic_ext_data TO {role};"
            ))
        }
        GapCause::StatisticsHidden { role, .. } => {
            let role = quote_identifier(role);
            Some(format!(
                "GRANT SELECT ON pg_catalog.pg_statistic, pg_catalog.pg_statistic_ext_data TO {role}; (or GRANT pg_read_all_data TO {role};)"
            ))
        }
        GapCause::LibraryMissing { major_version, .. } => Some(format!(
            "install the extension for PostgreSQL {major_version} here (the package postgresql-contrib or postgresql-{major_version}-…)"
        )),
        GapCause::LocaleMissing { .. } => Some("install that locale here".to_owned()),
        GapCause::Text { remedy, .. } => remedy.clone(),
        GapCause::RowSecurity
        | GapCause::ForeignTable
        | GapCause::AccessMethod { .. }
        | GapCause::Unconfined(_)
        | GapCause::ManyPartitions { .. } => None,
    }
}
