/* What the role that plans may have done with the rights of the superuser while it executes a migration: look at its own relations, and
   give its tables another file. Each function touches relations of that role only, and evaluates nothing that was copied or migrated.
   (BEGIN ATOMIC: names are resolved here, not by the caller's search_path.) */

/* The large file of each table, which the planner measures. */
CREATE TABLE pgrehearse_twin.large_files (relation oid, few_rows oid, large oid);
/* The tables without rows, and the file that each had. */
CREATE TABLE pgrehearse_twin.set_aside (relation oid, file oid);
GRANT SELECT ON pgrehearse_twin.set_aside TO {role};

/* The role's relations in this transaction: their files, how often they were scanned, and the locks on them. */
CREATE FUNCTION pgrehearse_twin.relations()
RETURNS TABLE (relation oid, schema_name text, relation_name text, kind text, file oid, table_oid oid, scans int8, locks text[])
LANGUAGE sql VOLATILE BEGIN ATOMIC
    SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text, c.relfilenode, i.indrelid,
           pg_catalog.pg_stat_get_xact_numscans(c.oid), l.modes
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
    LEFT JOIN (SELECT k.relation, pg_catalog.array_agg(k.mode) AS modes
               FROM pg_catalog.pg_locks k
               WHERE k.locktype = 'relation' AND k.granted AND k.pid = pg_catalog.pg_backend_pid()
               GROUP BY k.relation) l ON l.relation = c.oid
    WHERE c.relowner = {role_oid}::pg_catalog.oid AND c.relkind IN ('r', 'p', 'm', 'v', 'i', 'I', 'S', 'f') AND c.relpersistence <> 't'
          AND n.nspname <> 'pg_toast';
END;

/* All tables have no rows. */
CREATE FUNCTION pgrehearse_twin.set_rows_aside(empty oid) RETURNS void LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC
    INSERT INTO pgrehearse_twin.set_aside
        SELECT c.oid, c.relfilenode FROM pg_catalog.pg_class c
        WHERE c.relowner = {role_oid}::pg_catalog.oid AND c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND c.relfilenode <> 0
          AND empty >= {first_file}::pg_catalog.oid;
    UPDATE pg_catalog.pg_class c SET relfilenode = empty
    FROM pgrehearse_twin.set_aside s
    WHERE c.oid = s.relation AND c.relowner = {role_oid}::pg_catalog.oid AND empty >= {first_file}::pg_catalog.oid;
END;

/* The tables have their rows again, unless they got a new file meanwhile. */
CREATE FUNCTION pgrehearse_twin.put_rows_back(empty oid) RETURNS void LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC
    UPDATE pg_catalog.pg_class c SET relfilenode = s.file
    FROM pgrehearse_twin.set_aside s
    WHERE c.oid = s.relation AND c.relowner = {role_oid}::pg_catalog.oid AND c.relfilenode = empty;
    DELETE FROM pgrehearse_twin.set_aside;
END;

/* The tables are as large as the server's, for the planner. */
CREATE FUNCTION pgrehearse_twin.use_large_files() RETURNS void LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC
    UPDATE pg_catalog.pg_class c SET relfilenode = f.large
    FROM pgrehearse_twin.large_files f
    WHERE c.oid = f.relation AND c.relowner = {role_oid}::pg_catalog.oid AND c.relfilenode = f.few_rows;
END;

REVOKE ALL ON FUNCTION pgrehearse_twin.relations, pgrehearse_twin.set_rows_aside, pgrehearse_twin.put_rows_back,
    pgrehearse_twin.use_large_files FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgrehearse_twin.relations, pgrehearse_twin.set_rows_aside, pgrehearse_twin.put_rows_back,
    pgrehearse_twin.use_large_files TO {role}
