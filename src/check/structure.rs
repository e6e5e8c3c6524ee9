//! The migration between two dumps of a schema: Rails' `db/structure.sql` before and after a branch, dbmate's
//! `schema.sql`, or the output of `pg_dump --schema-only`.
//!
//! Objects correspond by their names. What both have in other words is altered where there is a statement
//! for it (columns, enums, views, functions), else dropped and made anew. A renamed object looks like one
//! that was dropped and another one that is new. Rows, comments, owners and settings are left out.

use std::collections::BTreeMap;

use crate::sql::psql::{Variables, plain};
use crate::sql::split::split;

mod list;
mod object;
mod table;

use object::{Kind, Object};

/// The statements that make the one schema the other, in an order in which they can run.
pub fn difference(old: &str, new: &str) -> String {
    let (old, new) = (Structure::read(old), Structure::read(new));
    let mut script = Script::default();
    let is_gone = |object: &Object| !new.has(object);
    let is_of_gone_table = |object: &Object| {
        let table = object.table.as_deref();
        table.is_some_and(|table| old.table(table).is_some() && new.table(table).is_none())
    };
    for object in old.objects.iter().rev() {
        let is_changed = new.of_key(object).is_some_and(|now| now.sql != object.sql);
        let goes = is_gone(object) || is_changed && object.is_made_anew();
        if goes && !object.kind.is_dropped_last() && !is_of_gone_table(object) {
            script.first.extend(object.drop());
        }
    }
    for object in &new.objects {
        let statements = match old.of_key(object) {
            None => vec![object.sql.clone()],
            Some(before) if before.sql == object.sql => continue,
            Some(before) => altered(before, object, &mut script.last),
        };
        script.part_of(object.kind).extend(statements);
    }
    let mut tables = Vec::new();
    for object in old.objects.iter().rev().filter(|object| is_gone(object)) {
        match object.kind {
            Kind::Table => tables.push(object.name.clone()),
            kind if kind.is_dropped_last() => script.last.extend(object.drop()),
            _ => {}
        }
    }
    if !tables.is_empty() {
        script
            .last
            .insert(0, format!("DROP TABLE {}", tables.join(", ")));
    }
    script.text()
}

/// What makes the object what it is now; what removes something goes to the end.
fn altered(before: &Object, now: &Object, last: &mut Vec<String>) -> Vec<String> {
    match now.kind {
        Kind::Table => table::altered(&before.sql, &now.sql, &now.name, last),
        Kind::Enum => object::extended_enum(&before.sql, &now.sql, &now.name),
        Kind::View | Kind::Function => vec![now.sql.replacen("CREATE ", "CREATE OR REPLACE ", 1)],
        _ => vec![now.sql.clone()],
    }
}

/// A dump.
struct Structure {
    objects: Vec<Object>,
    /// Places in `objects` by what identifies an object.
    places: BTreeMap<(Kind, String, Option<String>), usize>,
}

impl Structure {
    fn read(text: &str) -> Structure {
        let script = plain(text, &Variables::new());
        let mut objects: Vec<Object> = Vec::new();
        for piece in split(&script.sql) {
            objects.extend(
                Object::of(piece.sql)
                    .into_iter()
                    .flat_map(table::taken_apart),
            );
        }
        let places = objects.iter().enumerate();
        let places = places.map(|(place, object)| (key(object), place)).collect();
        Structure { objects, places }
    }

    fn of_key(&self, object: &Object) -> Option<&Object> {
        let place = self.places.get(&key(object))?;
        self.objects.get(*place)
    }

    fn has(&self, object: &Object) -> bool {
        self.places.contains_key(&key(object))
    }

    fn table(&self, name: &str) -> Option<&usize> {
        self.places.get(&(Kind::Table, name.to_owned(), None))
    }
}

fn key(object: &Object) -> (Kind, String, Option<String>) {
    (object.kind, object.name.clone(), object.table.clone())
}

/// Statements in the order in which they can run.
#[derive(Default)]
struct Script {
    /// Drops what others depend on, from the last to the first.
    first: Vec<String>,
    types: Vec<String>,
    tables: Vec<String>,
    functions: Vec<String>,
    others: Vec<String>,
    /// Drops columns, tables and types.
    last: Vec<String>,
}

impl Script {
    fn part_of(&mut self, kind: Kind) -> &mut Vec<String> {
        match kind {
            Kind::Schema
            | Kind::Extension
            | Kind::Type
            | Kind::Domain
            | Kind::Enum
            | Kind::Sequence => &mut self.types,
            Kind::Table => &mut self.tables,
            Kind::Function | Kind::Aggregate => &mut self.functions,
            _ => &mut self.others,
        }
    }

    fn text(self) -> String {
        let parts = [
            self.first,
            self.types,
            self.tables,
            self.functions,
            self.others,
            self.last,
        ];
        let statements = parts.into_iter().flatten();
        statements.map(|statement| statement + ";\n").collect()
    }
}

#[cfg(test)]
mod tests {
    use super::difference;

    const OLD: &str = "SET search_path = '';\n\\restrict abc\n\
        CREATE TYPE public.state AS ENUM (\n    'new',\n    'paid'\n);\n\
        CREATE TABLE public.orders (\n    id bigint NOT NULL,\n    code character varying(10),\n    note text DEFAULT 'a, b'::text,\n\
            old_note text,\n    CONSTRAINT positive CHECK ((id > 0))\n);\n\
        CREATE TABLE public.gone (\n    id integer\n);\n\
        CREATE VIEW public.v AS\n SELECT orders.id FROM public.orders;\n\
        ALTER TABLE ONLY public.orders\n    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);\n\
        CREATE INDEX orders_code ON public.orders USING btree (code);\n\
        CREATE INDEX orders_note ON public.orders USING btree (note);\n\
        CREATE INDEX gone_id ON public.gone USING btree (id);\n\
        INSERT INTO \"schema_migrations\" (version) VALUES ('1');\n";

    #[test]
    fn two_dumps_make_a_migration() {
        let new = OLD
            .replace("'paid'\n", "'held',\n    'paid'\n")
            .replace("code character varying(10)", "code text NOT NULL")
            .replace("old_note text,\n", "")
            .replace("DEFAULT 'a, b'::text", "DEFAULT ''::text")
            .replace("id > 0", "id > 1")
            .replace("SELECT orders.id", "SELECT orders.id, orders.code")
            .replace(
                "CREATE TABLE public.gone (\n    id integer\n);\n",
                "CREATE TABLE public.fresh (\n    id integer\n);\n",
            )
            .replace(
                "CREATE INDEX gone_id ON public.gone USING btree (id);\n",
                "",
            )
            .replace(
                "CREATE INDEX orders_note ON public.orders USING btree (note);\n",
                "",
            )
            .replace("btree (code)", "btree (code, id)");
        let script = difference(OLD, &new);
        let lines: Vec<&str> = script
            .split(";\n")
            .filter(|line| !line.is_empty())
            .collect();
        assert_eq!(
            lines,
            [
                "DROP INDEX public.orders_note",
                "DROP INDEX public.orders_code",
                "ALTER TABLE public.orders DROP CONSTRAINT positive",
                "ALTER TYPE public.state ADD VALUE 'held' AFTER 'new'",
                "ALTER TABLE public.orders ALTER COLUMN code TYPE text USING code::text",
                "ALTER TABLE public.orders ALTER COLUMN code SET NOT NULL",
                "ALTER TABLE public.orders ALTER COLUMN note SET DEFAULT ''::text",
                "CREATE TABLE public.fresh (\n    id integer\n)",
                "ALTER TABLE public.orders ADD CONSTRAINT positive CHECK ((id > 1))",
                "CREATE OR REPLACE VIEW public.v AS\n SELECT orders.id, orders.code FROM public.orders",
                "CREATE INDEX orders_code ON public.orders USING btree (code, id)",
                "DROP TABLE public.gone",
                "ALTER TABLE public.orders DROP COLUMN old_note",
            ]
        );
        assert_eq!(difference(OLD, OLD), "");
    }
}
