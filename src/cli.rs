//! What was typed. psql's letters where psql has them: `-h` is the host, so help is `--help` or `-?`.

use std::path::PathBuf;

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::db::Safety;
use crate::db::conninfo::Typed;
use crate::model::{Bytes, Millis};
use crate::verdict::{Limits, MinImprovement, Rehearse};

/// Rehearse an index before you build it: a PostgreSQL index advisor and plan analyzer.
#[derive(Debug, Parser)]
#[command(
    name = "pgrehearse",
    version,
    disable_help_flag = true,
    max_term_width = 110
)]
#[command(after_help = EXIT_CODES, args_override_self = true)]
pub struct Cli {
    /// Where to connect.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Show help.
    #[arg(long, short = '?', global = true, action = ArgAction::Help)]
    help: Option<bool>,
    /// Without a command: the interactive session on this workload.
    #[command(flatten)]
    pub live: RunArgs,
    /// What to do; without a command, the interactive session
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// Reads what was typed; ends the program with a usage error when it makes no sense.
    pub fn read() -> Cli {
        Cli::read_from(std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    fn read_from(words: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Cli, clap::Error> {
        let matches = Cli::command().try_get_matches_from(words)?;
        let mut cli = Cli::from_arg_matches(&matches)?;
        let typed = |matches: &clap::ArgMatches, id: &str| {
            matches.value_source(id) == Some(clap::parser::ValueSource::CommandLine)
        };
        let format_given = |matches: &clap::ArgMatches| typed(matches, "format");
        cli.output.format_given = format_given(&matches)
            || matches
                .subcommand()
                .is_some_and(|(_, matches)| format_given(matches));
        if let Some((name, _)) = matches.subcommand()
            && let Some(misplaced) = misplaced_option(|id| typed(&matches, id))
        {
            let said = format!(
                "--{misplaced} belongs behind the command: pgrehearse {name} --{misplaced} …"
            );
            return Err(Cli::command().error(clap::error::ErrorKind::ArgumentConflict, said));
        }
        Ok(cli)
    }
}

/// An option of the interactive session that stands before a command, where it would mean nothing.
fn misplaced_option(typed: impl Fn(&str) -> bool) -> Option<String> {
    let command = RunArgs::augment_args(clap::Command::new("live"));
    let found = command
        .get_arguments()
        .find(|argument| typed(argument.get_id().as_str()));
    found.and_then(|argument| argument.get_long().map(str::to_owned))
}

/// What to advise on and within which limits: of `advise`, and of `pgrehearse` without a command.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// What to advise on.
    #[command(flatten)]
    pub workload: WorkloadArgs,
    /// Timeouts.
    #[command(flatten)]
    pub safety: SafetyArgs,
    /// Limits.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// Keep everything the run saw in this file, for review
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}

const EXIT_CODES: &str = "Exit status: 0 done · 1 failed · 2 wrong usage · 3 --fail-on matched · 130 interrupted (everything rolled back)";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Capture plans, suggest indexes, search for the set that pays, prove it in a transaction that is rolled back, and report
    Advise(AdviseArgs),
    /// Capture the plans of a workload as things are, and show or save them
    Explain(ExplainArgs),
    /// Show saved plans (EXPLAIN's JSON, or what auto_explain logged) or a recorded session; needs no server. On a terminal: the interactive interface
    Review(ReviewArgs),
    /// Write what the planner knows (schema, statistics, settings, no rows) and the workload to one file, for advise --snapshot
    Snapshot(SnapshotArgs),
    /// Start a throwaway PostgreSQL, load the sample workloads, and advise on them
    Demo(DemoArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff)
    Man,
}

/// Where to connect; what is not given comes from the environment (PGHOST, PGSERVICE, …), as with psql.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArgs {
    /// Database name, URI or connection string ("key=value …")
    #[arg(short, long, global = true, value_name = "NAME|URI|CONNINFO")]
    dbname: Option<String>,
    /// Host name or socket directory
    #[arg(short, long, global = true)]
    host: Option<String>,
    /// Port
    #[arg(short, long, global = true)]
    port: Option<String>,
    /// Role to connect as
    #[arg(short = 'U', long, global = true)]
    username: Option<String>,
    /// Ask for the password before connecting
    #[arg(short = 'W', long, global = true)]
    password: bool,
}

impl ConnectionArgs {
    /// As the connection room takes it.
    pub fn typed(&self) -> Typed {
        Typed {
            dbname: self.dbname.clone(),
            host: self.host.clone(),
            port: self.port.clone(),
            username: self.username.clone(),
            password_prompt: self.password,
        }
    }
}

/// How to print.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Format of the report
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Was a format asked for? Without one, a terminal gets the interactive interface where there is one.
    #[arg(skip)]
    pub format_given: bool,
    /// Write the report to a file
    #[arg(short, long, global = true, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Colours; auto asks the terminal and NO_COLOR
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// No progress display
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Show every statement that is sent to the server
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
}

/// A report's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs; described by a JSON Schema
    Json,
    /// To paste into an issue
    Markdown,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to plan.
#[derive(Debug, Args)]
#[command(next_help_heading = "Workload")]
pub struct WorkloadArgs {
    /// SQL file; - is standard input. A comment above a statement can name and weigh it: -- name: x, -- calls: 12000
    #[arg(short, long, value_name = "FILE.sql")]
    pub file: Vec<PathBuf>,
    /// SQL text
    #[arg(short, long, value_name = "SQL", allow_hyphen_values = true)]
    pub command: Vec<String>,
    /// The statements that pg_stat_statements saw take most time
    #[arg(long, group = "ranked")]
    pub pg_stat_statements: bool,
    /// Server log (stderr, csvlog, jsonlog or syslog): the statements that took most time in it; - is standard input
    #[arg(long, value_name = "FILE", group = "ranked")]
    pub log: Vec<PathBuf>,
    /// How many statements of --pg-stat-statements and of --log
    #[arg(long, value_name = "N", default_value_t = 50, requires = "ranked")]
    pub top: u32,
}

impl WorkloadArgs {
    /// Was nothing named?
    pub fn is_empty(&self) -> bool {
        self.file.is_empty()
            && self.command.is_empty()
            && self.log.is_empty()
            && !self.pg_stat_statements
    }
}

/// How long anything may take on the server.
#[derive(Debug, Args)]
#[command(next_help_heading = "Safety")]
pub struct SafetyArgs {
    /// Give a lock up after this long; later writers queue behind us no longer
    #[arg(long, value_parser = Millis::parse, default_value = "1s", value_name = "TIME")]
    lock_timeout: Millis,
    /// Stop a statement after this long
    #[arg(long, value_parser = Millis::parse, default_value = "30s", value_name = "TIME")]
    statement_timeout: Millis,
}

/// What may be tried and recommended.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rehearsal and limits")]
pub struct LimitArgs {
    /// Block writers to a table no longer than this
    #[arg(long, value_parser = Millis::parse, default_value = "10s", value_name = "TIME")]
    max_write_block: Millis,
    /// Build nothing on larger tables
    #[arg(long, value_parser = Bytes::parse, default_value = "1GB", value_name = "SIZE")]
    max_table_size: Bytes,
    /// How to try indexes
    #[arg(long, value_enum, default_value_t = RehearseChoice::Auto)]
    rehearse: RehearseChoice,
    /// Execute read-only statements without and with the chosen indexes, and others in their place where costs mislead: time decides
    #[arg(long)]
    analyze: bool,
    /// Directory of the server programs (initdb, postgres) for the planner twin; of the server's major version
    #[arg(long, value_name = "DIR")]
    pub pg_bin: Option<PathBuf>,
    /// Read no rows of tables: sizes and statistics of partial, expression and GIN indexes in the twin are then guesses
    #[arg(long)]
    pub no_sample: bool,
    /// Total size of the recommended indexes
    #[arg(long, value_parser = Bytes::parse, value_name = "SIZE")]
    budget: Option<Bytes>,
    /// Number of recommended indexes
    #[arg(long, value_name = "N")]
    max_indexes: Option<usize>,
    /// End the search after this long, with the best set found until then (its proof comes on top)
    #[arg(long, value_parser = Millis::parse, value_name = "TIME")]
    search_time: Option<Millis>,
    /// Call an index unused that was not scanned for this long, as far back as the server's counters go
    #[arg(long, value_parser = days_or_less, default_value = "7d", value_name = "TIME")]
    unused_after: Millis,
    /// What counts as a gain: per cent of a statement's cost
    #[arg(long, value_parser = percent, default_value = "10", value_name = "PCT")]
    min_improvement: f64,
}

/// A duration, in days too: `7d`.
fn days_or_less(text: &str) -> Result<Millis, String> {
    match text.trim().strip_suffix('d') {
        Some(days) => match days.trim().parse::<f64>() {
            Ok(days) if days >= 0.0 && days.is_finite() => Ok(Millis(days * 86_400_000.0)),
            _ => Err(format!("{text:?} is not a number of days such as 7d")),
        },
        None => Millis::parse(text),
    }
}

/// How to try indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RehearseChoice {
    /// Search in a planner twin; build only the chosen indexes, in a transaction that is rolled back
    Auto,
    /// Only in the planner twin: the server is only read from
    Twin,
    /// Build each in a transaction that is rolled back
    Transaction,
    /// Build nothing: only list candidates
    Off,
}

impl From<RehearseChoice> for Rehearse {
    fn from(choice: RehearseChoice) -> Rehearse {
        match choice {
            RehearseChoice::Auto => Rehearse::Auto,
            RehearseChoice::Twin => Rehearse::Twin,
            RehearseChoice::Transaction => Rehearse::Transaction,
            RehearseChoice::Off => Rehearse::Off,
        }
    }
}

impl LimitArgs {
    /// As the pipeline takes them.
    pub fn limits(&self) -> Limits {
        Limits {
            budget: self.budget,
            max_indexes: self.max_indexes,
            min_improvement: MinImprovement(self.min_improvement / 100.0),
            max_table_size: self.max_table_size,
            max_write_block: self.max_write_block,
            rehearse: self.rehearse.into(),
            analyze: self.analyze,
            search_time: self.search_time,
            unused_after: self.unused_after,
        }
    }
}

impl SafetyArgs {
    /// As a session takes them.
    pub fn safety(&self, max_write_block: Millis) -> Safety {
        Safety {
            lock_timeout: self.lock_timeout,
            statement_timeout: self.statement_timeout,
            max_write_block,
        }
    }
}

/// `pgrehearse advise`.
#[derive(Debug, Args)]
pub struct AdviseArgs {
    /// What to advise on, and within which limits.
    #[command(flatten)]
    pub run: RunArgs,
    /// Advise from a twin file (see pgrehearse snapshot), without any connection; its own workload, unless one is given
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pg_stat_statements"])]
    pub snapshot: Option<PathBuf>,
    /// What if the data grows? Compare with so many times the rows, of all tables or of one (repeatable)
    #[arg(long, value_name = "FACTOR|TABLE=FACTOR")]
    pub scale: Vec<String>,
    /// What if a setting were different? Compare with it (repeatable)
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    pub settings: Vec<(String, String)>,
    /// Exit with 3 when a recommendation makes a statement cheaper by at least this: improvement=PCT
    #[arg(long, value_parser = fail_on, value_name = "improvement=PCT")]
    pub fail_on: Option<f64>,
}

/// `pgrehearse snapshot`.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// What is to be advised on.
    #[command(flatten)]
    pub workload: WorkloadArgs,
    /// Timeouts.
    #[command(flatten)]
    pub safety: SafetyArgs,
    /// All tables and views of the database, not only those the workload touches and what these depend on
    #[arg(long)]
    pub all_tables: bool,
    /// Replace data values in statistics by others that sort alike; docs/twin-files.md says what that hides and what not
    #[arg(long)]
    pub redact: bool,
    /// The passphrase that values are replaced by; the same one gives the same values. Without it, a random one
    #[arg(long, value_name = "TEXT", requires = "redact")]
    pub redact_key: Option<String>,
    /// Keep up to 30 000 rows of each table in the file, too: without them, sizes of partial, expression and GIN indexes are guesses
    #[arg(long, conflicts_with = "redact")]
    pub sample: bool,
}

/// `pgrehearse explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// What to plan.
    #[command(flatten)]
    pub workload: WorkloadArgs,
    /// Timeouts.
    #[command(flatten)]
    pub safety: SafetyArgs,
    /// Save each plan as DIR/NAME.json, for review
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
}

/// `pgrehearse review`.
#[derive(Debug, Args)]
pub struct ReviewArgs {
    /// Files, or directories to search for .json files; - is standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Show what changed between the plans of two files, before and after
    #[arg(long)]
    pub diff: bool,
}

/// `pgrehearse demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Size of the sample data: 1 is about 200 000 rows in each big table
    #[arg(long, default_value_t = 1.0, value_parser = scale)]
    pub scale: f64,
    /// Do not install PostgreSQL when there is none: only say how
    #[arg(long)]
    pub no_install: bool,
    /// Limits.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// Timeouts.
    #[command(flatten)]
    pub safety: SafetyArgs,
    /// Keep everything the run saw in this file, for review
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Show the result in the interactive interface
    #[arg(long)]
    pub tui: bool,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse::<f64>().ok();
    number
        .filter(|percent| (0.0..=100.0).contains(percent))
        .ok_or_else(|| "a per cent value from 0 to 100 is wanted".to_owned())
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("NAME=VALUE is wanted, such as random_page_cost=1.1")?;
    if name.trim().is_empty() {
        return Err("the setting has no name".to_owned());
    }
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn fail_on(text: &str) -> Result<f64, String> {
    percent(
        text.strip_prefix("improvement=")
            .ok_or("improvement=PCT is wanted, such as improvement=50")?,
    )
}

fn scale(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    number
        .filter(|scale| (0.01..=100.0).contains(scale))
        .ok_or_else(|| "a number from 0.01 to 100 is wanted".to_owned())
}
