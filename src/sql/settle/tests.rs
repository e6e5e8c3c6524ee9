use super::*;

/// The first text that this accepts.
fn settled(sql: &str, mut accepts: impl FnMut(&str) -> Result<(), Refusal>) -> Option<String> {
    let mut search = Search::of(sql)?;
    while let Some(text) = search.next_text() {
        let text = text.to_owned();
        match accepts(&text) {
            Ok(()) => return Some(text),
            Err(refusal) => search.refused(refusal),
        }
    }
    None
}

fn refusal(state: &str, message: &str, at: Option<usize>) -> Refusal {
    Refusal {
        state: state.to_owned(),
        message: message.to_owned(),
        at,
    }
}

fn corrected(sql: &str) -> Option<String> {
    grammar::corrected(&Tokens::read(sql)?)
}

#[test]
fn constants_with_a_type_become_casts() {
    for (sql, expected) in [
        (
            "select now() - interval $1",
            "select now() - CAST($1 AS interval)",
        ),
        (
            "select interval $1 day to second(2), $2",
            "select CAST($1 AS interval day to second(2)), $2",
        ),
        (
            "where a between date $1 and pg_catalog.date $2",
            "where a between CAST($1 AS date) and CAST($2 AS pg_catalog.date)",
        ),
        (
            "select timestamp(3) with time zone $1",
            "select CAST($1 AS timestamp(3) with time zone)",
        ),
        (
            "select double precision $1, \"char\" $2",
            "select CAST($1 AS double precision), CAST($2 AS \"char\")",
        ),
        (
            "where extract($1 from placed_at) = $2",
            "where pg_catalog.date_part($1,  placed_at) = $2",
        ),
    ] {
        assert_eq!(corrected(sql).as_deref(), Some(expected));
    }
    for sql in [
        "select $1 from t where a in ($2 /*, ... */) and b like $3 escape $4 limit $5",
        "select CAST($1 AS interval), $2::date, case when a then $3 else $4 end",
    ] {
        assert_eq!(corrected(sql), None, "{sql}");
    }
}

#[test]
fn parameters_of_a_list_get_one_type() {
    let message = "operator does not exist: bigint = text";
    let sql = "SELECT FROM (VALUES ($1,$2),($3,$4)) v(i,t) JOIN o ON o.id=v.i";
    let at = sql.find("=v");
    let wanted = "SELECT FROM (VALUES ($1::bigint,$2),($3::bigint,$4)) v(i,t) JOIN o ON o.id=v.i";
    let accepts = |text: &str| {
        if text == wanted {
            Ok(())
        } else {
            Err(refusal("42883", message, at))
        }
    };
    assert_eq!(settled(sql, accepts).as_deref(), Some(wanted));
    let tokens =
        Tokens::read("a = ANY (ARRAY[$1, $2]) AND b IN ($3, $4, c) AND f($5, $6)").unwrap();
    let group = |number: u32| {
        let at =
            (0..tokens.len()).find(|at| tokens.at(*at).and_then(groups::number) == Some(number));
        groups::of_one_type(&tokens, at.unwrap())
            .into_iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (group(1), group(3), group(5)),
        (vec![1, 2], vec![3, 4], vec![5])
    );
}

#[test]
fn arguments_of_an_ambiguous_function_are_numbers_first() {
    let sql = "select * from o where id in (select * from generate_series($1,$2))";
    let message = "function generate_series(unknown, unknown) is not unique";
    let at = sql.find("generate");
    let accepts = |text: &str| {
        if text.contains("::") {
            Ok(())
        } else {
            Err(refusal("42725", message, at))
        }
    };
    assert_eq!(
        settled(sql, accepts).as_deref(),
        Some(
            "select * from o where id in (select * from generate_series($1::integer,$2::integer))"
        )
    );
}

#[test]
fn constants_of_grouped_expressions_are_the_same_again() {
    let sql = "SELECT date_trunc($1, at) AS d, lower(x || $2) FROM t WHERE k = $3 \
               GROUP BY DATE_TRUNC($4, at), lower(x || $5) ORDER BY date_trunc($6, at) LIMIT $7";
    let accepts = |text: &str| {
        if text.contains("$7") {
            Err(refusal("42803", "column must appear in GROUP BY", Some(8)))
        } else {
            Ok(())
        }
    };
    assert_eq!(
        settled(sql, accepts).as_deref(),
        Some(
            "SELECT date_trunc($1, at) AS d, lower(x || $2) FROM t WHERE k = $3 \
             GROUP BY DATE_TRUNC($1, at), lower(x || $2) ORDER BY date_trunc($1, at) LIMIT $4"
        )
    );
}

#[test]
fn a_constant_that_is_left_is_that_of_the_same_expressions() {
    let sql = "select date_trunc($1, at), count(*) from t where a = $2 group by date_trunc('day', at) order by date_trunc('day', at)";
    let merged = equal_constants::merged(&Tokens::read(sql).unwrap());
    assert_eq!(
        merged.as_deref(),
        Some(
            "select date_trunc('day', at), count(*) from t where a = $1 group by date_trunc('day', at) order by date_trunc('day', at)"
        )
    );
}

#[test]
fn constants_within_rollup_cube_and_grouping_sets_are_the_same_again() {
    let merged = |sql: &str| equal_constants::merged(&Tokens::read(sql).unwrap());
    for (groups, expected) in [
        ("ROLLUP (k % 10, s)", "ROLLUP (k % 10, s)"),
        ("s, cube (k % 10)", "s, cube (k % 10)"),
        (
            "GROUPING SETS ((k % 10, s), (k % 10), ())",
            "GROUPING SETS ((k % 10, s), (k % 10), ())",
        ),
    ] {
        let sql = format!("select k % $1, count(*) from t group by {groups}");
        let constant = format!("select k % 10, count(*) from t group by {expected}");
        assert_eq!(merged(&sql), Some(constant), "{sql}");
    }
    assert_eq!(
        merged("select k % $1 from t group by rollup (k % $2, s)").as_deref(),
        Some("select k % $1 from t group by rollup (k % $1, s)")
    );
    let deep = format!(
        "select a from t group by rollup {}k{}",
        "(".repeat(5_000),
        ")".repeat(5_000)
    );
    assert_eq!(merged(&deep), None);
}

#[test]
fn many_parameters_without_a_type_are_texts() {
    let missing = (2..=14).rev();
    let sql = format!(
        "select format({}) from t",
        (1..=14)
            .map(|n| format!("${n}"))
            .collect::<Vec<_>>()
            .join(", ")
    );
    let accepts = |text: &str| {
        let untyped = missing
            .clone()
            .find(|n| !text.contains(&format!("${n}::text")));
        untyped.map_or(Ok(()), |n| {
            let message = format!("could not determine data type of parameter ${n}");
            Err(refusal("42P18", &message, None))
        })
    };
    let found = settled(&sql, accepts).unwrap();
    assert!(found.starts_with("select format($1, $2::text, "), "{found}");
}

#[test]
fn missing_numbers_are_closed() {
    let accepts = |text: &str| {
        if text.contains("$4") {
            Err(refusal(
                "42P18",
                "could not determine data type of parameter $2",
                None,
            ))
        } else {
            Ok(())
        }
    };
    assert_eq!(
        settled("select a from t where b in ($1) and c = $4", accepts).as_deref(),
        Some("select a from t where b in ($1) and c = $2")
    );
}

#[test]
fn what_is_missing_ends_the_search() {
    let mut search = Search::of("select interval $1 from gone").unwrap();
    search.next_text();
    search.refused(refusal("42601", "syntax error", Some(16)));
    search.next_text();
    search.refused(refusal("42P01", "relation does not exist", None));
    assert_eq!(search.next_text(), None);
    assert_eq!(
        search.lasting().map(|refusal| refusal.state.as_str()),
        Some("42P01")
    );
    assert!(Search::of("select 1").is_none());
}

#[test]
fn a_search_ends() {
    let sql = format!(
        "select {}",
        (1..200)
            .map(|n| format!("${n}"))
            .collect::<Vec<_>>()
            .join(" + ")
    );
    let mut tried = 0;
    let nothing = settled(&sql, |text| {
        tried += 1;
        Err(refusal(
            "42725",
            &format!("operator is not unique {}", text.len()),
            Some(10),
        ))
    });
    assert_eq!((nothing, tried), (None, MAX_TRIES));
}

#[test]
fn variables_of_functions_are_parameters() {
    let sql =
        "SELECT count(*) FROM job j WHERE j.owner = the_owner AND j.kind = rec.kind AND id > $1";
    let mut search = Search::within_function(sql).unwrap();
    let mut texts = Vec::new();
    while let Some(text) = search.next_text().map(str::to_owned) {
        texts.push(text.clone());
        let at = |name: &str| text.find(name).map(|byte| text[..byte].chars().count());
        match (at("the_owner"), at("rec.kind")) {
            (Some(place), _) => search.refused(refusal("42703", "column the_owner", Some(place))),
            (None, Some(place)) => {
                search.refused(refusal("42P01", "missing FROM-clause", Some(place)))
            }
            _ => break,
        }
    }
    assert_eq!(
        texts.last().map(String::as_str),
        Some("SELECT count(*) FROM job j WHERE j.owner = $2 AND j.kind = $3 AND id > $1")
    );
    let mut search = Search::within_function("SELECT a FROM gone WHERE b = c").unwrap();
    search.next_text();
    search.refused(refusal("42P01", "relation does not exist", Some(14)));
    assert!(search.lasting().is_some() && search.next_text().is_none());
}

#[test]
fn drivers_placeholders_are_parameters() {
    for (sql, expected) in [
        (
            "select a from t where b=? and c in (?,?) fetch first ? rows only",
            "select a from t where b=$1 and c in ($2,$3) fetch first $4 rows only",
        ),
        (
            "select a from t where doc ? 'k' and x = ?1 and y = ?2 or z = ?1",
            "select a from t where doc ? 'k' and x = $1 and y = $2 or z = $1",
        ),
        (
            "select a from t where doc ?? 'k' and doc ?| array[?] and doc @? ?",
            "select a from t where doc ? 'k' and doc ?| array[$1] and doc @? $2",
        ),
        (
            "select a from t where doc operator(ext.?) 'k' and d OPERATOR ( pg_catalog.% ) 2 = ? and e operator(ext.@) :low",
            "select a from t where doc operator(ext.?) 'k' and d OPERATOR ( pg_catalog.% ) 2 = $1 and e operator(ext.@) $2",
        ),
        (
            "select a from t where b = %s and c like '%s' and d %% 2 = %s",
            "select a from t where b = $1 and c like '%s' and d % 2 = $2",
        ),
        (
            "select a from t where b = %(id)s or c = %(id)s or d = %(x_1)s",
            "select a from t where b = $1 or c = $1 or d = $2",
        ),
        (
            "select a[1:n]::text from t where b = :id and c > :from::date -- :no",
            "select a[1:n]::text from t where b = $1 and c > $2::date -- :no",
        ),
        (
            "select a from t where b = @p0 and c <@ d and e = @name",
            "select a from t where b = $1 and c <@ d and e = $2",
        ),
        (
            "select a from t where b in %s and c NOT IN :list and d in (%s) and e in %(ids)s",
            "select a from t where b in ($1) and c NOT IN ($2) and d in ($3) and e in ($4)",
        ),
        (
            "select a from t where main = ? and \"in\" = ?",
            "select a from t where main = $1 and \"in\" = $2",
        ),
        (
            "select a from t where b > $1 and c = ?",
            "select a from t where b > $1 and c = $2",
        ),
        (
            "select a from t where b like ?||'%' and c=?and d",
            "select a from t where b like $1||'%' and c=$2 and d",
        ),
    ] {
        assert_eq!(
            numbered(sql).map(|found| found.sql).as_deref(),
            Some(expected),
            "{sql}"
        );
    }
    for sql in [
        "select a % s2 from t where doc ? 'x' and t.b = $1 and c = ':x'",
        "select a::text, b[1:2], c @> d, @ -5 from t",
        "select a %% 2 from t",
    ] {
        assert_eq!(numbered(sql), None, "{sql}");
    }
    assert_eq!(numbered("select $999999999, ?"), None);
    let names = numbered("select :b, %s, :a, :b").unwrap().names;
    assert_eq!(names, [Some("b".to_owned()), None, Some("a".to_owned())]);
}

proptest::proptest! {
    #[test]
    fn any_text_is_read(text in "[a-z?:%@$'\"()\\[\\] 1]{0,40}") {
        numbered(&text);
        if let Some(mut search) = Search::of(&text) {
            for at in 0..8 {
                if search.next_text().is_none() {
                    break;
                }
                search.refused(refusal(["42601", "42803", "42725"][at % 3], "operator: date + $2", Some(at)));
            }
        }
    }
}
