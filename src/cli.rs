//! The command line. It uses psql's letters: `-h` is the host, so help is `--help` or `-?`.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::check::gate::Gate;
use crate::check::growth::Factors;
use crate::db::Safety;
use crate::db::conninfo::Typed;
use crate::model::{Bytes, Millis};
use crate::verdict::{Limits, MinImprovement, Rehearse};

pub mod config;

/// Rehearse an index before you build it: a PostgreSQL index advisor and query-plan analyzer
///
/// Without a command, the interactive session starts and advises on the given workload.
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
    /// Without a command: the workload and limits of the interactive session.
    #[command(flatten)]
    pub interactive: RunArgs,
    /// The command. Without one, the interactive session starts
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// Parses the arguments ([`arguments_of_psql`]).
    ///
    /// # Errors
    /// When they are not valid.
    pub fn from_arguments(arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
        let matches = Cli::command().try_get_matches_from(arguments)?;
        let mut cli = Cli::from_arg_matches(&matches)?;
        let is_given = |matches: &clap::ArgMatches, id: &str| {
            matches.value_source(id) == Some(clap::parser::ValueSource::CommandLine)
        };
        let format_given = |matches: &clap::ArgMatches| is_given(matches, "format");
        cli.output.format_given = format_given(&matches)
            || matches
                .subcommand()
                .is_some_and(|(_, matches)| format_given(matches));
        if let Some((name, _)) = matches.subcommand()
            && let Some(option) = misplaced_option(|id| is_given(&matches, id))
        {
            let message =
                format!("--{option} must follow the command: pgrehearse {name} --{option} …");
            return Err(Cli::command().error(clap::error::ErrorKind::ArgumentConflict, message));
        }
        Ok(cli)
    }
}

/// An option of the interactive session that was given before a command, where it has no effect.
fn misplaced_option(is_given: impl Fn(&str) -> bool) -> Option<String> {
    let command = RunArgs::augment_args(clap::Command::new("interactive"));
    let found = command
        .get_arguments()
        .find(|argument| is_given(argument.get_id().as_str()));
    found.and_then(|argument| argument.get_long().map(str::to_owned))
}

/// The workload and the limits of `advise`, and of `pgrehearse` without a command.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The workload.
    #[command(flatten)]
    pub workload: WorkloadArgs,
    /// Timeouts.
    #[command(flatten)]
    pub safety: SafetyArgs,
    /// Limits.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// Record the run in this file: pgrehearse review replays it without the server
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Build on the server without asking first
    #[arg(long)]
    pub yes: bool,
}

/// By default there are no more planner twins than this: each is a server of its own.
const MAX_DEFAULT_JOBS: usize = 8;

const EXIT_CODES: &str = "Exit status: 0 done · 1 failed · 2 wrong usage · 3 --fail-on of advise matched · 4 --fail-on of check matched · 130 interrupted (after everything was rolled back)";

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Recommend indexes: plan the workload, test candidates, verify the best set in a transaction
    /// that is rolled back, and report
    Advise(Box<AdviseArgs>),
    /// Advise again and again on what was executed since the last time (pg_stat_statements), in the
    /// planner twin, and say only what is new
    Watch(Box<WatchArgs>),
    /// Check whether a change makes statements slower or impossible: a migration (also what it locks, and
    /// for how long), two twin files, more rows, or other plans than expected. Asked of the planner twin
    Check(Box<CheckArgs>),
    /// Plan a workload without new indexes, and show or save the plans
    Explain(ExplainArgs),
    /// Analyze saved plans (EXPLAIN output in any format, auto_explain logs) or replay a recording,
    /// without a server. On a terminal, interactively
    Review(ReviewArgs),
    /// Compare two JSON reports of advise, or recordings: which recommendations were created, which
    /// are still missing or new, and what was predicted against what came
    Compare(CompareArgs),
    /// Write the workload and all that its planning needs (schema, statistics, settings; rows only
    /// with --sample) to a file for advise --snapshot
    Snapshot(SnapshotArgs),
    /// Start a throwaway PostgreSQL server, load the sample workloads, and advise on them
    Demo(DemoArgs),
    /// Print a completion script for a shell
    Completions {
        /// Shell to print it for
        shell: CompletionShell,
    },
    /// Print a manual page (roff): that of the program, or of a command
    Man {
        /// The command
        command: Option<String>,
        /// Write the pages of all commands to this directory instead
        #[arg(long, value_name = "DIR", conflicts_with = "command")]
        directory: Option<PathBuf>,
    },
    /// Show the options of a command, with where each value comes from: pgrehearse.toml of the user
    /// or beside the workload, or the default
    Config {
        /// The command
        #[arg(default_value = "advise")]
        command: String,
        /// Show them
        #[arg(long, required = true)]
        show: bool,
    },
    /// Serve assistants over the Model Context Protocol on standard input and output: they may
    /// explain, review and advise, but change nothing
    Mcp(McpArgs),
}

/// Where to connect. As with psql, the environment (PGHOST, PGSERVICE, …) has the defaults.
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
    /// The same options again, for another run of this program.
    pub fn arguments(&self) -> Vec<OsString> {
        let options = [
            ("--dbname", &self.dbname),
            ("--host", &self.host),
            ("--port", &self.port),
            ("--username", &self.username),
        ];
        let given = options
            .into_iter()
            .filter_map(|(option, value)| Some(format!("{option}={}", value.as_ref()?).into()));
        given.collect()
    }

    /// Is a password to be asked for?
    pub fn asks_for_password(&self) -> bool {
        self.password
    }

    /// For [`crate::db::conninfo::resolve`].
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
    /// Was `--format` given? Without it, commands with an interactive interface use it on a
    /// terminal.
    #[arg(skip)]
    pub format_given: bool,
    /// Write the report to a file
    #[arg(short, long, global = true, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// No progress display
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// How to show progress on standard error
    #[arg(long, global = true, value_enum, default_value_t = ProgressChoice::Auto)]
    pub progress: ProgressChoice,
    /// The interactive session as linear text, for screen readers: lines in, lines out, nothing is drawn again
    #[arg(long, global = true)]
    pub accessible: bool,
    /// Print the whole report: plans side by side, every statement, every rejected candidate
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Print every statement that is sent to the server on standard error
    #[arg(short = 'E', long, global = true, conflicts_with = "quiet")]
    pub echo_queries: bool,
}

/// What of a report on advice to print.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Report")]
pub struct ReportArgs {
    /// Print only this recommendation or remedy, with the plans of its statements: r3, m1 or the
    /// name of an index (repeatable)
    #[arg(long, value_name = "ID")]
    pub explain: Vec<String>,
    /// Print only this statement, with its plans (repeatable)
    #[arg(long = "statement", value_name = "NAME")]
    pub statements: Vec<String>,
    /// With --format sql: drop again what the migration creates
    #[arg(long)]
    pub down: bool,
}

impl ReportArgs {
    /// Is the whole report to be printed?
    pub fn is_empty(&self) -> bool {
        self.explain.is_empty() && self.statements.is_empty()
    }
}

/// A report's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal or a text file
    Text,
    /// For programs; schema/advise-report.schema.json describes the report of advise
    Json,
    /// To paste into an issue or a pull request: less than 60 kB, details are folded
    Markdown,
    /// One file for a browser, to read and to share: plans before and after, searchable, offline
    Html,
    /// A migration that creates what is recommended, for psql -f; with --down one that drops it
    Sql,
}

/// How to show progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProgressChoice {
    /// A bar on a terminal
    Auto,
    /// A line of JSON for each event, for other programs
    Json,
    /// Nothing
    None,
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

/// The workload.
#[derive(Debug, Args)]
#[command(next_help_heading = "Workload")]
pub struct WorkloadArgs {
    /// File of SQL statements; - is standard input. Comments above a statement give its name and
    /// weight: -- name: x, -- calls: 12000
    #[arg(short, long, value_name = "FILE.sql")]
    pub file: Vec<PathBuf>,
    /// SQL statements, on the command line
    #[arg(short, long, value_name = "SQL", allow_hyphen_values = true)]
    pub command: Vec<String>,
    /// The statements with the most total time in pg_stat_statements
    #[arg(long, group = "ranked")]
    pub pg_stat_statements: bool,
    /// The statements with the most total time in a server log (stderr, csvlog, jsonlog or syslog)
    /// or in that of an ORM (Rails, Django, Hibernate, SQLAlchemy, Prisma, Sequelize); also .gz and
    /// .zst, and directories; - is standard input
    #[arg(long, value_name = "FILE", group = "ranked")]
    pub log: Vec<PathBuf>,
    /// Take only statements of this database from logs that name it [default: that of the
    /// connection, if the log has any]
    #[arg(long, value_name = "NAME", requires = "log")]
    pub log_database: Option<String>,
    /// Take only statements of this role from logs that name it
    #[arg(long, value_name = "ROLE", requires = "log")]
    pub log_user: Option<String>,
    /// A variable of psql in files, as psql's -v: -v NAME=VALUE works, too (repeatable)
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub variable: Vec<(String, String)>,
    /// Number of statements to take from pg_stat_statements and from logs
    #[arg(long, value_name = "N", default_value_t = 50, requires = "ranked")]
    pub top: u32,
}

impl WorkloadArgs {
    /// Is no source given?
    pub fn is_empty(&self) -> bool {
        self.file.is_empty()
            && self.command.is_empty()
            && self.log.is_empty()
            && !self.pg_stat_statements
    }
}

/// Timeouts on the server.
#[derive(Debug, Args)]
#[command(next_help_heading = "Safety")]
pub struct SafetyArgs {
    /// Stop waiting for a lock after this long; other sessions queue behind a waiting request
    #[arg(long, value_parser = Millis::parse, default_value = "1s", value_name = "TIME")]
    lock_timeout: Millis,
    /// Cancel a statement after this long [default: 30s; a build for which nobody waits: three
    /// times what it is expected to take, if that is longer]
    #[arg(long, value_parser = Millis::parse, value_name = "TIME")]
    statement_timeout: Option<Millis>,
}

/// How indexes are tested, and what may be recommended.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rehearsal and limits")]
pub struct LimitArgs {
    /// Let no session wait longer for a build: it is then cancelled and rolled back
    #[arg(long, value_parser = Millis::parse, default_value = "2s", value_name = "TIME")]
    max_write_block: Millis,
    /// Let sessions wait no longer for all builds of a run, the longest wait of each counted
    #[arg(long, value_parser = Millis::parse, default_value = "30s", value_name = "TIME")]
    max_total_write_block: Millis,
    /// Build no index on tables larger than this [default: no limit]
    #[arg(long, value_parser = Bytes::parse, value_name = "SIZE")]
    max_table_size: Option<Bytes>,
    /// How to test indexes
    #[arg(long, value_enum, default_value_t = RehearseChoice::Auto)]
    rehearse: RehearseChoice,
    /// Execute read-only statements without and with the chosen indexes, and with alternatives
    /// where costs can mislead, up to 3 times each; the measured times decide. Statements that may
    /// call volatile functions, reach outside the database or lock rows are not executed
    #[arg(long)]
    analyze: bool,
    /// Execute this statement whatever it calls: NAME as in the report (repeatable)
    #[arg(long, value_name = "NAME", requires = "analyze")]
    analyze_volatile: Vec<String>,
    /// Execute statements for at most this long, all together
    #[arg(long, value_parser = Millis::parse, default_value = "2min", value_name = "TIME")]
    max_analyze_time: Millis,
    /// Directory of initdb and postgres for the planner twin; they must have the server's major
    /// version
    #[arg(long, value_name = "DIR")]
    pub pg_bin: Option<PathBuf>,
    /// Maximum number of planner twins that answer at the same time; more than one is started only
    /// where planning takes seconds [default: the number of processors, at most 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Do not read samples of rows: the twin then guesses sizes and statistics of partial,
    /// expression, multicolumn, GIN, GiST and SP-GiST indexes
    #[arg(long)]
    pub no_sample: bool,
    /// Maximum total size of the recommended indexes
    #[arg(long, value_parser = Bytes::parse, value_name = "SIZE")]
    budget: Option<Bytes>,
    /// Maximum number of recommended indexes
    #[arg(long, value_name = "N")]
    max_indexes: Option<usize>,
    /// End the search after this long, with the best set found so far: two thirds of it are for
    /// testing candidates, the rest for sets of them. The verification of that set takes extra time
    #[arg(long, value_parser = Millis::parse, value_name = "TIME")]
    search_time: Option<Millis>,
    /// Report an index as unused when it had no scan for at least this long, according to the
    /// server's counters
    #[arg(long, value_parser = duration_with_days, default_value = "7d", value_name = "TIME")]
    unused_after: Millis,
    /// Check the indexes of all tables of the database: duplicate, invalid and unused ones. Without
    /// this, those of the workload's tables are checked; with it, no workload is needed
    #[arg(long)]
    pub all_tables: bool,
    /// Minimum reduction of a statement's cost that counts, in per cent
    #[arg(long, value_parser = percent, default_value = "10", value_name = "PCT")]
    min_improvement: f64,
}

/// `NAME=VALUE`.
fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// psql's `-v NAME=VALUE` as `--variable NAME=VALUE`; a lone `-v` is `--verbose`.
pub fn arguments_of_psql(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let is_variable = |text: &str| {
        let name = text.split_once('=').map(|(name, _)| name);
        name.is_some_and(|name| {
            !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        })
    };
    let mut written: Vec<OsString> = Vec::new();
    for argument in arguments {
        let text = argument.to_str().unwrap_or_default();
        let is_behind = written.last().is_some_and(|last| last == "-v") && is_variable(text);
        if is_behind {
            written.pop();
            written.push(format!("--variable={text}").into());
        } else if let Some(variable) = text.strip_prefix("-v").filter(|text| is_variable(text)) {
            written.push(format!("--variable={variable}").into());
        } else {
            written.push(argument);
        }
    }
    written
}

/// A duration; unlike [`Millis::parse`], also in days: `7d`.
fn duration_with_days(text: &str) -> Result<Millis, String> {
    match text.trim().strip_suffix('d') {
        Some(days) => match days.trim().parse::<f64>() {
            Ok(days) if days >= 0.0 && days.is_finite() => Ok(Millis(days * 86_400_000.0)),
            _ => Err(format!(
                "expected a number of days such as 7d, not {text:?}"
            )),
        },
        None => Millis::parse(text),
    }
}

/// How to test indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RehearseChoice {
    /// Search in the planner twin; build only the chosen indexes, in a transaction that is rolled
    /// back
    Auto,
    /// Only in the planner twin: nothing is built on the server
    Twin,
    /// Build every candidate in a transaction that is rolled back
    Transaction,
    /// Test nothing: only list the candidates
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
    /// For [`crate::advise::advise`].
    pub fn limits(&self) -> Limits {
        Limits {
            budget: self.budget,
            max_indexes: self.max_indexes,
            min_improvement: MinImprovement(self.min_improvement / 100.0),
            max_table_size: self.max_table_size,
            max_write_block: self.max_write_block,
            max_total_write_block: self.max_total_write_block,
            rehearse: self.rehearse.into(),
            analyze: self.analyze,
            analyze_volatile: self.analyze_volatile.iter().cloned().collect(),
            max_analyze_time: self.max_analyze_time,
            search_time: self.search_time,
            unused_after: self.unused_after,
            all_tables: self.all_tables,
            follow_foreign: false,
        }
    }
}

impl LimitArgs {
    /// How many planner twins may answer at the same time.
    pub fn jobs(&self) -> usize {
        let processors = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let default = || processors().min(MAX_DEFAULT_JOBS);
        self.jobs.map_or_else(default, usize::from)
    }
}

impl SafetyArgs {
    /// For [`crate::db::Session`].
    pub fn safety(&self, limits: &Limits) -> Safety {
        let default = Safety::default();
        Safety {
            lock_timeout: self.lock_timeout,
            statement_timeout: self.statement_timeout.unwrap_or(default.statement_timeout),
            build_timeout: self.statement_timeout,
            max_write_block: limits.max_write_block,
            max_total_write_block: limits.max_total_write_block,
        }
    }
}

/// `pgrehearse advise`.
#[derive(Debug, Args)]
pub struct AdviseArgs {
    /// The workload and the limits.
    #[command(flatten)]
    pub run: RunArgs,
    /// What to print.
    #[command(flatten)]
    pub report: ReportArgs,
    /// Advise from a twin file (see pgrehearse snapshot) without a connection; on the file's own
    /// workload, unless one is given
    #[arg(long, value_name = "FILE", conflicts_with = "pg_stat_statements")]
    pub snapshot: Vec<PathBuf>,
    /// What if the data grows? Compare with FACTOR times the rows, in all tables or in one
    /// (repeatable)
    #[arg(long, value_name = "FACTOR|TABLE=FACTOR")]
    pub scale: Vec<String>,
    /// What if a setting changes? Compare with this value (repeatable)
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    pub settings: Vec<(String, String)>,
    /// Count what this standby (or other server of the same cluster) has scanned, too, before an index
    /// is called unused (repeatable): a database name, a URI or "key=value …"
    #[arg(
        long = "standby",
        value_name = "CONNECTION",
        conflicts_with = "snapshot"
    )]
    pub standbys: Vec<String>,
    /// Advise also on the servers that foreign tables of the workload are on (postgres_fdw): connect
    /// to each as the role's user mapping says
    #[arg(long, conflicts_with = "snapshot")]
    pub follow_foreign: bool,
    /// Advise also on this foreign server, and connect to it so (repeatable): CONNECTION is a database
    /// name, a URI or "key=value …"
    #[arg(long = "foreign-server", value_name = "NAME=CONNECTION", value_parser = foreign_server, conflicts_with = "snapshot")]
    pub foreign_servers: Vec<(String, String)>,
    /// Exit with status 3 when a recommendation lowers a statement's cost by at least PCT per cent
    #[arg(long, value_parser = fail_on, value_name = "improvement=PCT")]
    pub fail_on: Option<f64>,
}

/// `pgrehearse check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Two twin files, before and after: which statements changed, and why
    #[arg(value_name = "TWIN")]
    pub twins: Vec<PathBuf>,
    /// The migration: a file of SQL, - for standard input, a directory with the files of a migration
    /// tool (Flyway, sqlx, Diesel, Prisma, golang-migrate, goose, dbmate, plain SQL), or two dumps of a
    /// schema as OLD.sql..NEW.sql (Rails' structure.sql); repeatable, in this order
    #[arg(long, value_name = "PATH")]
    pub migrate: Vec<PathBuf>,
    /// Check against a twin file (see pgrehearse snapshot) without a connection; with the file's own
    /// workload, unless one is given
    #[arg(long, value_name = "FILE", conflicts_with = "pg_stat_statements")]
    pub snapshot: Option<PathBuf>,
    /// Compare with the expected plans in this directory: a file of text for each statement
    #[arg(long, value_name = "DIR")]
    pub baseline: Option<PathBuf>,
    /// Accept the plans as they are: write them to the directory of --baseline
    #[arg(long, requires = "baseline")]
    pub update: bool,
    /// At which size does a plan flip? Plan with so many times the rows: 2x..20x, or 10x
    #[arg(long, value_name = "RANGE", value_parser = Factors::parse)]
    pub grow: Option<Factors>,
    /// Plan with the next major version, 15 to 18: the same schema, statistics and sizes. Its server
    /// programs are needed, too
    #[arg(long, value_name = "VERSION", value_parser = major_version)]
    pub upgrade: Option<u32>,
    /// Which plans depend on the rows that ANALYZE happens to look at? Plan with so many draws of what it
    /// may find
    #[arg(long, value_name = "DRAWS", num_args = 0..=1, require_equals = true, default_missing_value = "100",
          value_parser = clap::value_parser!(u16).range(2..=1000))]
    pub analyze_risk: Option<u16>,
    /// Exit with status 4 under this condition (repeatable, or separated by commas): regression=PCT,
    /// flip, cannot-run, lock=MODE>TIME such as lock=AccessExclusive>1s, unused-index
    #[arg(long, value_name = "CONDITION", value_parser = Gate::parse, value_delimiter = ',')]
    pub fail_on: Vec<Gate>,
    /// Write the results as JUnit's XML to this file, too
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write the findings as SARIF to this file, too
    #[arg(long, value_name = "FILE")]
    pub sarif: Option<PathBuf>,
    /// Print annotations for GitHub Actions, too
    #[arg(long)]
    pub annotations: bool,
    /// Show the result in the interactive interface: before and after, statement by statement
    #[arg(long)]
    pub tui: bool,
    /// The workload.
    #[command(flatten)]
    pub workload: WorkloadArgs,
    /// Timeouts.
    #[command(flatten)]
    pub safety: SafetyArgs,
    /// Directory of initdb and postgres for the planner twin; they must have the server's major
    /// version. Repeatable where two versions are needed
    #[arg(long, value_name = "DIR")]
    pub pg_bin: Vec<PathBuf>,
}

/// A major version that a server can be upgraded to.
fn major_version(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(version @ 15..=18) => Ok(version),
        _ => Err("expected a major version of PostgreSQL, 15 to 18".to_owned()),
    }
}

/// `pgrehearse watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Time between two rounds
    #[arg(long, value_name = "TIME", default_value = "10min", value_parser = Millis::parse)]
    pub every: Millis,
    /// Only one round, for cron: exit status 3 when something is new
    #[arg(long)]
    pub once: bool,
    /// Keep what was counted and said in this file, for the next start
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Run this command of the shell when something is new, with JSON on its standard input
    #[arg(long, value_name = "COMMAND")]
    pub notify: Option<String>,
    /// Advise on so many of the statements that took most time since the last round
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub top: usize,
    /// Timeouts.
    #[command(flatten)]
    pub safety: SafetyArgs,
    /// Limits.
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// `pgrehearse snapshot`.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// The workload.
    #[command(flatten)]
    pub workload: WorkloadArgs,
    /// Timeouts.
    #[command(flatten)]
    pub safety: SafetyArgs,
    /// Include all tables and views, not only those that the workload needs
    #[arg(long)]
    pub all_tables: bool,
    /// Replace data values in statistics by others with the same order; docs/twin-files.md says
    /// what that hides and what it does not
    #[arg(long)]
    pub redact: bool,
    /// Passphrase for --redact: the same passphrase gives the same values [default: random]
    #[arg(long, value_name = "TEXT", requires = "redact")]
    pub redact_key: Option<String>,
    /// Include up to 30 000 rows of each table: without them, sizes of partial, expression,
    /// multicolumn, GIN, GiST and SP-GiST indexes are guesses
    #[arg(long, conflicts_with = "redact")]
    pub sample: bool,
}

/// `pgrehearse explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The workload.
    #[command(flatten)]
    pub workload: WorkloadArgs,
    /// Timeouts.
    #[command(flatten)]
    pub safety: SafetyArgs,
    /// Save each plan as DIR/NAME.json, for pgrehearse review
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
}

/// `pgrehearse review`.
#[derive(Debug, Args)]
pub struct ReviewArgs {
    /// Files, or directories to search for files with plans; - is standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Compare the plans of two files, directories or recordings, before and after
    ///
    /// Plans of the same statement are compared, wherever they stand. The exit status is 0 also where plans differ, and 1
    /// where a file cannot be read or no statement is on both sides.
    #[arg(long)]
    pub diff: bool,
    /// Of a recording, what to print.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// `pgrehearse compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The earlier report (advise --format json) or recording
    #[arg(value_name = "OLD")]
    pub before: PathBuf,
    /// The later one
    #[arg(value_name = "NEW")]
    pub after: PathBuf,
}

/// `pgrehearse mcp`.
#[derive(Debug, Args)]
pub struct McpArgs {
    /// Advise from this twin file (see pgrehearse snapshot): no database is connected to
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
}

/// A shell that completions are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub enum CompletionShell {
    /// Bash
    Bash,
    /// Elvish
    Elvish,
    /// fish
    Fish,
    /// Nushell
    Nushell,
    /// PowerShell
    PowerShell,
    /// Zsh
    Zsh,
}

/// `pgrehearse demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Size of the sample data: 1 is about 200 000 rows in each large table
    #[arg(long, default_value_t = 1.0, value_parser = scale)]
    pub scale: f64,
    /// Do not install PostgreSQL when it is missing: only print how
    #[arg(long)]
    pub no_install: bool,
    /// Limits.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// Timeouts.
    #[command(flatten)]
    pub safety: SafetyArgs,
    /// Record the run in this file: pgrehearse review replays it without the server
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Show the result in the interactive interface
    #[arg(long)]
    pub tui: bool,
    /// What to print.
    #[command(flatten)]
    pub report: ReportArgs,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse::<f64>().ok();
    number
        .filter(|percent| (0.0..=100.0).contains(percent))
        .ok_or_else(|| "expected a percentage from 0 to 100".to_owned())
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("expected NAME=VALUE, such as random_page_cost=1.1")?;
    if name.trim().is_empty() {
        return Err("expected NAME=VALUE, but the name is empty".to_owned());
    }
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn foreign_server(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, connection)) if !name.is_empty() && !connection.is_empty() => {
            Ok((name.to_owned(), connection.to_owned()))
        }
        _ => {
            Err("expected NAME=CONNECTION, such as app1=postgresql://advisor@host/app1".to_owned())
        }
    }
}

fn fail_on(text: &str) -> Result<f64, String> {
    percent(
        text.strip_prefix("improvement=")
            .ok_or("expected improvement=PCT, such as improvement=50")?,
    )
}

fn scale(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    number
        .filter(|scale| (0.01..=100.0).contains(scale))
        .ok_or_else(|| "expected a number from 0.01 to 100".to_owned())
}
