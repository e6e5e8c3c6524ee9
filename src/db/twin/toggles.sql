/* What the role that plans may have done with the rights of the superuser. Each function does one thing, to objects of that role only,
   and evaluates nothing that was copied. (BEGIN ATOMIC: names are resolved here, not by the caller's search_path.) */
CREATE SCHEMA pgrehearse_twin;
GRANT USAGE ON SCHEMA pgrehearse_twin TO {role};
CREATE SCHEMA {samples} AUTHORIZATION {role};

/* PL/pgSQL keeps a statement's plan, which makes a question a third faster. The server's own row of pg_language may be anything. */
CREATE FUNCTION pgrehearse_twin.handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE LANGUAGE pgrehearse_twin HANDLER pgrehearse_twin.handler;

/* Candidates become visible. No relation but a candidate has such an OID. Every name is qualified, because the caller sets search_path. */
CREATE FUNCTION pgrehearse_twin.show(candidates oid[]) RETURNS void LANGUAGE pgrehearse_twin SECURITY DEFINER AS $$
BEGIN
    UPDATE pg_catalog.pg_index SET indisvalid = true
    WHERE indexrelid OPERATOR(pg_catalog.=) ANY (candidates) AND indexrelid OPERATOR(pg_catalog.>) {first_candidate}::pg_catalog.oid;
END
$$;

/* Copied indexes, with all their partitions, become invisible. */
CREATE FUNCTION pgrehearse_twin.hide(indexes text[]) RETURNS void LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC
    UPDATE pg_catalog.pg_index i SET indisvalid = false
    FROM pg_catalog.pg_class c
    WHERE c.oid = i.indexrelid AND c.relowner = {role_oid}::pg_catalog.oid
      AND i.indexrelid IN (
        SELECT pg_catalog.to_regclass(one)::pg_catalog.oid FROM pg_catalog.unnest(indexes) AS one
        UNION
        SELECT tree.relid::pg_catalog.oid
        FROM pg_catalog.unnest(indexes) AS one, pg_catalog.pg_partition_tree(pg_catalog.to_regclass(one)) AS tree);
END;

/* As after a VACUUM that marked every page; for a partitioned table, in all its partitions. */
CREATE FUNCTION pgrehearse_twin.mark_all_visible(relation text) RETURNS void LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC
    UPDATE pg_catalog.pg_class SET relallvisible =
        (pg_catalog.pg_relation_size(oid) / pg_catalog.current_setting('block_size')::pg_catalog.int8)::pg_catalog.int4
    WHERE relowner = {role_oid}::pg_catalog.oid
      AND oid IN (
        SELECT pg_catalog.to_regclass(relation)::pg_catalog.oid
        UNION
        SELECT tree.relid::pg_catalog.oid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass(relation)) AS tree);
END;

/* The policies of these tables apply to the role that plans, too, although it owns the tables. */
CREATE FUNCTION pgrehearse_twin.apply_policies(relations oid[]) RETURNS void LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC
    UPDATE pg_catalog.pg_class SET relforcerowsecurity = true
    WHERE oid = ANY (relations) AND relrowsecurity AND relowner = {role_oid}::pg_catalog.oid;
END;

/* A materialized view gets a file of its estimated size; no file of a catalog has such a number. */
CREATE FUNCTION pgrehearse_twin.resize_view(relation text, number oid, pages int, tuples float4) RETURNS void
LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC
    UPDATE pg_catalog.pg_class SET relfilenode = number, relpages = pages, reltuples = tuples
    WHERE oid = pg_catalog.to_regclass(relation) AND relkind = 'm' AND relowner = {role_oid}::pg_catalog.oid
      AND number >= {first_file}::pg_catalog.oid;
END;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA pgrehearse_twin FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgrehearse_twin.show, pgrehearse_twin.hide, pgrehearse_twin.mark_all_visible, pgrehearse_twin.apply_policies,
    pgrehearse_twin.resize_view TO {role}
