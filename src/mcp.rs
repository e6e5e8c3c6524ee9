//! A server of the Model Context Protocol on standard input and output, for assistants
//! (<https://modelcontextprotocol.io/specification>). It knows the protocol and the tools' texts;
//! what a tool does is behind [`Tools`].

use std::sync::Arc;

use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{
    Implementation, ListResourcesResult, PaginatedRequestParams, ReadResourceRequestParams,
    ReadResourceResponse, ReadResourceResult, Resource as ListedResource, ResourceContents,
    ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{
    ErrorData, RoleServer, ServerHandler, ServiceExt, schemars, tool, tool_handler, tool_router,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// What assistants may ask for. Nothing of it changes a database.
pub trait Tools: Send + Sync + 'static {
    /// The answer as text; an error is a sentence for the assistant.
    ///
    /// # Errors
    /// When the request cannot be answered.
    fn answer(&self, request: ToolRequest) -> Result<String, String>;

    /// What can be read without a call of a tool. There is none where a server is connected to.
    fn resources(&self) -> Vec<Resource>;

    /// The text of a resource, or `None` if there is none of that name.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self, name: &str) -> Result<Option<String>, String>;
}

/// Something that an assistant can read.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its name; the address is `pgrehearse://NAME`.
    pub name: String,
    /// A sentence about it.
    pub description: String,
    /// Its media type.
    pub media_type: &'static str,
}

/// One call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolRequest {
    /// Plan these statements.
    Explain {
        /// SQL, separated by semicolons.
        sql: String,
    },
    /// Say what is remarkable about plans that somebody has.
    Review {
        /// EXPLAIN's output in any format.
        plan: String,
    },
    /// Recommend indexes.
    Advise(AdviseParameters),
    /// Say what a migration does to the workload.
    Check(CheckParameters),
    /// All about a recommendation or remedy of the last advice.
    Recommendation {
        /// `r1`, `m1`.
        id: String,
    },
    /// All about a statement of the last advice.
    Statement {
        /// Its name in the report.
        name: String,
    },
}

/// Statements to plan.
#[derive(Debug, Deserialize, JsonSchema)]
struct ExplainParameters {
    /// SQL statements, separated by semicolons
    sql: String,
}

/// Plans to review.
#[derive(Debug, Deserialize, JsonSchema)]
struct ReviewParameters {
    /// The output of EXPLAIN in any format (text, JSON, YAML, XML), with or without ANALYZE
    plan: String,
}

/// A workload and limits.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
pub struct AdviseParameters {
    /// SQL statements, separated by semicolons; comments above a statement give its name and its
    /// weight: -- name: x, -- calls: 12000. Without it, the workload of the twin file
    pub sql: Option<String>,
    /// Take the statements with the most total time from pg_stat_statements instead
    #[serde(default)]
    pub pg_stat_statements: bool,
    /// How many statements to take from pg_stat_statements
    pub top: Option<u32>,
    /// Maximum total size of the recommended indexes, such as 500MB
    pub budget: Option<String>,
    /// Maximum number of recommended indexes
    pub max_indexes: Option<u32>,
}

/// A migration, and whom it must not slow down.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
pub struct CheckParameters {
    /// The statements of the migration, separated by semicolons. They are executed in the planner twin
    /// only
    pub migration: String,
    /// The workload, as for advise. Without it, that of the twin file
    pub sql: Option<String>,
}

/// A part of the last advice.
#[derive(Debug, Deserialize, JsonSchema)]
struct RecommendationParameters {
    /// The id in the report of advise: r1, m1
    id: String,
}

/// A part of the last advice.
#[derive(Debug, Deserialize, JsonSchema)]
struct StatementParameters {
    /// The name of the statement in the report of advise
    name: String,
}

const INSTRUCTIONS: &str = "pgrehearse advises on PostgreSQL indexes. Call advise with a workload first; it tests candidate indexes in a planner twin \
and changes nothing. recommendation and statement then show one part of that advice with its plans. check says what a migration does before it runs anywhere. explain plans statements without new indexes, and \
review reads EXPLAIN output that the user has. Never run the DDL yourself without being asked: show it to the user.";

#[derive(Clone)]
struct Server {
    tools: Arc<dyn Tools>,
}

impl Server {
    /// The work takes seconds, so it has a thread of its own.
    async fn run(&self, request: ToolRequest) -> Result<String, String> {
        let tools = Arc::clone(&self.tools);
        let answer = tokio::task::spawn_blocking(move || tools.answer(request)).await;
        answer.unwrap_or_else(|_| Err("the tool failed".to_owned()))
    }
}

#[tool_router]
impl Server {
    #[tool(
        description = "Plan SQL statements as the server plans them, without executing them, and say what is remarkable about the plans",
        annotations(read_only_hint = true, destructive_hint = false)
    )]
    async fn explain(
        &self,
        Parameters(parameters): Parameters<ExplainParameters>,
    ) -> Result<String, String> {
        let sql = parameters.sql;
        self.run(ToolRequest::Explain { sql }).await
    }

    #[tool(
        description = "Say what is remarkable about plans that the user has: EXPLAIN output in any format. Needs no database",
        annotations(read_only_hint = true, destructive_hint = false)
    )]
    async fn review(
        &self,
        Parameters(parameters): Parameters<ReviewParameters>,
    ) -> Result<String, String> {
        let plan = parameters.plan;
        self.run(ToolRequest::Review { plan }).await
    }

    #[tool(
        description = "Recommend indexes for a workload. Candidates are tested in a planner twin; nothing is built on the server. Takes seconds to minutes",
        annotations(read_only_hint = true, destructive_hint = false)
    )]
    async fn advise(
        &self,
        Parameters(parameters): Parameters<AdviseParameters>,
    ) -> Result<String, String> {
        self.run(ToolRequest::Advise(parameters)).await
    }

    #[tool(
        description = "Check a migration before it runs anywhere: which statements get slower or fail, what it locks and for how long, and how it is written so that nobody waits. It is executed in the planner twin only",
        annotations(read_only_hint = true, destructive_hint = false)
    )]
    async fn check(
        &self,
        Parameters(parameters): Parameters<CheckParameters>,
    ) -> Result<String, String> {
        self.run(ToolRequest::Check(parameters)).await
    }

    #[tool(
        description = "Show one recommendation or remedy of the last advise, with the plans of its statements before and after",
        annotations(read_only_hint = true, destructive_hint = false)
    )]
    async fn recommendation(
        &self,
        Parameters(parameters): Parameters<RecommendationParameters>,
    ) -> Result<String, String> {
        let id = parameters.id;
        self.run(ToolRequest::Recommendation { id }).await
    }

    #[tool(
        description = "Show one statement of the last advise: its SQL, its plans before and after, and why no index helps if none does",
        annotations(read_only_hint = true, destructive_hint = false)
    )]
    async fn statement(
        &self,
        Parameters(parameters): Parameters<StatementParameters>,
    ) -> Result<String, String> {
        let name = parameters.name;
        self.run(ToolRequest::Statement { name }).await
    }
}

/// What the addresses of resources begin with.
const SCHEME: &str = "pgrehearse://";

#[tool_handler]
impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new(
                env!("CARGO_PKG_NAME"),
                env!("CARGO_PKG_VERSION"),
            ))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let listed = |resource: Resource| {
            let address = format!("{SCHEME}{}", resource.name);
            ListedResource::new(address, resource.name)
                .with_description(resource.description)
                .with_mime_type(resource.media_type)
        };
        let resources = self.tools.resources().into_iter().map(listed).collect();
        Ok(ListResourcesResult::with_all_items(resources))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let not_found = || {
            let message = format!("there is no resource {:?}", request.uri);
            ErrorData::resource_not_found(message, None)
        };
        let name = request.uri.strip_prefix(SCHEME).ok_or_else(not_found)?;
        let (name, tools) = (name.to_owned(), Arc::clone(&self.tools));
        let text = tokio::task::spawn_blocking(move || tools.read(&name)).await;
        let text = text.unwrap_or_else(|_| Err("reading it failed".to_owned()));
        let text = text.map_err(|message| ErrorData::internal_error(message, None))?;
        let text = text.ok_or_else(not_found)?;
        let contents = vec![ResourceContents::text(text, request.uri)];
        Ok(ReadResourceResult::new(contents).into())
    }
}

/// Serves one client until it closes standard input.
///
/// # Errors
/// When the client does not speak the protocol, or the connection fails.
pub fn serve(tools: Arc<dyn Tools>) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let server = Server { tools };
        let service = server.serve(rmcp::transport::stdio()).await;
        let service = service.map_err(|error| error.to_string())?;
        service.waiting().await.map_err(|error| error.to_string())?;
        Ok(())
    })
}
