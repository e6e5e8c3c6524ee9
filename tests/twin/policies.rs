//! Row-level security: the twin plans with the policies that apply to the role, and statements are
//! planned as others execute them where they apply to others only.

use serde_json::Value;

use crate::exactness::conninfo;
use crate::live::{Database, recommended, statement, text_of};

/// Parcels of 400 depots, some of which have many; the depot comes from a setting. `seen` counts who
/// called the function of the policy.
const PARCELS: &str = "
    CREATE FUNCTION depot() RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN current_setting('yard.depot')::int; END $$;
    CREATE TABLE parcels (id bigint PRIMARY KEY, depot_id int NOT NULL, arrived timestamptz NOT NULL, weight int NOT NULL);
    INSERT INTO parcels SELECT n, (n % 20) * (n % 20), timestamptz '2024-01-01' + n * 7919 % 60000 * interval '1 minute', n % 90
    FROM generate_series(1, 60000) AS n;
    ALTER TABLE parcels ENABLE ROW LEVEL SECURITY;
    CREATE POLICY of_depot ON parcels FOR SELECT USING (depot_id = depot());
    ANALYZE;";

const NEWEST: &str = "SELECT id, weight FROM parcels ORDER BY arrived DESC LIMIT 30";

fn notices(report: &Value) -> Vec<&str> {
    let notices = report["notices"].as_array().unwrap().iter();
    notices.map(|notice| notice.as_str().unwrap()).collect()
}

#[test]
fn a_superuser_gets_advice_for_those_to_whom_policies_apply() {
    let database = Database::new("policies_others", PARCELS);
    database.run("ALTER DATABASE policies_others SET track_functions = 'all'");
    let report = database.advise(&["-c", NEWEST]);
    let found = recommended(&report, &["(depot_id, arrived)"]);
    assert_eq!(found.len(), 1, "{report:#}");
    let rare = statement(&report, "command-1:1[under policies, rare]");
    assert_eq!(
        rare["value_class"]["frequency"], "under_policies_rare",
        "{rare:#}"
    );
    let others = statement(&report, "command-1:1[under policies]");
    assert_eq!(
        others["value_class"]["frequency"], "under_policies",
        "{others:#}"
    );
    let setting = &others["value_class"]["values"][0];
    assert_eq!(setting["name"], "yard.depot", "{others:#}");
    let depot = setting["value"].as_str().unwrap();
    let about: Vec<&str> = notices(&report)
        .into_iter()
        .filter(|notice| notice.contains("row-level security"))
        .collect();
    let [about] = about.as_slice() else {
        panic!("{report:#}");
    };
    assert!(
        about.ends_with(&format!(
            "with the policies for PUBLIC, where yard.depot = '{depot}': command-1:1"
        )),
        "{about}"
    );
    let calls =
        database.text("SELECT count(*)::text FROM pg_stat_user_functions WHERE funcname = 'depot'");
    assert_eq!(
        calls, "0",
        "policies of others are not evaluated on the server"
    );
}

/// What the session sets is what is meant.
#[test]
fn a_setting_of_the_session_is_the_value() {
    let database = Database::new("policies_session", PARCELS);
    let output = database
        .program(&["advise", "--format", "json", "-c", NEWEST])
        .env("PGOPTIONS", "-c yard.depot=81")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let others = statement(&report, "command-1:1[under policies]");
    let expected = serde_json::json!([{"name": "yard.depot", "value": "81"}]);
    assert_eq!(others["value_class"]["values"], expected, "{others:#}");
}

#[test]
fn what_others_may_not_do_is_planned_as_the_role_does_it() {
    let database = Database::new("policies_commands", PARCELS);
    let report = database.advise(&[
        "-c",
        "UPDATE parcels SET weight = 1 WHERE arrived = '2024-01-09'",
    ]);
    assert_eq!(recommended(&report, &["(arrived)"]).len(), 1, "{report:#}");
}

/// The policies of a role, and not those of another one.
#[test]
fn a_role_is_planned_with_its_own_policies() {
    let database = Database::new(
        "policies_own",
        &format!(
            "DROP ROLE IF EXISTS policies_own; CREATE ROLE policies_own LOGIN; DROP ROLE IF EXISTS policies_else; CREATE ROLE policies_else; {PARCELS}
             CREATE POLICY light ON parcels AS RESTRICTIVE FOR SELECT TO policies_else USING (weight < 5);
             ALTER TABLE parcels FORCE ROW LEVEL SECURITY; ALTER TABLE parcels OWNER TO policies_own;
             ALTER ROLE policies_own SET yard.depot = '49'; GRANT CREATE ON SCHEMA public TO policies_own;
             GRANT SELECT ON pg_catalog.pg_statistic, pg_catalog.pg_statistic_ext_data TO policies_own;"
        ),
    );
    let output = database
        .program(&["advise", "--format", "json", "-c", NEWEST])
        .arg("-d")
        .arg(conninfo(&database, "policies_own"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let newest = statement(&report, "command-1:1");
    assert_eq!(newest["twin_agreement"], "exact", "{report:#}");
    let filter = newest["plan_before"].to_string();
    assert!(
        filter.contains("depot()") && !filter.contains("weight < 5"),
        "{filter}"
    );
    let found = recommended(&report, &["(depot_id, arrived)"]);
    assert_eq!(found.len(), 1, "{report:#}");
    assert_eq!(
        found[0]["evidence"], "rolled_back_transaction",
        "{report:#}"
    );
}

/// The planner calls functions that are not volatile, to know how many rows to expect.
#[test]
fn tables_that_functions_read_are_in_the_twin() {
    let database = Database::new(
        "policies_functions",
        "CREATE TABLE year_end (book text PRIMARY KEY, closed date NOT NULL); INSERT INTO year_end VALUES ('main', '2024-02-01'), ('side', '2020-01-01');
         CREATE FUNCTION closed_until() RETURNS date LANGUAGE plpgsql STABLE AS $$ BEGIN
            RETURN (SELECT e.closed FROM year_end e WHERE e.book = 'main'); END $$;
         CREATE FUNCTION open_since() RETURNS date LANGUAGE sql STABLE AS 'SELECT closed_until() + 1';
         CREATE TABLE postings (id bigint PRIMARY KEY, day date NOT NULL, cents int NOT NULL);
         INSERT INTO postings SELECT n, date '2020-01-01' + n / 40, n % 1000 FROM generate_series(1, 60000) AS n;
         ANALYZE;",
    );
    let report = database.advise(&[
        "-c",
        "SELECT sum(cents) FROM postings WHERE day >= open_since()",
    ]);
    let postings = statement(&report, "command-1:1");
    assert_eq!(postings["twin_agreement"], "exact", "{report:#}");
    assert_eq!(recommended(&report, &["(day)"]).len(), 1, "{report:#}");
}

/// A policy whose function PostgreSQL calls for every row, because nearly all rows are wanted.
#[test]
fn a_function_of_a_policy_is_called_once_in_a_subquery() {
    let database = Database::new(
        "policies_once",
        "CREATE FUNCTION edition() RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN 900; END $$;
         CREATE TABLE articles (id bigint PRIMARY KEY, since_edition int NOT NULL, words int NOT NULL);
         INSERT INTO articles SELECT n, n % 1000, n % 700 FROM generate_series(1, 60000) AS n;
         ALTER TABLE articles ENABLE ROW LEVEL SECURITY;
         CREATE POLICY \"out already\" ON articles USING (since_edition <= edition() OR words = 7777);
         ANALYZE;",
    );
    let report = database.advise(&["-c", "SELECT avg(words) FROM articles"]);
    let remedies = report["remedies"].as_array().unwrap();
    let altered = remedies
        .iter()
        .find(|remedy| remedy["kind"] == "alter_policy")
        .unwrap_or_else(|| panic!("{report:#}"));
    let statement = altered["statements"][0].as_str().unwrap();
    assert_eq!(
        statement,
        "ALTER POLICY \"out already\" ON public.articles USING ((since_edition <= (SELECT public.edition())) OR (words = 7777));"
    );
    assert_eq!(
        altered["benefits"][0]["statement"],
        "command-1:1[under policies]"
    );
    database.run(statement);
}

/// Who belongs to which team: a subquery that names a column of the row is evaluated for every row. What
/// is shown in its place is accepted by the server, and shows everybody the same rows.
#[test]
fn a_subquery_of_a_policy_is_evaluated_once() {
    let database = Database::new(
        "policies_membership",
        "CREATE FUNCTION me() RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN nullif(current_setting('app.me', true), '')::int; END $$;
         SELECT setseed(0.5);
         CREATE TABLE members (team int, person int, active boolean);
         INSERT INTO members SELECT nullif((random() * 60)::int, 7), nullif((random() * 400)::int, 9), random() < 0.8
         FROM generate_series(1, 4000);
         CREATE INDEX ON members (team);
         CREATE TABLE documents (id bigint PRIMARY KEY, team int, owner int, title text);
         INSERT INTO documents SELECT n, nullif((random() * 60)::int, 3), (random() * 400)::int, 'title ' || n
         FROM generate_series(1, 6000) AS n;
         ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
         CREATE POLICY shared ON documents USING (owner = me() OR me() IN
             (SELECT person FROM members WHERE members.team = documents.team AND active));
         DROP ROLE IF EXISTS member_reader;
         CREATE ROLE member_reader;
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO member_reader;
         ANALYZE;",
    );
    let report = database.advise(&["-c", "SELECT count(title) FROM documents"]);
    let remedies = report["remedies"].as_array().unwrap();
    let altered = remedies
        .iter()
        .find(|remedy| remedy["kind"] == "alter_policy")
        .unwrap_or_else(|| panic!("{report:#}"));
    let statement = altered["statements"][0].as_str().unwrap();
    assert_eq!(
        statement,
        "ALTER POLICY shared ON public.documents USING ((owner = (SELECT public.me())) OR (documents.team IN \
         (SELECT members.team FROM public.members WHERE members.person = (SELECT public.me()) AND members.active)));"
    );
    let mut client = database.client();
    let mut shown = || -> Vec<Option<String>> {
        let people = (0..=400).step_by(37).map(|person: i32| {
            client
                .batch_execute(&format!("SET app.me = {person}; SET ROLE member_reader"))
                .unwrap();
            let rows = client.query_one(
                "SELECT string_agg(id::text, ',' ORDER BY id) FROM documents",
                &[],
            );
            client.batch_execute("RESET ROLE").unwrap();
            rows.unwrap().get(0)
        });
        people.collect()
    };
    let before = shown();
    database.run(statement);
    assert_eq!(before, shown());
    let seen = before.iter().flatten().map(String::len).sum::<usize>();
    assert!(seen > 5_000, "{seen} letters of numbers say little");
}
