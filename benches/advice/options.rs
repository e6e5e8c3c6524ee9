//! What was typed behind `cargo bench --bench advice --`.

use std::path::PathBuf;

use clap::Parser;
use pgrehearse::internals::model::Bytes;

/// Measures the advice: the sets of indexes are really built, and the server is asked for the costs
/// again
#[derive(Debug, Parser)]
pub struct Options {
    /// Given by cargo
    #[arg(long, hide = true)]
    pub bench: bool,
    /// TPC-H instead of the sample workloads
    #[arg(long)]
    pub tpch: bool,
    /// The cases of `fixtures/cases` instead of the sample workloads: all, or those with these names
    #[arg(long, value_name = "NAME", num_args = 0.., conflicts_with_all = ["tpch", "scale", "budget", "no_times"])]
    pub cases: Option<Vec<String>>,
    /// The cases of this directory instead of those of `fixtures/cases`
    #[arg(long, value_name = "DIR", requires = "cases")]
    pub dir: Option<PathBuf>,
    /// Compare over other values of the same statements, drawn from the data: of cases with the
    /// expert's indexes, of the sample workloads with the indexes advised for each statement alone
    #[arg(long, conflicts_with = "tpch")]
    pub robustness: bool,
    /// Share of the full size; with --tpch, the scale factor
    #[arg(long, default_value_t = 1.0)]
    pub scale: f64,
    /// Total size of the indexes (repeatable; in place of the usual ones)
    #[arg(long, value_parser = Bytes::parse)]
    pub budget: Vec<Bytes>,
    /// Say that every literal is the same in every call (`-- fixed:`)
    #[arg(long, conflicts_with_all = ["cases", "robustness"])]
    pub fixed_literals: bool,
    /// Use this server (connection string without a database) and leave the data there for the next
    /// run, instead of a throwaway one; its encoding has to be UTF8 and its locale C
    #[arg(long, value_name = "CONNINFO")]
    pub server: Option<String>,
    /// Measure this program instead of the one just built
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,
    /// Do not run the simple greedy selection
    #[arg(long)]
    pub no_yardstick: bool,
    /// Do not execute the statements
    #[arg(long)]
    pub no_times: bool,
    /// Show every statement and every index of every run
    #[arg(long)]
    pub details: bool,
    /// Append the figures to this file, as one line of JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Name this run in the JSON
    #[arg(long, default_value = "")]
    pub label: String,
    /// More options for `pgrehearse advise`
    #[arg(last = true)]
    pub advise: Vec<String>,
}
