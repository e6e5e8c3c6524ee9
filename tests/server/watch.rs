//! `pgrehearse watch`: rounds over what was executed in between.

use crate::live::{Database, text_of};

#[test]
fn a_round_says_only_what_is_new_since_the_last_one() {
    let database = Database::new(
        "watch",
        "CREATE EXTENSION pg_stat_statements;
         CREATE TABLE parcel (id bigint PRIMARY KEY, depot int, weight int);
         INSERT INTO parcel SELECT n, n % 3000, n % 700 FROM generate_series(1, 60000) AS n; ANALYZE parcel;",
    );
    // What loaded the table writes to it, too.
    database.text("SELECT pg_stat_statements_reset(0, oid, 0) FROM pg_database WHERE datname = current_database()");
    let before = database.catalog();
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (state, told) = (path("state.json"), path("told.json"));
    let notify = format!("cat > {told}");
    let round = || {
        let arguments = [
            "watch", "--once", "--quiet", "--state", &state, "--notify", &notify,
        ];
        let output = database.program(&arguments).output().unwrap();
        (output.status.code(), text_of(&output))
    };
    for depot in [7, 8] {
        database.text(&format!("SELECT * FROM parcel WHERE depot = {depot}"));
    }
    let (status, text) = round();
    assert_eq!(status, Some(3), "{text}");
    assert!(
        text.contains("ON public.parcel USING btree (depot)"),
        "{text}"
    );
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&told).unwrap()).unwrap();
    assert_eq!(json["database"], "watch");
    assert_eq!(json["new"][0]["definition"], "public.parcel (depot)");

    database.text("SELECT * FROM parcel WHERE depot = 9");
    let (status, text) = round();
    assert_eq!(status, Some(0), "it was said before: {text}");
    assert!(!text.contains("CREATE INDEX"), "{text}");

    database.text("SELECT count(*) FROM parcel WHERE weight = 33");
    let (status, text) = round();
    assert_eq!(status, Some(3), "{text}");
    assert!(
        text.contains("(weight)") && !text.contains("(depot)"),
        "{text}"
    );
    assert_eq!(database.catalog(), before, "nothing was built");

    std::fs::write(&state, "{}").unwrap();
    let (status, text) = round();
    assert_eq!(status, Some(1), "{text}");
    assert!(
        text.contains("state.json: this is no state of pgrehearse watch"),
        "{text}"
    );
}
